internal import Communication
package import DistributedGraphs
package import GraphNetworks
internal import SimilarityStructure

/// The edges of a level, and what a network says about them.
package struct JudgedEdges: Sendable {
  /// Owned. The lists that the edges were made of; nil where nobody wants them any more.
  package let neighbors: NeighborLists?
  package let graph: NeighborGraph
  /// Owned. Of the edges of `graph`.
  package let linkage: Linkage
}

extension Hierarchy {
  /// Searches the neighbours of the level at hand, and has a network judge the edges to them.
  ///
  /// With a network of coordinates, level 0 gives its rows away: ``takeNetworkInput()``.
  ///
  /// > Collective: over `communicator`. What ``neighborLists(initial:length:on:progress:)`` and the
  /// > network send.
  ///
  /// - Parameters:
  ///   - initialNeighbors: Owned. The lists of level 0, where the user brings them.
  ///   - structure: Of networks of structure; begins at level 0.
  mutating func judgedEdges(
    by model: LinkageModel, initialNeighbors: NeighborLists? = nil, keepingLists: Bool,
    _ structure: inout StructureState?, measuredBy clock: PhaseClock<some Any, some Any>,
    on communicator: some Communicator
  ) throws -> JudgedEdges {
    let lists = try clock.measure(.neighbors) { progress in
      try neighborLists(
        initial: initialNeighbors, length: model.listLength(options), on: communicator,
        progress: progress)
    }
    let neighbors = lists.prefix(options.listLength)
    let graph = try clock.measure(.graph) { _ in
      try NeighborGraph(neighbors, in: nodes, on: communicator)
    }
    let linkage = try clock.measure(.network) { _ in
      switch model {
      case .coordinates(let network):
        try network.linkage(
          of: takeNetworkInput(), over: graph, using: workers, on: communicator)
      case .structure(let network):
        try network.linkage(
          of: structureFeatures(
            lists, graph, &structure, settings: network.settings, on: communicator),
          using: workers, on: communicator)
      }
    }
    return JudgedEdges(neighbors: keepingLists ? neighbors : nil, graph: graph, linkage: linkage)
  }
}
