internal import Communication

/// How nearest neighbours are searched.
public enum SearchMethod: String, CaseIterable, Codable, Sendable {
  /// All pairs are compared.
  case exact
  /// Pairs within cells are compared, until the recall that is wanted is reached.
  case approximate
  /// Exact unless an approximate search is much cheaper.
  case auto
}

/// What a search of nearest neighbours is to do.
public struct SearchOptions: Hashable, Sendable {
  public var method: SearchMethod
  /// The share of the true neighbours that an approximate search is to find: the lower end of an interval of
  /// 95 % after the last partition. In 0 ... 1.
  public var recall: Double
  public var division: SearchDivision
  /// Whether rows are expected to be spread, as means of clusters are, so that an approximate search takes
  /// more and larger cells. Only what ``SearchMethod/auto`` chooses depends on it.
  public var expectsDiffuse = false

  /// With a recall of 0.98 clusters of some sets are worse than those of the exact search; with this one of none.
  public static let usualRecall = 0.99

  public init(
    _ method: SearchMethod = .auto, recall: Double = usualRecall,
    division: SearchDivision = SearchDivision()
  ) {
    precondition((0...1).contains(recall), "recall \(recall)")
    self.method = method
    self.recall = recall
    self.division = division
  }
}

/// What a search did.
public struct SearchSummary: Codable, Equatable, Sendable {
  /// Exact or approximate.
  public var method: SearchMethod
  /// Why: as asked, or what was predicted.
  public var reason: String
  /// Pairs of nodes, or of a node and a centre of a cell, that were compared.
  public var comparedPairs: Double
  /// Of an approximate search.
  public var approximate: ApproximateSummary?
}

/// What an approximate search did.
public struct ApproximateSummary: Codable, Equatable, Sendable {
  public var wantedRecall: Double
  public var recall: RecallEstimate
  /// Recall after each partition.
  public var recallByPartition: [Double]
  /// Cells of each partition, about.
  public var cellCount: Int
  /// How many cells a node was in, on average over the partitions.
  public var meanCells: Double
  /// Pairs of nodes, or of a node and a centre, that were compared; not those by which centres were found.
  public var comparedPairs: Double
  /// The most pairs that a rank compared, divided by the mean. It alone depends on the ranks.
  public var imbalance: Double
}

/// How thoroughly a partition is searched.
struct SearchEffort: Sendable {
  /// How many cells a node is to be in, on average.
  let meanCells: Double
  /// How many times as many nodes as usual a cell has.
  let cellScale: Int
  /// Whether neighbourhoods have so many dimensions that a few cells hold few of the neighbours.
  let isDiffuse: Bool
  /// Whether only some of the nodes ask for neighbours. The others are in one cell each.
  let isForSome: Bool

  /// Whether a first partition found so little that the data must be diffuse, though they did not look so.
  static func isLow(_ recall: Double) -> Bool { recall < 0.85 }

  /// In diffuse data more and larger cells find more; elsewhere more groups do, as a point's nearest cells may be
  /// in groups that are not.
  ///
  /// Where only some ask, a pair is found by the cells of one of its nodes alone. All groups and more cells for these cost less
  /// than another partition, for which the cells of all would be found; larger cells find no more.
  init(isDiffuse: Bool, isForSome: Bool = false) {
    self.isDiffuse = isDiffuse
    self.isForSome = isForSome
    meanCells = isDiffuse ? (isForSome ? 24 : 12) : (isForSome ? 12 : 4)
    cellScale = isDiffuse && !isForSome ? 2 : 1
  }

  /// How many of the groups of cells are searched for a node's nearest cells.
  func groupCount(among count: Int) -> Int {
    isForSome ? count : min(count, isDiffuse ? 8 : min(max(2 * count / 5, 8), 16))
  }

  /// The same of a node that does not ask.
  func groupCountOfOthers(among count: Int) -> Int { min(count, isDiffuse ? 8 : 4) }
}

/// The sizes of an approximate search, and what it is predicted to cost.
package struct SearchPlan: Sendable {
  /// About how many cells a usual partition has.
  let cellCount: Int
  private let nodeCount: Double
  /// Nodes that ask for neighbours: all, or some.
  private let askingCount: Double
  private let isForSome: Bool
  private let listLength: Int
  private let nodesPerCell: Double

  /// The most partitions that are made for a recall.
  static let maximumPartitions = 16
  // Measured on generated points and on letters, in pairs of an exact search that take as long: of a node
  // in a partition, of one of its visits, and the members of the cells that a node visits, which are
  // larger than the mean.
  private static let pairsPerNode = 3000.0
  private static let pairsPerVisit = 250.0
  // Of a node that does not ask, in the same way.
  private static let pairsPerOther = 700.0
  private static let imbalance = 1.3

  /// How many times as fast an approximate search must be to be preferred: for diffuse nodes the prediction is
  /// closer.
  private static func advantage(isDiffuse: Bool) -> Double { isDiffuse ? 1.2 : 3 }

  /// Most data take two partitions for the usual recall. Of diffuse nodes the first misses half of the neighbours,
  /// and each of the next a quarter fewer than the one before.
  static func expectedPartitions(for recall: Double, isDiffuse: Bool) -> Int {
    isDiffuse ? min(1 + morePartitions(from: 0.5, to: recall), maximumPartitions) : 2
  }

  /// How thoroughly the nodes are searched.
  func effort(isDiffuse: Bool) -> SearchEffort {
    SearchEffort(isDiffuse: isDiffuse, isForSome: isForSome)
  }

  /// How many more partitions will be made, if each misses a quarter fewer than those before.
  static func morePartitions(from recall: Double, to wanted: Double) -> Int {
    var (count, missed) = (0, 1 - recall)
    while missed > 1 - wanted, count < maximumPartitions {
      count += 1
      missed *= 0.75
    }
    return count
  }

  /// - Parameters:
  ///   - nodeCount: Of all ranks.
  ///   - listLength: Places of a list: a cell must hold several times as many.
  ///   - askingCount: How many of the nodes ask for neighbours; nil if all do.
  package init(nodeCount: Int, listLength: Int, askingCount: Int? = nil) {
    // With more nodes, larger cells: to find those of a node costs √C, and to compare it there N / C.
    let balanced = (1...).first { $0 * $0 * $0 >= 2 * nodeCount }!
    let size = max(128, 3 * listLength, balanced)
    cellCount = max(1, nodeCount / size)
    nodesPerCell = Double(min(size, max(nodeCount, 1)))
    self.nodeCount = Double(nodeCount)
    self.askingCount = Double(askingCount ?? nodeCount)
    isForSome = askingCount != nil
    self.listLength = listLength
    mostRecall =
      self.askingCount <= RecallSample.wantedCount
      ? 1 : RecallEstimate.mostLower(trials: RecallSample.wantedCount * Double(max(listLength, 1)))
  }

  /// About how many cells a partition has.
  func cellCount(by effort: SearchEffort) -> Int { max(1, cellCount / effort.cellScale) }

  /// The highest recall that an estimate can be sure of, if no neighbour of the sample is missed; 1 if that is
  /// all nodes.
  let mostRecall: Double

  /// - Throws: ``AgreedFailure``, on every rank, for a recall that no estimate can show.
  func check(recall: Double) throws {
    guard recall > mostRecall else { return }
    throw AgreedFailure(
      reason:
        "recall \(recall): lists of \(listLength) places are estimated to hold at most "
        + "\((mostRecall * 1e4).rounded(.down) / 1e4); expected no more, or an exact search")
  }

  /// Pairs of an exact search.
  var exactPairs: Double {
    isForSome ? askingCount * nodeCount : nodeCount * (nodeCount - 1) / 2
  }

  /// Pairs of an exact search that take as long as an approximate one is predicted to take.
  func predictedPairs(by effort: SearchEffort, recall: Double) -> Double {
    let partition = findingPairs(by: effort) + comparingPairs(by: effort)
    let partitions = Self.expectedPartitions(for: recall, isDiffuse: effort.isDiffuse)
    return Double(partitions) * partition
      + min(askingCount, RecallSample.wantedCount) * nodeCount
  }

  /// The share of a partition's work that is done when the cells of all nodes are known.
  func findingShare(by effort: SearchEffort) -> Double {
    let finding = findingPairs(by: effort)
    return finding / (finding + comparingPairs(by: effort))
  }

  /// Of nodes and centres, to find their cells.
  private func findingPairs(by effort: SearchEffort) -> Double {
    let groups = Double(cellCount(by: effort)).squareRoot()
    let searched = effort.groupCount(among: isForSome ? Int(groups) : 100)
    return askingCount * Double(searched + 1) * groups
      + (nodeCount - askingCount) * Double(effort.groupCountOfOthers(among: 100) + 1) * groups
  }

  /// Pairs of an exact search that take as long as all else that a partition does.
  private func comparingPairs(by effort: SearchEffort) -> Double {
    let visit =
      Self.pairsPerVisit + Self.imbalance * nodesPerCell
      * Double(effort.cellScale)
    return askingCount * (Self.pairsPerNode + effort.meanCells * visit)
      + (nodeCount - askingCount) * Self.pairsPerOther
  }

  /// What is done, and why.
  package func choice(by options: SearchOptions) -> (method: SearchMethod, reason: String) {
    guard options.method == .auto else { return (options.method, "as asked") }
    if options.recall > mostRecall {
      return (.exact, "a recall of \(options.recall) is more than a sample of points can show")
    }
    guard nodeCount > 1 else { return (.exact, "there are no pairs") }
    let effort = effort(isDiffuse: options.expectsDiffuse)
    let gain = exactPairs / predictedPairs(by: effort, recall: options.recall)
    let least = Self.advantage(isDiffuse: effort.isDiffuse)
    return (
      gain >= least ? .approximate : .exact,
      "predicted to be \((gain * 10).rounded() / 10) times as fast as an exact search; "
        + "chosen from \(least) on"
    )
  }
}
