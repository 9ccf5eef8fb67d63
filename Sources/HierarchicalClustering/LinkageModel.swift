public import Communication
public import Datasets
public import DistributedGraphs
public import GraphNetworks
public import Parallelism
package import SimilarityStructure

/// A trained network of either input family.
public enum LinkageModel: Sendable {
  /// The paper's network, which sees the rows of the embedding.
  case coordinates(Lander)
  /// A network that sees the structure of similarities, for embeddings of any kind and dimension.
  case structure(StructureNetwork)
}

extension LinkageModel {
  /// Reads a network of whichever family the file says.
  ///
  /// - Parameter dimensions: D of the embeddings to cluster.
  /// - Throws: ``ModelError``.
  public init(_ file: TensorFile, dimensions: Int) throws {
    switch try ModelInput(file) {
    case .coordinates: self = .coordinates(try Lander(file, dimensions: dimensions))
    case .structure: self = .structure(try StructureNetwork(file))
    }
  }

  /// How it was trained, if its file says so.
  public var settings: StructureNetwork.Settings? {
    switch self {
    case .coordinates: nil
    case .structure(let network): network.settings
    }
  }

  /// The dimension of the embeddings it works with; nil for any.
  public var dimensions: Int? {
    switch self {
    case .coordinates(let network): network.dimensions
    case .structure: nil
    }
  }
}

extension LinkageModel: LinkageJudge {
  public var means: NodeMeans {
    switch self {
    case .coordinates(let network): network.usesAverageFeature ? .ofInputRows : .peaksOnly
    case .structure: .ofDirections
    }
  }

  public var mergesCopies: Bool {
    switch self {
    case .coordinates: false
    case .structure: true
    }
  }

  public var mergesFewNodes: Bool { settings?.mergesFewNodes ?? false }

  public var fewestPoints: Int { settings?.fewestPoints ?? 1 }

  public func listLength(neighborCount: Int) -> Int {
    switch self {
    case .coordinates: neighborCount - 1
    case .structure(let network): network.settings.contextLength
    }
  }

  public func linkage(
    _ lists: consuming NeighborLists, over graph: NeighborGraph, of level: inout Level,
    using workers: Workers, on communicator: some Communicator
  ) throws -> Linkage {
    try linkage(
      consume lists, over: graph, intoFirst: nil, of: &level, using: workers, on: communicator)
  }

  /// The same, of all edges or at least of those into some of the nodes.
  ///
  /// - Parameter targetCount: Owned. So many of the first nodes: densities of others say nothing, and edges into them may be
  ///   taken to be apart. Nil for all.
  func linkage(
    _ lists: consuming NeighborLists, over graph: NeighborGraph, intoFirst targetCount: Int?,
    of level: inout Level, using workers: Workers, on communicator: some Communicator
  ) throws -> Linkage {
    switch self {
    case .coordinates(let network):
      try network.linkage(
        of: level.takeNetworkInput(usesMeans: network.usesAverageFeature), over: graph,
        using: workers, on: communicator)
    case .structure(let network):
      try network.linkage(
        of: level.structureFeatures(
          consume lists, graph, nearLength: network.settings.nearLength, using: workers,
          on: communicator), intoFirst: targetCount,
        using: workers, on: communicator)
    }
  }
}

extension Level {
  /// The features that networks of structure see; at level 0 the evidence begins with them.
  ///
  /// > Collective: over `communicator`, as ``StructureFeatures`` is.
  package mutating func structureFeatures(
    _ lists: consuming NeighborLists, _ graph: NeighborGraph, nearLength: Int,
    using workers: Workers, on communicator: some Communicator
  ) throws -> StructureFeatures {
    let scales = try evidence?.scales ?? measuredScales(using: workers, on: communicator)
    // The lists are the largest of all; the evidence follows when they are gone.
    let lists = try ListFeatures(
      consume lists, over: graph, nearLength: nearLength, scales: scales, using: workers,
      on: communicator)
    let evidence =
      evidence
      ?? Evidence(scales: scales, pointEdges: PointEdges(graph))
    self.evidence = evidence
    return try StructureFeatures(
      lists, graph: graph,
      of: StructureLevel(
        level: number, memberCounts: memberCounts, meanLengths: rows.meanLengths,
        pointEdges: evidence.pointEdges, scales: scales),
      using: workers, on: communicator)
  }

  /// The scale of all similarities of this level, or of those of each group.
  ///
  /// > Collective: over `communicator`. Two rounds of `16 · columns` bytes per rank to every rank; where there are groups,
  /// > for each that is divided.
  private func measuredScales(
    using workers: Workers, on communicator: some Communicator
  ) throws -> ClosenessScales {
    guard let groups else {
      return .ofAll(
        try ClosenessScale(measuring: rows.directions, using: workers, on: communicator))
    }
    let divided = try groups.ranges.prefix(groups.dividedCount).map {
      try ClosenessScale(measuring: rows.directions, in: $0, using: workers, on: communicator)
    }
    let whole = Array(groups.ranges.dropFirst(groups.dividedCount))
    return .ofNodes(
      groups.ofNodes(
        divided + ClosenessScale.measuring(rows.directions, in: whole, using: workers)))
  }
}
