import Communication
import Evaluation
import GraphNetworks
import HierarchicalClustering
import NeighborSearch

/// What `highland plan` says: the JSON of `--json`. Bytes, messages and flops are of a rank, on average or on the one that
/// has most.
struct PlanReport: Codable {
  var highland = highlandVersion
  var command: String
  var features: String?
  var pointCount: Int
  var dimensions: Int
  var elementType: String
  var k: Int
  var rankCount: Int
  var hostCount: Int
  var threadCount: Int
  /// Nodes of every level.
  var nodeCounts: [Int]
  var phases: [PhaseReport]
  /// Of all phases; of the memory the most.
  var total: Cost
  /// What a run reckons with before it begins: if half of the nodes of every level merge, and if hardly any do.
  var boundBytesIfHalfMerge: Double
  var boundBytes: Double
  var limitBytes: Int?
  var fits: Bool
  /// The phase that takes too much memory or else the longest, and what would help.
  var breaksFirst: String
  var remedies: [RemedyReport]
  /// Of the first search, if it is approximate: how many partitions it is taken to make, and what another one would add.
  var partitionCount: Int?
  var furtherPartition: PartitionReport?
  var assumptions: [String]
  var rates: String
  var messageRates: MessageReport

  struct Cost: Codable {
    var seconds: Double
    /// Of these, what would be left without messages.
    var workSeconds: Double
    var flops: Double
    var bytesSent: Double
    var bytesToOtherHosts: Double
    var messages: Double
    var rounds: Double
    var memoryBytes: Double
    var diskBytes: Double
  }

  struct PhaseReport: Codable {
    /// Nil for a phase of no level.
    var level: Int?
    var phase: String
    var nodeCount: Int
    var cost: Cost
    /// Rounds, messages and bytes by ``ExpectedTraffic/Form``.
    var byForm: [String: ExpectedTraffic.Share]
  }

  /// What seconds of messages follow from. Those between hosts are of a host, all its ranks together.
  struct MessageReport: Codable {
    var bytesPerSecond: Double
    var secondsPerMessage: Double
    var bytesPerSecondBetweenHosts: Double
    var secondsPerMessageBetweenHosts: Double
  }

  struct RemedyReport: Codable {
    var change: String
    var seconds: Double
    var boundBytesIfHalfMerge: Double
    var fits: Bool
  }

  struct PartitionReport: Codable {
    var seconds: Double
    var bytesSent: Double
  }

  init(
    of planned: PlannedRun, command: String, features: String?, ratesFrom origin: String,
    areRatesOfThisMachine: Bool
  ) {
    let (run, job) = (planned.run, planned.job)
    self.command = command
    self.features = features
    pointCount = job.pointCount
    dimensions = job.columnCount
    elementType = "\(job.element)"
    k = job.neighborCount
    rankCount = job.ranks.count
    hostCount = job.ranks.hostCount
    threadCount = job.threadCount
    nodeCounts = run.nodeCounts
    phases = run.phases.map { phase in
      PhaseReport(
        level: phase.level, phase: phase.phase.rawValue, nodeCount: phase.nodeCount,
        cost: Cost(
          seconds: planned.seconds(phase), workSeconds: planned.workSeconds(phase),
          flops: phase.flops, bytesSent: phase.traffic.bytesSent,
          bytesToOtherHosts: phase.traffic.bytesToOtherHosts, messages: phase.traffic.messages,
          rounds: phase.traffic.rounds, memoryBytes: planned.fixedBytes + phase.memoryBytes,
          diskBytes: phase.diskBytes),
        byForm: Dictionary(uniqueKeysWithValues: phase.traffic.byForm.map { ($0.rawValue, $1) }))
    }
    let traffic = run.traffic
    total = Cost(
      seconds: planned.seconds,
      workSeconds: run.phases.reduce(0) { $0 + planned.workSeconds($1) }, flops: run.flops,
      bytesSent: traffic.bytesSent, bytesToOtherHosts: traffic.bytesToOtherHosts,
      messages: traffic.messages, rounds: traffic.rounds, memoryBytes: planned.memoryBytes,
      diskBytes: run.diskBytes)
    boundBytesIfHalfMerge = planned.boundBytes
    boundBytes = planned.mostBoundBytes
    limitBytes = planned.limit
    fits = planned.fits
    let first = planned.first
    breaksFirst = (first.level.map { "level \($0), " } ?? "") + first.phase.rawValue
    remedies = planned.remedies.map {
      RemedyReport(
        change: $0.name, seconds: $0.run.seconds, boundBytesIfHalfMerge: $0.run.boundBytes,
        fits: $0.run.fits)
    }
    furtherPartition = planned.furtherPartition.map {
      PartitionReport(seconds: $0.seconds, bytesSent: $0.bytesSent)
    }
    partitionCount = furtherPartition == nil ? nil : run.searches[0].partitionCount
    assumptions = run.assumptions
    rates =
      origin
      + (areRatesOfThisMachine
        ? "" : " (of \(planned.rates.processor), \(planned.rates.kernels), not of this machine)")
    messageRates = MessageReport(
      bytesPerSecond: planned.rates.bytesPerSecond,
      secondsPerMessage: planned.rates.secondsPerMessage,
      bytesPerSecondBetweenHosts: planned.rates.bytesPerSecondBetweenHosts,
      secondsPerMessageBetweenHosts: planned.rates.secondsPerMessageBetweenHosts)
  }
}

// For people.
extension PlanReport {
  var text: String {
    var table = TextTable(
      ["level", "phase", "nodes", "seconds", "Gflop", "sent MB"]
        + (hostCount > 1 ? ["to other hosts MB"] : [])
        + ["messages", "rounds", "memory MB", "disk MB"])
    for phase in phases {
      table.add(
        [phase.level.map(String.init) ?? "", phase.phase, String(phase.nodeCount)]
          + cells(phase.cost))
    }
    table.add(["", "all", String(pointCount)] + cells(total))
    let title =
      "[\(pointCount) × \(dimensions)] points of \(elementType), k = \(k), \(command): "
      + "\(quantity(rankCount, "rank")) of \(quantity(threadCount, "thread")) on \(quantity(hostCount, "host"))"
    return
      ([title, table.text, "", memoryAccount, breakingAccount]
      + remedies.map {
        "  \($0.change): \(duration($0.seconds)), \(memory($0.boundBytesIfHalfMerge))\(limitBytes != nil && !$0.fits ? ", too much" : "")"
      }
      + [partitionAccount].compactMap { $0 }
      + ["Taken to be so: \(assumptions.joined(separator: "; ")).", "Rates: \(rates)."])
      .joined(separator: "\n")
  }

  private func cells(_ cost: Cost) -> [String] {
    [
      decimal(cost.seconds, places: cost.seconds < 10 ? 2 : 0),
      decimal(cost.flops / 1e9, places: 1), decimal(cost.bytesSent / 1e6, places: 1),
    ]
      + (hostCount > 1 ? [decimal(cost.bytesToOtherHosts / 1e6, places: 1)] : [])
      + [
        decimal(cost.messages, places: 0), decimal(cost.rounds, places: 0),
        decimal(cost.memoryBytes / 1e6, places: 0), decimal(cost.diskBytes / 1e6, places: 0),
      ]
  }

  private var memoryAccount: String {
    let expected = "Memory of a rank: \(memory(total.memoryBytes)) expected"
    let bound =
      boundBytes > boundBytesIfHalfMerge
      ? "\(memory(boundBytesIfHalfMerge)) if half of the nodes merge, \(memory(boundBytes)) if hardly any do"
      : memory(boundBytes)
    guard let limitBytes else { return "\(expected); a run reckons with \(bound)." }
    return
      "\(expected); a run reckons with \(bound), and \(fits ? "fits" : "does not fit") into \(memory(Double(limitBytes)))."
  }

  /// The recall of the data decides how many there will be.
  private var partitionAccount: String? {
    guard let partitionCount, let furtherPartition else { return nil }
    let sent =
      rankCount > 1
      ? ", \(decimal(furtherPartition.bytesSent / 1e6, places: 1)) MB sent by a rank," : ""
    return
      "This is for \(quantity(partitionCount, "partition")) of the search; each further one, which some data need for their "
      + "recall, takes \(duration(furtherPartition.seconds))\(sent) and no more memory."
  }

  private var breakingAccount: String {
    let reason =
      fits
      ? "Takes longest: \(breaksFirst), of \(duration(total.seconds)) in all."
      : "Breaks first: \(breaksFirst), by its memory."
    return reason
      + (remedies.isEmpty ? " Nothing that was tried would help." : " What would help:")
  }
}

extension ExpectedRun {
  /// What only the data tell.
  fileprivate var assumptions: [String] {
    var assumptions: [String] = []
    if case .network(let network, let goal) = job.goal {
      if network.settings.resolution != nil {
        assumptions.append("level 0 merges above τ, not by the modules of the model")
      }
      let shares = data.sharesApart.map { decimal($0, places: 3) }.joined(separator: ", ")
      assumptions.append(
        shares.isEmpty
          ? "no nodes merge" : "of the nodes of the levels \(shares) stay apart, then all")
      if job.ranks.count > 1, goal.movesNodes {
        assumptions.append(
          "\(decimal(100 * data.cutByChance, places: 1)) % of the edges that chance would cut are between ranks"
        )
      }
      if goal.choosesThreshold { assumptions.append("\(data.trialCount) thresholds are tried") }
    }
    if searches[0].method == .approximate {
      assumptions.append(
        "the points are \(data.isDiffuse ? "" : "not ")diffuse, and take "
          + quantity(searches[0].partitionCount, "partition"))
    }
    return assumptions.isEmpty ? ["nothing"] : assumptions
  }
}

extension Rates {
  /// What was measured, for people.
  func account(in path: String) -> String {
    var table = TextTable(["work", "units per second and thread"])
    for work in Work.allCases {
      table.add([work.rawValue, String(Float(unitsPerSecond[work.rawValue]!))])
    }
    table.add(["bytes between ranks", String(Float(bytesPerSecond))])
    table.add(["messages between ranks", String(Float(1 / secondsPerMessage))])
    table.add(["bytes between hosts", String(Float(bytesPerSecondBetweenHosts))])
    table.add(["messages between hosts", String(Float(1 / secondsPerMessageBetweenHosts))])
    let messages =
      areMessagesMeasured
      ? "" : "\nMessages take two ranks to measure: mpirun -n 2 highland plan --calibrate."
    return "\(processor), \(kernels) kernels\n\(table.text)\(messages)\nWritten to \(path)."
  }
}

private func memory(_ bytes: Double) -> String {
  bytes < 1e10
    ? "\(decimal(bytes / 1e6, places: 0)) MB" : "\(decimal(bytes / 1e9, places: 1)) GB"
}
