public import Communication
public import DistributedGraphs
public import LinearAlgebra

/// One level of one neighbour graph, with the truth about it.
public struct TrainingGraph: Sendable {
  /// Replicated. k: places in a list, including the node itself.
  public let neighborCount: Int
  /// Replicated. 0 is the input.
  public let level: Int
  /// Local.
  public let graph: NeighborGraph
  /// Owned. f, unit rows. Shape `[ownedCount × D]`.
  public let identity: Matrix
  /// Owned. g; nil if it equals f or the network does not use it. Shape `[ownedCount × D]`.
  public let average: Matrix?
  /// Owned.
  public let truth: LinkageTruth

  public init(
    neighborCount: Int, level: Int, graph: NeighborGraph, identity: Matrix, average: Matrix?,
    truth: LinkageTruth
  ) {
    self.neighborCount = neighborCount
    self.level = level
    self.graph = graph
    self.identity = identity
    self.average = average
    self.truth = truth
  }
}

/// The truth about the edges and nodes of a graph with known labels.
public struct LinkageTruth: Equatable, Sendable {
  /// Owned. d* of every node. Shape `[ownedCount]`.
  ///
  ///     d*ᵢ = 1/(k−1) · Σⱼ ±aᵢⱼ over the list, + for the same label, − for another
  public var density: [Float]
  /// Owned. y: whether both ends have the same label. Shape `[edgeCount]`.
  public var isSame: [Bool]
  /// Owned. Whether d*ⱼ > d*ᵢ. Clustering could keep only such edges, so only these teach linkage.
  /// Shape `[edgeCount]`.
  public var isKeepable: [Bool]

  public init(density: [Float], isSame: [Bool], isKeepable: [Bool]) {
    self.density = density
    self.isSame = isSame
    self.isKeepable = isKeepable
  }

  /// > Collective: over `communicator`. Two rounds, 12 bytes per ghost.
  ///
  /// - Parameters:
  ///   - labels: Owned. Shape `[ownedCount]`.
  ///   - neighborCount: k; shorter lists count as if filled with edges of affinity 0.
  public init(
    of labels: [Int64], over graph: NeighborGraph, neighborCount: Int,
    on communicator: some Communicator
  ) throws {
    let local = try graph.halo.extend(labels, on: communicator)
    isSame = []
    isSame.reserveCapacity(graph.edgeCount)
    density = []
    density.reserveCapacity(graph.ownedCount)
    for node in 0..<graph.ownedCount {
      var sum = 0.0
      for edge in graph.edges(into: node) {
        let same = local[Int(graph.columns[edge].index)] == labels[node]
        isSame.append(same)
        sum += same ? Double(graph.affinities[edge]) : -Double(graph.affinities[edge])
      }
      density.append(Float(sum / Double(max(neighborCount - 1, 1))))
    }
    let densities = try graph.halo.extend(density, on: communicator)
    isKeepable = []
    isKeepable.reserveCapacity(graph.edgeCount)
    for node in 0..<graph.ownedCount {
      for edge in graph.edges(into: node) {
        isKeepable.append(densities[Int(graph.columns[edge].index)] > density[node])
      }
    }
  }
}

/// A k, and how many levels to make with it.
public struct TrainingChain: Hashable, Sendable, Codable {
  public let neighborCount: Int
  public let levelCount: Int

  public init(neighborCount: Int, levelCount: Int) {
    self.neighborCount = neighborCount
    self.levelCount = levelCount
  }

  /// The authors': k = 10, 5, 3 with 2, 3 and 4 levels.
  public static let authors = [
    TrainingChain(neighborCount: 10, levelCount: 2), TrainingChain(neighborCount: 5, levelCount: 3),
    TrainingChain(neighborCount: 3, levelCount: 4),
  ]
}
