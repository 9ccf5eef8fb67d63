public import Communication

/// The ghosts of one rank, and how they are filled from their owners.
///
/// Ghosts are sorted by (owner, global index), so values from an owner are received in place.
public struct Halo: Equatable, Sendable {
  /// Owned nodes' global indices.
  public let owned: Range<Int>
  /// Local. Global index of every ghost, ascending. Shape `[ghostCount]`.
  public let ghosts: [GlobalNode]
  /// Owned. The boundary nodes: for every rank, the owned nodes that are its ghosts, in its order.
  public let boundary: Buckets<LocalNode>
  /// Local. How many ghosts each rank owns. Shape `[size]`.
  public let ghostCounts: [Int]

  public var ownedCount: Int { owned.count }
  public var ghostCount: Int { ghosts.count }
  public var localCount: Int { ownedCount + ghostCount }

  /// The global name of a local node.
  public func global(_ node: LocalNode) -> GlobalNode {
    let index = Int(node.index)
    return index < ownedCount ? GlobalNode(owned.lowerBound + index) : ghosts[index - ownedCount]
  }

  /// The same exchange between ranks that hold only some of their owned nodes' rows.
  ///
  /// - Parameter rows: The owned nodes that are kept, ascending; all boundary nodes are among them.
  /// - Returns: A halo whose owned nodes are numbered by their place in `rows`.
  /// - Complexity: O(boundary nodes · log rows), whatever the size of the graph.
  package func keeping(_ rows: [Int]) -> Halo {
    Halo(
      owned: 0..<rows.count, ghosts: ghosts,
      boundary: boundary.map { node in
        guard let place = rows.place(ofAscending: Int(node.index)) else {
          preconditionFailure("boundary node \(node.index) is not kept")
        }
        return LocalNode(place)
      }, ghostCounts: ghostCounts)
  }

  /// The halo that makes every node of `nodes` local, and those nodes' local names.
  ///
  /// > Collective: over `communicator`. Two rounds: the counts, then 8 bytes per ghost.
  ///
  /// - Complexity: O(r log r) for r references to nodes of other ranks.
  package static func localizing(
    _ nodes: [GlobalNode], in partition: NodePartition, on communicator: some Communicator
  ) throws -> (halo: Halo, local: [LocalNode]) {
    let owned = partition.owned(by: communicator.rank)
    var local = nodes.map { node in
      owned.contains(Int(node.index))
        ? LocalNode(Int(node.index) - owned.lowerBound) : LocalNode(0)
    }
    let away = nodes.indices.filter { !owned.contains(Int(nodes[$0].index)) }
      .sorted { nodes[$0] < nodes[$1] }
    var ghosts: [GlobalNode] = []
    for place in away {
      if ghosts.last != nodes[place] { ghosts.append(nodes[place]) }
      local[place] = LocalNode(owned.count + ghosts.count - 1)
    }
    let (wanted, _) = Buckets.sorting(ghosts, into: communicator.size) { partition.owner(of: $0) }
    let boundary = try communicator.allToAll(wanted)
      .map { LocalNode(Int($0.index) - owned.lowerBound) }
    let halo = Halo(
      owned: owned, ghosts: ghosts, boundary: boundary, ghostCounts: wanted.counts)
    return (halo, local)
  }
}

extension [Int] {
  /// The place of a number among ascending ones, by binary search; nil if it is not there.
  package func place(ofAscending number: Int) -> Int? {
    var (first, end) = (0, count)
    while first < end {
      let middle = (first + end) / 2
      if self[middle] < number { first = middle + 1 } else { end = middle }
    }
    return first < count && self[first] == number ? first : nil
  }
}
