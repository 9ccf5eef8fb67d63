import Communication
import DistributedGraphs
import Evaluation
import FoundationEssentials
import HierarchicalClustering

/// What `highland cluster` did and what it cost: the JSON of `--report`. A hierarchy keeps of it what
/// does not depend on the ranks (``HierarchyWriter``).
struct ClusterReport: Codable {
  var highland = highlandVersion
  var parameters: ClusteringAccount
  /// Who owns which points: `--partition`.
  var partition: String
  /// The ranks that clustered; and those that waited, as there were too few points for them.
  var rankCount: Int
  var waitingRankCount = 0
  /// `--nodes-per-rank`.
  var nodesPerRank = 1
  var threadCount: Int
  var pointCount: Int
  var dimensions: Int
  var clusterCount: Int
  var singletonCount: Int
  /// With `--groups`.
  var groups: GroupSummary?
  var stopReason: StopReason
  /// Reading the input.
  var reading: PhaseCost
  /// Numbering the clusters.
  var labeling: PhaseCost
  var levels: [LevelSummary]
  /// From the first row that is read to the labels: neither opening the files before that, nor writing.
  var elapsedSeconds: Double
  var memory: MemoryReport
  /// Against `--truth`.
  var metrics: ClusteringMetrics?

  /// > Collective: over `communicator`, as ``MemoryReport``.
  ///
  /// - Parameter parameters: What was asked for, once it is known what was chosen.
  init(
    of clustering: Clustering, _ parameters: ClusteringAccount, dimensions: Int, threadCount: Int,
    elapsedSeconds: Double, _ memoryPlan: MemoryOptions.Plan, on communicator: some Communicator
  ) throws {
    self.parameters = parameters
    partition = "input"
    rankCount = communicator.size
    self.threadCount = threadCount
    pointCount = clustering.points.nodeCount
    self.dimensions = dimensions
    clusterCount = clustering.clusterCount
    singletonCount = clustering.singletonCount
    groups = clustering.groups
    stopReason = clustering.stopReason
    reading = clustering.reading
    labeling = clustering.labeling
    levels = clustering.levels
    self.elapsedSeconds = elapsedSeconds
    memory = try MemoryReport(memoryPlan, on: communicator)
  }

  /// The phases that are columns of the table.
  private var columns: [Phase] {
    parameters.method == .flow
      ? [.neighbors, .flow, .coarsen] : [.neighbors, .graph, .network, .decode, .coarsen]
  }

  /// The table for people: a line per level, and the seconds of what is no column of it.
  var table: String {
    var table = TextTable(
      ["level", "nodes", "edges", "kept", "merged", "clusters"]
        + columns.map { "\($0.rawValue) s" } + ["sent MB", "ghosts", "peak MB"])
    for level in levels {
      func seconds(_ phase: Phase) -> String {
        decimal(level.phases[phase.rawValue]?.elapsedSeconds ?? 0, places: 3)
      }
      let bytes = level.phases.values.reduce(0) { $0 + $1.bytesSent }
      table.add(
        [
          level.level, level.nodeCount, level.edgeCount, level.keptEdgeCount, level.mergedCount,
          level.clusterCount,
        ].map(String.init)
          + columns.map(seconds)
          + [
            decimal(Double(bytes) / 1e6, places: 1), String(level.ghostCount),
            decimal(Double(level.peakMemoryBytes) / 1e6, places: 0),
          ])
    }
    return table.text + "\n" + otherPhases
  }

  /// The seconds of reading, and of the phases beside the table's, over all levels.
  private var otherPhases: String {
    var costs = [(Phase.read.rawValue, reading.elapsedSeconds)]
    for phase in Phase.allCases where phase != .read && !columns.contains(phase) {
      let ofLevels = levels.compactMap { $0.phases[phase.rawValue]?.elapsedSeconds }
      if !ofLevels.isEmpty { costs.append((phase.rawValue, ofLevels.reduce(0, +))) }
    }
    return costs.map { "\($0) \(decimal($1, places: 3)) s" }.joined(separator: ", ")
  }

  /// A line about the ranks of a level and what they need of each other, for people; nil where there is only one.
  func borders(of level: LevelSummary) -> String? {
    let count = level.rankCount ?? rankCount
    let share = count < rankCount ? "on \(count) of \(rankCount) ranks" : nil
    // Flow has no partition: nodes stay where their points are.
    guard count > 1, level.edgeCount > 0, parameters.method == .network else { return share }
    let cut = 100 * Double(level.cutEdgeCount) / Double(level.edgeCount)
    return """
      \(share.map { $0 + ", " } ?? "")\(decimal(cut, places: 1)) % of the edges are between ranks, \
      \(decimal(Double(level.ghostCount) / Double(level.nodeCount), places: 2)) ghosts per node, \
      imbalance \(decimal(level.nodeImbalance, places: 2)) (--partition \(partition))
      """
  }

  /// The lines below the table.
  var summary: String {
    let reason =
      switch stopReason {
      case .nothingMerged: "a level merged nothing"
      case .maximumLevels: "the given number of levels was reached"
      case .earlyStop: "merges no longer fell fast enough (--early-stop)"
      case .fewNodes:
        "no more than k = \(parameters.k) nodes were left" + (groups == nil ? "" : " of any group")
      case .shortestCode: "no move made the code shorter"
      }
    let peak = decimal(Double(memory.peakBytesOfAllRanks) / 1e6, places: 0)
    let start = decimal(Double(memory.startBytesOfAllRanks) / 1e6, places: 0)
    let ofGroups =
      groups.map {
        "\n\($0.groupCount) groups of up to \($0.mostPoints) points, with "
          + "\(decimal($0.meanClusters, places: 2)) clusters on average, "
          + "\($0.leastClusters) ... \($0.mostClusters)."
      } ?? ""
    let elapsed = elapsedAccount(
      ofSeconds: elapsedSeconds, rankCount: rankCount, threadCount: threadCount,
      waitingRankCount: waitingRankCount, nodesPerRank: nodesPerRank)
    return """
      \(pointCount) points in \(clusterCount) clusters, \(singletonCount) of one point; \
      stopped because \(reason).\(ofGroups)
      \(elapsed); peak memory \(peak) MB over all ranks, \(start) MB of it before the first row was read.
      """
  }
}

extension ClusteringAccount {
  /// Which method spoke, and why.
  var account: String {
    var text: String
    switch method {
    case .flow:
      text = "By flow, k = \(k)"
      if kRule == "given" { text += " as given" }
      if kRule == "allPoints" { text += ", which is all points" }
      if let theta { text += ", θ = \(decimal(theta, places: 3))" }
      if let kTrials, let taken = kTrials.first(where: { $0.neighborCount == k }) {
        text +=
          ", of \(kTrials.count) tried the one whose clusters lie apart and change least with k "
          + "(silhouette \(decimal(taken.silhouette, places: 3)), "
          + "agreement \(decimal(taken.agreement, places: 3)))"
        if kTrials.count > 1, taken.neighborCount == kTrials.last?.neighborCount {
          text +=
            "; no longer lists were tried, so these may be groups of clusters: -k 20 or "
            + "--method network finds smaller ones"
        }
      }
    default:
      text = "By the network '\(model ?? "")'" + (methodReason.map { ", \($0)" } ?? "")
      if let resolution {
        text += ", modules at level 0 with γ = \(decimal(resolution, places: 3))"
      } else if let tau {
        text += ", τ = \(decimal(tau, places: 3))"
        text += tauRule == "given" ? "" : ", chosen without labels"
      }
    }
    if let comparison {
      let flow = decimal(comparison.flow, places: 3)
      let network = decimal(comparison.network, places: 3)
      text +=
        method == .flow
        ? "; the network's clusters have \(network)"
        : ", whose clusters are separated better (silhouette \(network)) than those by flow (\(flow))"
    }
    return text + "." + doubts.map { "\n\($0)" }.joined()
  }

  /// Sentences about what makes the answer of a network doubtful.
  private var doubts: [String] {
    guard method == .network else { return [] }
    var doubts: [String] = []
    if let strangeness, strangeness > ThresholdChoice.familiarStrangeness {
      doubts.append(
        "These points look like nothing that the network learned from: their neighbourhoods are "
          + "\(decimal(strangeness, places: 1)) standard deviations away. Labels of a few hundred identities "
          + "would help (highland train).")
    }
    if let range = equalClusterCounts, range.upperBound >= 2 * range.lowerBound {
      doubts.append(
        "\(range.lowerBound) clusters are separated as well as \(range.upperBound): the choice of τ is an "
          + "open one. --granularity finer or coarser takes others.")
    }
    return doubts
  }

  /// The fewest and the most clusters of the trials of τ that are about as good as the best.
  private var equalClusterCounts: ClosedRange<Int>? {
    guard let tauTrials, let best = tauTrials.map(\.silhouette).max() else { return nil }
    let counts = tauTrials.filter { $0.silhouette >= best - 0.01 }.map(\.clusterCount)
    return counts.min()!...counts.max()!
  }
}

/// Columns of text, numbers to the right.
struct TextTable {
  private var rows: [[String]]

  init(_ header: [String]) { rows = [header] }

  mutating func add(_ row: [String]) { rows.append(row) }

  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).map { cell, width in
        String(repeating: " ", count: width - cell.count) + cell
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
