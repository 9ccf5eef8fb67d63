public import DistributedGraphs
package import GraphNetworks
public import LinearAlgebra
internal import NeighborSearch
internal import Parallelism
package import SimilarityStructure

/// One level of clustering: who owns which nodes, and what is known of each.
///
/// It holds no options and does not know where the input is.
public struct Level: Sendable {
  /// Replicated. 0 is the input.
  public let number: Int
  /// Who owns which nodes.
  public let nodes: NodePartition
  /// Owned.
  public internal(set) var rows: NodeRows
  /// Owned. How many points each node stands for.
  public let memberCounts: [Int64]
  /// Owned. The input point that each node is: its own at level 0, that of the peak above.
  public let inputPoint: [GlobalNode]
  /// How the members of the nodes are connected at level 0: from there on, if the judge asks for it.
  package var evidence: Evidence?
}

/// The rows of the nodes of a level.
public struct NodeRows: Sendable {
  /// Owned. Unit rows, by which neighbours are searched. Shape `[ownedCount × D]`; no rows after
  /// ``Level/takeNetworkInput(usesMeans:)`` of level 0.
  public fileprivate(set) var directions: Matrix
  /// Owned. The mean over each node's points; nil where that is the direction itself, as at level 0,
  /// and where the judge has no use for means. Shape `[ownedCount × D]`.
  public let means: Matrix?
  /// Owned. |u|: the lengths of means of directions; 1 where there are none.
  public let meanLengths: [Float]

  /// Rows of points, or of nodes for which nobody wants means.
  init(directions: Matrix) {
    self.init(directions: directions, means: nil)
  }

  /// Rows with means that keep their lengths to themselves.
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

  /// The mean of every node's points: the direction where nothing else is kept.
  public var meanRows: Matrix { means ?? directions }
}

/// Which means the nodes of later levels carry, for a judge to see.
public enum NodeMeans: Equatable, Sendable {
  /// None: the nodes have the directions of their peaks alone.
  case peaksOnly
  /// Of rows as they are stored, beside the peak's direction: the average feature of coordinates.
  case ofInputRows
  /// Of directions, in place of the peak's: what average linkage is about.
  case ofDirections
}

/// What level 0 says about the nodes of later levels.
package struct Evidence: Sendable {
  /// Replicated. Measured at level 0.
  package let scale: ClosenessScale
  /// Owned. The edges of level 0 between members of the level's nodes.
  package var pointEdges: PointEdges
}

extension Level {
  /// What a network of coordinates sees of the level.
  ///
  /// At level 0 this hands over the only reference to the rows, so that the network can give their
  /// memory back as it goes: the input can be read again.
  package mutating func takeNetworkInput(usesMeans: Bool) -> NodeInput {
    let input = NodeInput(
      identity: rows.directions, average: rows.means, usesAverage: usesMeans)
    if number == 0 { rows.directions = Matrix(rows: 0, columns: rows.directions.columnCount) }
    return input
  }
}
