import Glibc
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
  /// The share of the true neighbours that an approximate search is to find, with a confidence of
  /// 97.5 %. In 0 ... 1.
  public var recall: Double

  public init(_ method: SearchMethod = .exact, recall: Double = 0.98) {
    precondition((0...1).contains(recall), "recall \(recall)")
    self.method = method
    self.recall = recall
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
  /// Cells of each partition.
  public var cellCount: Int
  /// How many cells a node was in, on average over the partitions.
  public var meanCells: Double
  /// Pairs of nodes, or of a node and a centre, that were compared.
  public var comparedPairs: Double
}

/// The sizes of an approximate search, and what it is predicted to cost.
package struct SearchPlan: Sendable {
  /// Cells of a partition.
  let cellCount: Int
  /// How many of them a node is in, on average.
  let meanCells: Double
  /// The most partitions that are made for a recall.
  let maximumPartitions: Int

  /// Nodes for which one cell is made. A cell has ``meanCells`` times as many members.
  private static let nodesPerCell = 128
  /// Partitions that a search of real data takes for the default recall.
  private static let expectedPartitions = 3.0
  /// How much longer a pair takes in cells than in the large products of an exact search.
  private static let pairCost = 3.0

  /// - Parameters:
  ///   - nodeCount: Of all ranks.
  ///   - listLength: Places of a list: a cell must hold several times as many.
  package init(nodeCount: Int, listLength: Int) {
    func env(_ n: String, _ d: Double) -> Double { getenv(n).flatMap { Double(String(cString: $0)) } ?? d }
    let nodesPerCell = max(Int(env("NPC", 128)), 3 * listLength)
    cellCount = max(1, nodeCount / nodesPerCell)
    meanCells = env("MC", 2)
    maximumPartitions = Int(env("MP", 16))
    self.nodeCount = Double(nodeCount)
  }

  private let nodeCount: Double

  /// Pairs of an exact search.
  var exactPairs: Double { nodeCount * (nodeCount - 1) / 2 }

  /// Pairs of an exact search that take as long as this is predicted to take.
  var predictedPairs: Double {
    let cells = Double(cellCount)
    let assigning = cells.squareRoot() * 5
    let members = 1.5 * meanCells * nodeCount / cells
    return nodeCount
      * (Self.expectedPartitions * Self.pairCost * (assigning + meanCells * members / 2)
        + RecallSample.rowCount)
  }

  /// How much cheaper an approximate search must be to be preferred.
  private static let advantage = 2.0

  /// What is done, and why.
  package func choice(by options: SearchOptions) -> (method: SearchMethod, reason: String) {
    guard options.method == .auto else { return (options.method, "as asked") }
    let gain = exactPairs / predictedPairs
    let isWorthIt = gain >= Self.advantage
    let factor = (gain * 10).rounded() / 10
    return (
      isWorthIt ? .approximate : .exact,
      "an approximate search of \(Int(nodeCount)) nodes is predicted to be \(factor) times as fast; "
        + "it is made from \(Int(Self.advantage)) on"
    )
  }
}
