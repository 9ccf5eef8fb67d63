internal import Communication
internal import DistributedGraphs
internal import RandomNumbers

/// A whole graph, on every rank the same.
struct SmallGraph: Sendable {
  private(set) var rowOffsets: [Int]
  private(set) var neighbors: [Int]
  private(set) var edgeWeights: [Int64]
  private(set) var nodeWeights: [Int64]

  var count: Int { nodeWeights.count }
  private var totalWeight: Int64 { nodeWeights.reduce(0, +) }

  private func edges(of node: Int) -> Range<Int> { rowOffsets[node]..<rowOffsets[node + 1] }

  /// > Collective: over `communicator`. Eight rounds: the graph, to every rank.
  init(gathering graph: WeightedGraph, on communicator: some Communicator) throws {
    let degrees = (0..<graph.ownedCount).map { graph.edges(of: $0).count }
    rowOffsets = try communicator.allGather(degrees).values.reduce(into: [0]) {
      $0.append($0[$0.count - 1] + $1)
    }
    neighbors = try communicator.allGather(graph.neighbors.map { graph.halo.global($0) }).values
      .map { Int($0.index) }
    edgeWeights = try communicator.allGather(graph.edgeWeights).values
    nodeWeights = try communicator.allGather(graph.nodeWeights).values
  }

  /// The graph of some nodes of another, in their order.
  private init(_ nodes: [Int], of whole: SmallGraph) {
    var place = Array(repeating: -1, count: whole.count)
    for (index, node) in nodes.enumerated() { place[node] = index }
    rowOffsets = [0]
    neighbors = []
    edgeWeights = []
    nodeWeights = nodes.map { whole.nodeWeights[$0] }
    for node in nodes {
      for edge in whole.edges(of: node) where place[whole.neighbors[edge]] >= 0 {
        neighbors.append(place[whole.neighbors[edge]])
        edgeWeights.append(whole.edgeWeights[edge])
      }
      rowOffsets.append(neighbors.count)
    }
  }

  /// Parts by bisecting again and again, none heavier than the limit if nodes are light enough.
  func parts(_ count: Int, limit: Int64) -> [Int] {
    guard count > 1 else { return Array(repeating: 0, count: self.count) }
    let inner = count / 2
    let total = totalWeight
    let wanted = Int64(Double(total) * Double(inner) / Double(count))
    // How much more may lie on either side, so that all of its parts can stay below the limit. Half of it is
    // left for the bisections that follow.
    let room = min(
      limit * Int64(inner) - wanted, limit * Int64(count - inner) - (total - wanted))
    let isInner = bisected(wanted: wanted, slack: max(0, count > 2 ? room / 2 : room))
    var parts = Array(repeating: 0, count: self.count)
    for (side, partCount, firstPart) in [(true, inner, 0), (false, count - inner, inner)] {
      let nodes = parts.indices.filter { isInner[$0] == side }
      let found = SmallGraph(nodes, of: self).parts(partCount, limit: limit)
      for (node, part) in zip(nodes, found) { parts[node] = firstPart + part }
    }
    return parts
  }

  /// An order in which connected nodes are near each other: always the node next that is connected most to
  /// those before it, among its part.
  func order(within parts: [Int]) -> [Int] {
    var order: [Int] = []
    var isTaken = Array(repeating: false, count: count)
    var connection = Array(repeating: Int64(0), count: count)
    let byPart = nodeWeights.indices.sorted { (parts[$0], $0) < (parts[$1], $1) }
    var queue = GainQueue(count: count)
    for start in byPart where !isTaken[start] {
      queue.set(start, 0)
      while let (node, _) = queue.pop() {
        if isTaken[node] { continue }
        isTaken[node] = true
        order.append(node)
        for edge in edges(of: node) {
          let other = neighbors[edge]
          guard !isTaken[other], parts[other] == parts[node] else { continue }
          connection[other] += edgeWeights[edge]
          queue.set(other, connection[other])
        }
      }
    }
    return order
  }

  /// The best of some bisections: whether each node is on the inner side.
  private func bisected(wanted: Int64, slack: Int64) -> [Bool] {
    guard count > 1 else { return Array(repeating: wanted * 2 >= totalWeight, count: count) }
    var best: (isInner: [Bool], offset: Int64, cut: Int64)?
    for attempt in 0..<8 {
      let seed = Int(mixed(UInt64(attempt) &* 977 &+ 1) % UInt64(count))
      var isInner = grown(from: seed, to: wanted)
      refine(&isInner, wanted: wanted, slack: slack)
      let weight = nodeWeights.indices.reduce(Int64(0)) {
        $0 + (isInner[$1] ? nodeWeights[$1] : 0)
      }
      // All that is balanced is equally balanced.
      let offset = max(abs(weight - wanted), slack)
      let cut = cut(isInner)
      if best == nil || (offset, cut) < (best!.offset, best!.cut) {
        best = (isInner, offset, cut)
      }
    }
    return best!.isInner
  }

  private func cut(_ isInner: [Bool]) -> Int64 {
    var cut: Int64 = 0
    for node in 0..<count where isInner[node] {
      for edge in edges(of: node) where !isInner[neighbors[edge]] { cut += edgeWeights[edge] }
    }
    return cut
  }

  /// Takes node after node to the inner side: always the one whose move costs least. A node that is too
  /// heavy for what is missing stays outside for good.
  private func grown(from seed: Int, to wanted: Int64) -> [Bool] {
    var isInner = Array(repeating: false, count: count)
    var isRefused = isInner
    var queue = GainQueue(count: count)
    var weight: Int64 = 0
    var next = 0
    queue.set(seed, 0)
    while weight < wanted {
      var found = queue.pop()?.node
      if found == nil {
        // Another component.
        while next < count, isInner[next] || isRefused[next] { next += 1 }
        found = next < count ? next : nil
      }
      guard let node = found else { break }
      if isInner[node] || isRefused[node] { continue }
      // The side ends nearer to what is wanted without it.
      if 2 * (wanted - weight) < nodeWeights[node] {
        isRefused[node] = true
        continue
      }
      isInner[node] = true
      weight += nodeWeights[node]
      for edge in edges(of: node) {
        let other = neighbors[edge]
        if !isInner[other], !isRefused[other] { queue.set(other, gain(of: other, isInner)) }
      }
    }
    return isInner
  }

  /// What the cut loses if a node changes sides.
  private func gain(of node: Int, _ isInner: [Bool]) -> Int64 {
    edges(of: node).reduce(0) {
      $0 + (isInner[neighbors[$1]] == isInner[node] ? -edgeWeights[$1] : edgeWeights[$1])
    }
  }

  /// Passes of moves, each of the node that gains most, also where it loses; the best moment of a
  /// pass is kept.      [Fiduccia and Mattheyses 1982]
  private func refine(_ isInner: inout [Bool], wanted: Int64, slack: Int64) {
    var inner = nodeWeights.indices.reduce(Int64(0)) { $0 + (isInner[$1] ? nodeWeights[$1] : 0) }
    for _ in 0..<8 {
      var gains = nodeWeights.indices.map { gain(of: $0, isInner) }
      var queue = GainQueue(count: count)
      let isUnbalanced = abs(inner - wanted) > slack
      for node in nodeWeights.indices {
        let isBorder = edges(of: node).contains { isInner[neighbors[$0]] != isInner[node] }
        if isBorder || isUnbalanced { queue.set(node, gains[node]) }
      }
      var isLocked = Array(repeating: false, count: count)
      var moves: [Int] = []
      var gained: Int64 = 0
      let start = max(abs(inner - wanted), slack)
      var best = (offset: start, gain: Int64(0), count: 0)
      while let (node, value) = queue.pop() {
        if isLocked[node] { continue }
        let change = isInner[node] ? -nodeWeights[node] : nodeWeights[node]
        let offset = abs(inner + change - wanted)
        guard offset <= max(slack, abs(inner - wanted)) else { continue }
        isLocked[node] = true
        inner += change
        gained += value
        isInner[node].toggle()
        moves.append(node)
        for edge in edges(of: node) {
          let other = neighbors[edge]
          if isLocked[other] { continue }
          gains[other] +=
            isInner[other] == isInner[node] ? -2 * edgeWeights[edge] : 2 * edgeWeights[edge]
          queue.set(other, gains[other])
        }
        let reached = max(offset, slack)
        if (reached, -gained) < (best.offset, -best.gain) {
          best = (reached, gained, moves.count)
        }
        if moves.count - best.count > 200 { break }
      }
      for node in moves[best.count...] {
        inner += isInner[node] ? -nodeWeights[node] : nodeWeights[node]
        isInner[node].toggle()
      }
      guard best.gain > 0 || best.offset < start else { return }
    }
  }
}
