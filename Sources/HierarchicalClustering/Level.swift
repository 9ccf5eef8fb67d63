public import DistributedGraphs
package import GraphNetworks
public import LinearAlgebra
internal import NeighborSearch
internal import Parallelism
package import SimilarityStructure

/// One level of clustering: which rank owns which nodes, and what is known about each node.
///
/// It holds no options and does not know where the input is.
public struct Level: Sendable {
  /// Replicated. 0 is the input.
  public let number: Int
  /// Which rank owns which nodes.
  public let nodes: NodePartition
  /// Owned.
  public internal(set) var rows: NodeRows
  /// Owned. How many points each node stands for.
  public let memberCounts: [Int64]
  /// Owned. The input point of each node: at level 0 its own, at later levels that of its peak. Ties
  /// between nodes break by it.
  public let inputPoint: [GlobalNode]
  /// Replicated. Whether the input points of all nodes ascend, so that the order of nodes is theirs.
  let isInInputOrder: Bool
  /// How the nodes' members are connected at level 0; kept from there on if the judge needs it.
  package var evidence: Evidence?
  /// Which nodes may merge with which, if not all.
  var groups: NodeGroups?
}

extension Level {
  /// Owned. By which names ties break: nil if the order of nodes says the same.
  var names: [GlobalNode]? { isInInputOrder ? nil : inputPoint }
}

/// The rows of the nodes of a level: which there are is the same on all ranks.
///
/// Owned. All rows have D columns.
public enum NodeRows: Sendable {
  /// Unit rows of points, or of the peaks that stand for their members.
  case peaks(StoredRows)
  /// Unit rows of peaks, and the mean over each node's points of rows as they are stored.
  case peaksAndMeans(Matrix, means: Matrix)
  /// The mean u over each node's points of their directions, and |u|, its norm: the direction is u / |u|.
  case means(StoredRows)
  /// None: a network has taken those of level 0, or no level follows.
  case none

  /// Unit rows, by which neighbours are searched.
  public var directions: StoredRows {
    switch self {
    case .peaks(let rows), .means(let rows): rows
    case .peaksAndMeans(let rows, _): StoredRows(rows)
    case .none: preconditionFailure("the rows are gone")
    }
  }

  /// What is averaged over a node's points: a point's, or a peak's, own direction at first.
  ///
  /// - Returns: Some columns of some rows. Shape `[rows.count × columns.count]`.
  package func averages(ofRows rows: Range<Int>, columns: Range<Int>) -> Matrix {
    switch self {
    case .peaks(let stored), .means(let stored): stored.numbers(ofRows: rows, columns: columns)
    case .peaksAndMeans(_, let means):
      StoredRows(means).numbers(ofRows: rows, columns: columns)
    case .none: preconditionFailure("the rows are gone")
    }
  }

  /// All of them, without a copy where they are `float32`; in the first D columns.
  var averageWords: Matrix {
    switch self {
    case .peaks(let rows) where rows.element == .float32: rows.words
    case .means(let rows): rows.words
    default: averages
    }
  }

  /// All of them.
  package var averages: Matrix {
    let directions = directions
    return averages(ofRows: 0..<directions.rowCount, columns: 0..<directions.columnCount)
  }

  /// |u| of every node; points have 1.
  public var meanLengths: [Float] {
    switch self {
    case .peaks(let rows): Array(repeating: 1, count: rows.rowCount)
    case .means(let rows): rows.norms
    case .peaksAndMeans(let rows, _): Array(repeating: 1, count: rows.rowCount)
    case .none: preconditionFailure("the rows are gone")
    }
  }

  /// Means of rows as they are stored, if the judge sees them beside the peaks'.
  package var inputMeans: Matrix? {
    if case .peaksAndMeans(_, let means) = self { means } else { nil }
  }

  var areGone: Bool { if case .none = self { true } else { false } }
}

/// Which averages the nodes of later levels carry for the judge.
public enum NodeMeans: Equatable, Sendable {
  /// No averages: nodes have only the directions of their peaks.
  case peaksOnly
  /// Averages of rows as they are stored, beside the peak's direction: the average feature of
  /// coordinates.
  case ofInputRows
  /// Averages of directions, in place of the peak's direction, for average linkage.
  case ofDirections
}

/// What level 0 tells about the nodes of later levels.
package struct Evidence: Sendable {
  /// Measured at level 0.
  package var scales: ClosenessScales
  /// Owned. The edges of level 0 between members of the level's nodes.
  package var pointEdges: PointEdges
}

extension Level {
  /// The level as a network of coordinates sees it.
  ///
  /// At level 0 this hands over the only reference to the rows, so that the network can free their
  /// memory as it runs. The input can be read again.
  package mutating func takeNetworkInput(usesMeans: Bool) -> NodeInput {
    let input = NodeInput(
      identity: rows.directions.unitRows(), average: rows.inputMeans, usesAverage: usesMeans)
    if number == 0 { rows = .none }
    return input
  }
}
