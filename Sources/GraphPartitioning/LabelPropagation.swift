internal import Communication
internal import DistributedGraphs
internal import RandomNumbers

extension WeightedGraph {
  /// Moves nodes to the labels that they are connected to most, as long as no label gets too heavy.
  ///
  /// Every step looks at half of the nodes, chosen by a hash of their names, so that two neighbours
  /// seldom change places. Each asks for the label it has the most edges to, of those that have room for
  /// it; of equal ones the lower. Labels take the nodes that gain most first, ties to the lower node, until
  /// they are full. All numbers are integers: the answer does not depend on how nodes are spread
  /// over ranks.      [Raghavan et al. 2007; with sizes bounded, Meyerhenke et al. 2014]
  ///
  /// > Collective: over `communicator`. 15 calls per round of two steps, 13 if labels are parts. In a step 16
  /// > bytes per ghost and 24 per node whose label is another rank's, or for parts 4 per ghost and 8 per
  /// > part and rank; and 33 bytes per node that asks another rank.
  ///
  /// - Parameters:
  ///   - labels: Owned. The label of every node.
  ///   - kind: Replicated. What the labels are.
  ///   - limit: Replicated. What the nodes of a label may weigh together.
  ///   - rounds: Replicated. At most; it ends when hardly any node moves.
  ///   - afterStep: Called with the number of nodes of the graph.
  func propagate(
    _ labels: inout [GlobalNode], _ kind: LabelKind, upTo limit: Int64, rounds: Int,
    on communicator: some Communicator, afterStep: (Int) throws -> Void = { _ in }
  ) throws {
    let first = nodes.owned(by: communicator.rank).lowerBound
    let names = kind.names(in: nodes, among: communicator.size)
    let firstName = names.owned(by: communicator.rank).lowerBound
    var connections = Connections()
    for round in 0..<rounds {
      var moved = 0
      for half in 0..<2 {
        var (local, ofLabels) = try labelsInSight(labels, kind, on: communicator)

        var wishes: [Wish] = []
        for node in 0..<ownedCount {
          let name = UInt64(first + node)
          guard mixed(name ^ UInt64(round + 1) << 40) & 1 == half else { continue }
          let own = labels[node]
          connections.count(edges(of: node), of: self, local)
          let stays = connections.weight(to: own)
          guard
            let best = connections.strongest(where: {
              $0.label != own && $0.labelWeight + nodeWeights[node] <= limit
            }), best.weight > stays
          else { continue }
          wishes.append(
            Wish(
              node: GlobalNode(name), label: best.label, weight: nodeWeights[node],
              gain: best.weight - stays))
        }

        let isGranted = try communicator.answers(
          to: wishes, at: wishes.map { names.owner(of: $0.label) }
        ) { asked in
          var answers = Array(repeating: false, count: asked.count)
          let order = asked.indices.sorted { asked[$0].precedes(asked[$1]) }
          for place in order {
            let label = Int(asked[place].label.index) - firstName
            guard ofLabels[label] + asked[place].weight <= limit else { continue }
            ofLabels[label] += asked[place].weight
            answers[place] = true
          }
          return answers
        }
        for (wish, isGranted) in zip(wishes, isGranted) where isGranted {
          labels[Int(wish.node.index) - first] = wish.label
          moved += 1
        }
        try afterStep(nodes.nodeCount)
      }
      if try communicator.sum(moved) * 200 < nodes.nodeCount { break }
    }
  }

  /// What labels name.
  enum LabelKind {
    /// Nodes of the graph.
    case nodes
    /// One of a few parts.
    case parts(Int)

    /// Which rank is responsible for which labels.
    func names(in nodes: NodePartition, among size: Int) -> NodePartition {
      switch self {
      case .nodes: nodes
      case .parts(let count): NodePartition(sharing: count, among: size)
      }
    }
  }

  /// The labels of all local nodes, and what the nodes of a label weigh together.
  ///
  /// > Collective: over `communicator`. Four rounds, 16 bytes per ghost and 24 per node whose label is another
  /// > rank's; for parts three rounds, 4 bytes per ghost, and 8 per part and rank.
  ///
  /// - Returns: Local: the label of every node, with its weight. And the weight of every label that this rank
  ///   is responsible for.
  private func labelsInSight(
    _ labels: [GlobalNode], _ kind: LabelKind, on communicator: some Communicator
  ) throws -> (local: [WeighedLabel], ofLabels: [Int64]) {
    switch kind {
    case .parts(let count):
      let weights = try weights(ofParts: labels, count: count, on: communicator)
      let names = kind.names(in: nodes, among: communicator.size)
      let local = try halo.extend(labels.map { Int32($0.index) }, on: communicator).map {
        WeighedLabel(label: GlobalNode($0), weight: weights[Int($0)])
      }
      return (local, Array(weights[names.owned(by: communicator.rank)]))
    case .nodes:
      let (ofNodes, ofLabels) = try weights(ofLabels: labels, on: communicator)
      let local = try halo.extend(
        zip(labels, ofNodes).map { WeighedLabel(label: $0, weight: $1) }, on: communicator)
      return (local, ofLabels)
    }
  }

  /// What the nodes of a label weigh together; labels are names of nodes.
  ///
  /// > Collective: over `communicator`. Three rounds, 24 bytes per node whose label is another rank's.
  ///
  /// - Returns: For the label of every owned node, and for every owned label.
  private func weights(
    ofLabels labels: [GlobalNode], on communicator: some Communicator
  ) throws -> (ofNodes: [Int64], ofLabels: [Int64]) {
    let first = nodes.owned(by: communicator.rank).lowerBound
    var ofLabels = Array(repeating: Int64(0), count: ownedCount)
    let ofNodes = try communicator.answers(
      to: zip(labels, nodeWeights).map { WeighedLabel(label: $0, weight: $1) },
      at: labels.map { nodes.owner(of: $0) }
    ) { asked in
      for share in asked { ofLabels[Int(share.label.index) - first] += share.weight }
      return asked.map { ofLabels[Int($0.label.index) - first] }
    }
    return (ofNodes, ofLabels)
  }

  /// Replicated. What every part weighs.
  ///
  /// > Collective: over `communicator`. Two rounds of 8 bytes per part and rank.
  func weights(
    ofParts parts: [GlobalNode], count: Int, on communicator: some Communicator
  ) throws -> [Int64] {
    var owned = Array(repeating: Int64(0), count: count)
    for (part, weight) in zip(parts, nodeWeights) { owned[Int(part.index)] += weight }
    return try communicator.integerSums(owned)
  }

  /// Groups nodes that nobody joined and that joined nobody: those which would most like to join the same
  /// label, which is full, and those without any edge. Stars and lonely nodes become few this way.
  ///
  /// > Collective: over `communicator`. Ten rounds, of 16 bytes per ghost and 32 per node that is
  /// > grouped; nothing but the weights of labels if no more than half of the nodes are alone.
  func groupLeftovers(
    _ labels: inout [GlobalNode], upTo limit: Int64, on communicator: some Communicator
  ) throws {
    let first = nodes.owned(by: communicator.rank).lowerBound
    let (weights, _) = try weights(ofLabels: labels, on: communicator)
    let alone = (0..<ownedCount).filter {
      labels[$0] == GlobalNode(first + $0) && weights[$0] == nodeWeights[$0]
    }
    guard try communicator.sum(alone.count) * 2 > nodes.nodeCount else { return }
    let local = try halo.extend(
      zip(labels, weights).map { WeighedLabel(label: $0, weight: $1) }, on: communicator)
    let lonely = alone.filter { edges(of: $0).isEmpty }
    var weightBefore = Int64(
      try communicator.exclusivePrefixSum(lonely.reduce(0) { $0 + Int(nodeWeights[$1]) }))
    var connections = Connections()
    var questions: [Leftover] = []
    for node in alone {
      let name = GlobalNode(first + node)
      if edges(of: node).isEmpty {
        // Consecutive ones meet; their group is below the number of nodes, each of which weighs 1 or more.
        questions.append(
          Leftover(
            place: GlobalNode(weightBefore / limit % Int64(nodes.nodeCount)), hasEdges: false,
            node: name, weight: nodeWeights[node]))
        weightBefore += nodeWeights[node]
      } else {
        connections.count(edges(of: node), of: self, local)
        let best = connections.strongest { $0.label != name }
        questions.append(
          Leftover(
            place: best?.label ?? name, hasEdges: true, node: name, weight: nodeWeights[node]))
      }
    }
    let groups = try communicator.answers(
      to: questions, at: questions.map { nodes.owner(of: $0.place) }
    ) { asked in
      var groups = asked.map(\.node)
      var before: Leftover?
      var (group, weight) = (GlobalNode(-1), Int64(0))
      for place in asked.indices.sorted(by: { asked[$0].precedes(asked[$1]) }) {
        let leftover = asked[place]
        if before?.place != leftover.place || before?.hasEdges != leftover.hasEdges
          || weight + leftover.weight > limit
        {
          (group, weight) = (leftover.node, 0)
        }
        weight += leftover.weight
        groups[place] = group
        before = leftover
      }
      return groups
    }
    for (question, group) in zip(questions, groups) {
      labels[Int(question.node.index) - first] = group
    }
  }
}

/// A label and what its nodes weigh together, or what one of them adds to it.
struct WeighedLabel: Message {
  var label: GlobalNode
  var weight: Int64
}

/// What a node asks a label for.
private struct Wish: Message {
  var node: GlobalNode
  var label: GlobalNode
  var weight: Int64
  var gain: Int64

  func precedes(_ other: Wish) -> Bool {
    (label, -gain, node) < (other.label, -other.gain, other.node)
  }
}

/// A node that is alone with its label.
private struct Leftover: Message {
  /// Where it looks for others.
  var place: GlobalNode
  var hasEdges: Bool
  var node: GlobalNode
  var weight: Int64

  func precedes(_ other: Leftover) -> Bool {
    (place, hasEdges ? 1 : 0, node) < (other.place, other.hasEdges ? 1 : 0, other.node)
  }
}

/// How strongly a node is connected to each label among its neighbours.
struct Connections {
  struct Entry {
    var label: GlobalNode
    /// Of the edges to the label.
    var weight: Int64
    /// Of the label's nodes.
    var labelWeight: Int64
  }

  private(set) var entries: [Entry] = []

  /// - Complexity: O(d log d) for d edges.
  mutating func count(_ edges: Range<Int>, of graph: WeightedGraph, _ local: [WeighedLabel]) {
    entries.removeAll(keepingCapacity: true)
    let isShort = edges.count <= 32
    for edge in edges {
      let end = local[Int(graph.neighbors[edge].index)]
      let entry = Entry(
        label: end.label, weight: graph.edgeWeights[edge], labelWeight: end.weight)
      // A handful of labels is found faster than sorted.
      if isShort, let place = entries.firstIndex(where: { $0.label == end.label }) {
        entries[place].weight += entry.weight
      } else {
        entries.append(entry)
      }
    }
    if isShort { return }
    entries.sort { $0.label < $1.label }
    var end = 0
    for place in entries.indices {
      if end > 0, entries[end - 1].label == entries[place].label {
        entries[end - 1].weight += entries[place].weight
      } else {
        entries[end] = entries[place]
        end += 1
      }
    }
    entries.removeLast(entries.count - end)
  }

  func weight(to label: GlobalNode) -> Int64 {
    entries.first { $0.label == label }?.weight ?? 0
  }

  /// The label with the strongest connection, of equal ones the lowest.
  func strongest(where isWanted: (Entry) -> Bool) -> Entry? {
    var best: Entry?
    for entry in entries where isWanted(entry) {
      if let found = best,
        (-found.weight, found.label) < (-entry.weight, entry.label)
      {
        continue
      }
      best = entry
    }
    return best
  }
}
