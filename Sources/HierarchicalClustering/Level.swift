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
}

extension Level {
  /// Owned. By which names ties break: nil if the order of nodes says the same.
  var names: [GlobalNode]? { isInInputOrder ? nil : inputPoint }
}

/// The rows of the nodes of a level.
public struct NodeRows: Sendable {
  /// Owned. Unit rows, by which neighbours are searched. Shape `[ownedCount × D]`; no rows after
  /// ``Level/takeNetworkInput(usesMeans:)`` of level 0.
  public fileprivate(set) var directions: Matrix
  /// Owned. The mean over each node's points; nil if it equals the direction, as at level 0, or if
  /// the judge does not use means. Shape `[ownedCount × D]`.
  public let means: Matrix?
  /// Owned. |u|: the lengths of means of directions; 1 if there are no means.
  public let meanLengths: [Float]

  /// Replicated. Whether ``Level/takeNetworkInput(usesMeans:)`` has taken the rows.
  fileprivate(set) var wereTaken = false

  /// Rows of points, or of nodes without means.
  init(directions: Matrix) {
    self.init(directions: directions, means: nil)
  }

  /// Rows with means whose lengths are not recorded.
  init(directions: Matrix, means: Matrix?) {
    self.directions = directions
    self.means = means
    meanLengths = Array(repeating: 1, count: directions.rowCount)
  }

  /// Rows whose directions are those of their means.
  init(means: Matrix, using workers: Workers) {
    var directions = means
    meanLengths = directions.normalizeRows(using: workers)
    self.directions = directions
    self.means = means
  }

  /// The mean of every node's points; the direction if no means are stored.
  public var meanRows: Matrix { means ?? directions }
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
  /// Replicated. Measured at level 0.
  package let scale: ClosenessScale
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
      identity: rows.directions, average: rows.means, usesAverage: usesMeans)
    if number == 0 {
      rows.directions = Matrix(rows: 0, columns: rows.directions.columnCount)
      rows.wereTaken = true
    }
    return input
  }
}
