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
    let inputPoint = try nodes.arrange(level.inputPoint, at: place, on: communicator)
    let rows = try level.takeDirections().moved(
      0..<owned.count, to: place, in: nodes, on: communicator)
    level = Level(
      number: 0, nodes: nodes, rows: .peaks(rows),
      memberCounts: try nodes.arrange(level.memberCounts, at: place, on: communicator),
      inputPoint: inputPoint, isInInputOrder: level.isInInputOrder && !isMoved)
  }
}

/// Rows are moved in that many slabs, so that the memory for what travels is small.
let movedSlabCount = 16

/// The slab of a number of rows.
private func slab(_ slab: Int, of count: Int) -> Range<Int> {
  count * slab / movedSlabCount..<count * (slab + 1) / movedSlabCount
}

extension Level {
  /// Hands over the only reference to the rows, so that their memory can be freed as they leave.
  mutating func takeDirections() -> StoredRows {
    let directions = rows.directions
    rows = .none
    return directions
  }
}

extension StoredRows {
  /// Some of these rows at their new owners, as they are stored. What has left is freed.
  ///
  /// > Collective: over `communicator`. 48 rounds, a row and 8 bytes per node.
  ///
  /// - Parameters:
  ///   - chosen: Owned. Ascending; indices from 0.
  ///   - place: Owned. The node of each, all of `nodes`, each once.
  consuming func moved<Chosen: RandomAccessCollection<Int>>(
    _ chosen: Chosen, to place: [GlobalNode], in nodes: NodePartition,
    on communicator: some Communicator
  ) throws -> StoredRows where Chosen.Index == Int {
    let owned = nodes.owned(by: communicator.rank)
    let empty = StoredRows(words: Matrix(rows: 0, columns: words.columnCount), like: copy self)
    var old = (consume self).takeWords()
    var moved = Matrix(rows: owned.count, columns: old.columnCount)
    var left = 0
    for number in 0..<movedSlabCount {
      let places = slab(number, of: chosen.count)
      let arrived = try nodes.deliver(
        old.copy(ofRows: Array(chosen[places])).elements, width: old.columnCount,
        to: Array(place[places]), on: communicator)
      moved.replaceRows(
        arrived.nodes.map { Int($0.index) - owned.lowerBound }, by: arrived.rows)
      guard let last = chosen[places].last else { continue }
      old.discard(rows: left..<last + 1)
      left = last + 1
    }
    return StoredRows(words: moved, like: empty)
  }
}

extension NeighborLists {
  /// The same lists at the owners of other nodes.
  ///
  /// > Collective: over `communicator`. 96 rounds, a list and 16 bytes per node; and if the neighbours get other
  /// > names, two rounds of 8 bytes per node to every rank where ranks are fewer than places of a list, or 48
  /// > rounds of 16 bytes per place.
  ///
  /// - Parameters:
  ///   - place: Owned. The node that each list is of from now on: all of `nodes`, each once.
  ///   - old: Which rank owned which nodes, if neighbours move like the nodes and are to be named by
  ///     their new indices.
  func moved(
    to place: [GlobalNode], in nodes: NodePartition, renamingFrom old: NodePartition? = nil,
    on communicator: some Communicator
  ) throws -> NeighborLists {
    guard listLength > 0 else { return self }
    // The whole table is smaller than the lists then.
    let table =
      old != nil && communicator.size <= listLength ? try communicator.allGather(place).values : nil
    let owned = nodes.owned(by: communicator.rank)
    var movedNeighbors = Array(repeating: Self.none, count: owned.count * listLength)
    var movedSimilarities = Array(repeating: Float(0), count: owned.count * listLength)
    for number in 0..<movedSlabCount {
      let lists = slab(number, of: count)
      let places = lists.lowerBound * listLength..<lists.upperBound * listLength
      var names = Array(neighbors[places])
      if let table {
        for index in names.indices where names[index] != Self.none {
          names[index] = table[Int(names[index].index)]
        }
      } else if let old {
        let held = names.indices.filter { names[$0] != Self.none }
        let found = try old.fetch(place, at: held.map { names[$0] }, on: communicator)
        for (index, name) in zip(held, found) { names[index] = name }
      }
      let targets = Array(place[lists])
      let arrived = try nodes.deliver(names, width: listLength, to: targets, on: communicator)
      let similar = try nodes.deliver(
        Array(similarities[places]), width: listLength, to: targets, on: communicator)
      for (row, node) in arrived.nodes.enumerated() {
        let start = (Int(node.index) - owned.lowerBound) * listLength
        for column in 0..<listLength {
          movedNeighbors[start + column] = arrived.rows[row * listLength + column]
          movedSimilarities[start + column] = similar.rows[row * listLength + column]
        }
      }
    }
    return NeighborLists(
      listLength: listLength, neighbors: movedNeighbors, similarities: movedSimilarities)
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
