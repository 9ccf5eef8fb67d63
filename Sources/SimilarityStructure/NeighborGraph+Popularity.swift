package import Communication
package import DistributedGraphs

extension NeighborGraph {
  /// How many edges leave every owned node: how many lists it is in. Whole numbers: above 2²⁴ the sum of rounded ones
  /// would depend on the ranks.
  ///
  /// > Collective: over `communicator`. Three rounds, 16 bytes per ghost.
  package func popularity(on communicator: some Communicator) throws -> [Int64] {
    var counts = Array(repeating: Int64(0), count: halo.localCount)
    for column in columns { counts[Int(column.index)] += 1 }
    var owned = Array(counts[..<ownedCount])
    try nodes.scatter(
      Array(counts[ownedCount...]), to: halo.ghosts, into: &owned, on: communicator
    ) { $0 += $1 }
    return owned
  }
}
