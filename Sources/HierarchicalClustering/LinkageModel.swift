public import Communication
public import Datasets
public import DistributedGraphs
public import GraphNetworks
package import SimilarityStructure

/// A trained network, of either family of inputs.
public enum LinkageModel: Sendable {
  /// The paper's: it sees the rows of the embedding.
  case coordinates(Lander)
  /// It sees the structure of similarities; embeddings of any kind and dimension will do.
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

  /// What the levels of a hierarchy have to carry for it.
  var averages: Averages {
    switch self {
    case .coordinates(let network): network.usesAverageFeature ? .ofInputRows : .nothing
    case .structure: .ofDirections
    }
  }

  /// How it was trained, where that follows it in its file.
  public var settings: StructureNetwork.Settings? {
    switch self {
    case .coordinates: nil
    case .structure(let network): network.settings
    }
  }

  /// Places of the neighbour lists that it wants, the node itself not counted.
  public func listLength(_ options: ClusteringOptions) -> Int {
    switch self {
    case .coordinates: options.listLength
    case .structure(let network): network.settings.contextLength
    }
  }

  /// The dimension of the embeddings that it is for; nil for any.
  var dimensions: Int? {
    switch self {
    case .coordinates(let network): network.dimensions
    case .structure: nil
    }
  }
}

extension LinkageModel {
  /// That what is to be clustered fits: the caller's mistakes.
  ///
  /// > Collective: over `communicator`, where ``AssertionLevel`` asks for it.
  func check(
    _ source: some EmbeddingSource, _ options: ClusteringOptions,
    _ initialNeighbors: NeighborLists?, on communicator: some Communicator
  ) throws {
    precondition(
      initialNeighbors.map { $0.listLength == listLength(options) } ?? true,
      "initial lists of another length than \(listLength(options))")
    if case .structure(let network) = self {
      precondition(
        network.settings.neighborCount == options.neighborCount,
        "k = \(options.neighborCount) for a network of k = \(network.settings.neighborCount)")
    }
    precondition(
      dimensions.map { $0 == source.dimensions } ?? true || source.rowCount == 0,
      "\(source.dimensions) dimensions for a model of \(dimensions ?? 0)")
    try communicator.assertReplicated(
      (
        rowCount: source.rowCount, dimensions: source.dimensions,
        neighborCount: options.neighborCount, threshold: options.threshold,
        laterThreshold: options.laterThreshold, maximumLevels: options.maximumLevels,
        stopsEarly: options.stopsEarly, invalidRows: options.invalidRows,
        hasNeighbors: initialNeighbors != nil
      ))
  }
}

extension Hierarchy {
  /// Level 0 as a model wants it: for a network of structure one node for all points with the same
  /// direction, unless the user brings neighbours of the points as they are.
  ///
  /// > Collective: over `communicator`, as reading and ``mergeDuplicates(on:)``.
  init(
    _ source: Source, for model: LinkageModel, options: ClusteringOptions, hasNeighbors: Bool,
    measuredBy clock: PhaseClock<some Any, some Any>, on communicator: some Communicator
  ) throws {
    self = try clock.measure(.read) { _ in
      try Hierarchy(source, options: options, averages: model.averages, on: communicator)
    }
    if case .structure = model, !hasNeighbors {
      try clock.measure(.coarsen) { _ in try mergeDuplicates(on: communicator) }
    }
  }
}

/// What a network of structure needs of former levels. Replicated: whether it is there at all.
package struct StructureState: Sendable {
  /// Replicated. Measured at level 0.
  package let scale: ClosenessScale
  /// Owned. Of the level at hand.
  package var pointEdges: PointEdges
}

extension Hierarchy {
  /// The features of the level at hand; at level 0 the state begins with it.
  ///
  /// > Collective: over `communicator`, as ``StructureFeatures`` is.
  package func structureFeatures(
    _ lists: NeighborLists, _ graph: NeighborGraph, _ state: inout StructureState?,
    settings: StructureNetwork.Settings, on communicator: some Communicator
  ) throws -> StructureFeatures {
    if state == nil {
      state = StructureState(
        scale: try ClosenessScale(measuring: directions, on: communicator),
        pointEdges: try PointEdges(graph, on: communicator))
    }
    return try StructureFeatures(
      lists, graph: graph,
      of: StructureLevel(
        level: level, memberCounts: memberCounts, meanLengths: meanLengths,
        pointEdges: state!.pointEdges, scale: state!.scale),
      nearLength: settings.nearLength, using: workers, on: communicator)
  }

  /// Merges the nodes of the level at hand by a linkage, and the edges between members with them.
  ///
  /// > Collective: over `communicator`, as the steps of a level of
  /// > ``cluster(_:with:options:initialNeighbors:observer:on:)``.
  ///
  /// - Returns: How many nodes merged into others, on all ranks.
  package mutating func merge(
    by linkage: Linkage, above threshold: Double, over graph: NeighborGraph,
    _ state: inout StructureState?, on communicator: some Communicator
  ) throws -> Int {
    let parents = try bestDenserNeighbor(
      linkage, above: threshold, in: graph, on: communicator)
    var roots = parents.parent
    try compressPaths(&roots, in: nodes, on: communicator)
    try contract(to: roots, isLast: false, &state, on: communicator)
    return try communicator.sum(parents.mergedCount)
  }

  /// The roots become the nodes of the next level, and the edges between members theirs.
  ///
  /// > Collective: over `communicator`, as ``contract(to:isLast:on:)``; then what the edges of level 0 between
  /// > nodes send, where a network of structure wants them.
  ///
  /// - Parameter isLast: Replicated. Whether the features of the next level are not wanted.
  mutating func contract(
    to roots: [GlobalNode], isLast: Bool, _ state: inout StructureState?,
    on communicator: some Communicator
  ) throws {
    let fine = nodes
    let coarse = try contract(to: roots, isLast: isLast, on: communicator)
    guard !isLast, let edges = state?.pointEdges else { return }
    state?.pointEdges = try edges.merged(into: coarse, from: fine, to: nodes, on: communicator)
  }
}

/// Clusters embeddings with a network of coordinates: ``cluster(_:with:options:initialNeighbors:observer:on:)``.
///
/// > Collective: over `communicator`, as that.
public func cluster(
  _ source: some EmbeddingSource, with network: Lander, options: ClusteringOptions,
  initialNeighbors: NeighborLists? = nil, observer: some ClusteringObserver = NoObserver(),
  on communicator: some Communicator
) throws -> Clustering {
  try cluster(
    source, with: .coordinates(network), options: options, initialNeighbors: initialNeighbors,
    observer: observer, on: communicator)
}
