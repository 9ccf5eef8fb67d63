internal import Communication
internal import DistributedGraphs

extension WeightedGraph {
  /// Takes nodes out of parts that are too heavy, those first that lose least.
  ///
  /// A node goes to the part it is connected to most that has room, or to the lightest one. Where all nodes
  /// weigh 1, no part is too heavy afterwards.
  ///
  /// > Collective: over `communicator`. Two rounds of 8 bytes per part and rank; if a part is too heavy, six
  /// > more: 16 bytes per ghost and 32 per node of such a part, and the nodes that leave to every rank.
  func balance(
    _ parts: inout [GlobalNode], _ count: Int, upTo limit: Int64,
    on communicator: some Communicator
  ) throws {
    var weights = try weights(ofParts: parts, count: count, on: communicator)
    guard weights.contains(where: { $0 > limit }) else { return }
    let first = nodes.owned(by: communicator.rank).lowerBound
    let names = NodePartition(sharing: count, among: communicator.size)
    let local = try halo.extend(
      parts.map { WeighedLabel(label: $0, weight: weights[Int($0.index)]) }, on: communicator)
    var connections = Connections()
    var candidates: [Leaving] = []
    for node in 0..<ownedCount where weights[Int(parts[node].index)] > limit {
      connections.count(edges(of: node), of: self, local)
      let best = connections.strongest {
        $0.label != parts[node] && $0.labelWeight + nodeWeights[node] <= limit
      }
      candidates.append(
        Leaving(
          node: GlobalNode(first + node), part: parts[node], target: best?.label ?? parts[node],
          weight: nodeWeights[node],
          loss: connections.weight(to: parts[node]) - (best?.weight ?? 0)))
    }

    let arrived = try communicator.allToAll(
      Buckets.sorting(candidates, into: communicator.size) { names.owner(of: $0.part) }.buckets
    ).values
    var excess = weights.map { $0 - limit }
    var chosen: [Leaving] = []
    for candidate in arrived.sorted(by: { $0.precedes($1) }) {
      guard excess[Int(candidate.part.index)] > 0 else { continue }
      excess[Int(candidate.part.index)] -= candidate.weight
      chosen.append(candidate)
    }
    // From here on every rank does the same.
    for leaving in try communicator.allGather(chosen).values.sorted(by: { $0.precedes($1) }) {
      var target = Int(leaving.target.index)
      if leaving.target == leaving.part || weights[target] + leaving.weight > limit {
        target = weights.indices.min { (weights[$0], $0) < (weights[$1], $1) }!
      }
      guard weights[target] + leaving.weight <= limit else { continue }
      weights[Int(leaving.part.index)] -= leaving.weight
      weights[target] += leaving.weight
      let node = Int(leaving.node.index) - first
      if parts.indices.contains(node) { parts[node] = GlobalNode(target) }
    }
  }
}

/// A node that may leave its part.
private struct Leaving: Message {
  var node: GlobalNode
  var part: GlobalNode
  /// The part that it would like to go to; its own if there is none.
  var target: GlobalNode
  var weight: Int64
  /// By how much the cut grows.
  var loss: Int64

  func precedes(_ other: Leaving) -> Bool { (loss, node) < (other.loss, other.node) }
}
