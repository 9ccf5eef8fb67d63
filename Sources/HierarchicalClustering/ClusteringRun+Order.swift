package import Communication
package import DistributedGraphs
internal import LinearAlgebra

extension ClusteringRun {
  /// Gives the nodes of level 0 another order and other owners. No label changes: ties break by input
  /// point, and sums are of integers or in the order of neighbour lists.
  ///
  /// > Collective: over `communicator`. Every node's row travels to its new owner, with some words.
  ///
  /// - Parameters:
  ///   - place: Owned. The new index of every node: all of `0 ..< nodeCount`, each once.
  ///   - nodes: Replicated. Which rank owns which of the new indices.
  /// - Precondition: Level 0, which has its rows and has not been judged.
  package mutating func reorder(
    to place: [GlobalNode], in nodes: NodePartition, on communicator: some Communicator
  ) throws {
    precondition(
      level.number == 0 && !level.rows.areGone && level.evidence == nil
        && nodes.nodeCount == level.nodes.nodeCount, "level \(level.number) is not to be reordered")
    nodeOfPoint = try level.nodes.fetch(place, at: nodeOfPoint, on: communicator)
    let owned = level.nodes.owned(by: communicator.rank)
    let isMoved = try communicator.any(place != owned.map { GlobalNode($0) })
    let rows = level.rows.directions
    let width = rows.words.columnCount
    let inputPoint = try nodes.arrange(level.inputPoint, at: place, on: communicator)
    level = Level(
      number: 0, nodes: nodes,
      rows: .peaks(
        StoredRows(
          words: Matrix(
            rows: inputPoint.count, columns: width,
            elements: try nodes.arrange(
              rows.words.elements, width: width, at: place, on: communicator)), like: rows)),
      memberCounts: try nodes.arrange(level.memberCounts, at: place, on: communicator),
      inputPoint: inputPoint, isInInputOrder: level.isInInputOrder && !isMoved)
  }
}

extension NeighborLists {
  /// The same lists at the owners of other nodes.
  ///
  /// > Collective: over `communicator`. A list and 16 bytes per node.
  ///
  /// - Parameter place: Owned. The node that each list is of from now on: all of `nodes`, each once.
  func moved(
    to place: [GlobalNode], in nodes: NodePartition, on communicator: some Communicator
  ) throws -> NeighborLists {
    NeighborLists(
      listLength: listLength,
      neighbors: try nodes.arrange(neighbors, width: listLength, at: place, on: communicator),
      similarities: try nodes.arrange(similarities, width: listLength, at: place, on: communicator))
  }

  /// The same lists with other names for the neighbours, in the same order.
  ///
  /// > Collective: over `communicator`. A fetch of 8 bytes per place.
  ///
  /// - Parameter names: Owned. The new name of everything that a list may hold.
  func renamed(
    by names: [GlobalNode], of nodes: NodePartition, on communicator: some Communicator
  ) throws -> NeighborLists {
    let held = neighbors.indices.filter { neighbors[$0] != Self.none }
    let found = try nodes.fetch(names, at: held.map { neighbors[$0] }, on: communicator)
    var renamed = neighbors
    for (place, name) in zip(held, found) { renamed[place] = name }
    return NeighborLists(
      listLength: listLength, neighbors: renamed, similarities: similarities)
  }
}
