internal import Communication
internal import DistributedGraphs
internal import NeighborSearch

extension ExpectedLevel {
  /// As ``ClusteringRun/deal(_:by:edgeLength:on:)``: the graph is divided, then rows and lists move.
  var dealing: ExpectedPhase {
    var traffic = ExpectedTraffic()
    var graph = DividedGraph(nodeCount: Double(nodeCount), listLength: nearLength, ranks: ranks)
    traffic += graph.building
    var work = graph.edges
    let smallest = max(64 * ranks.size, 2000)
    // No node of the coarse graph is heavier than this.
    let mostWeight = max(1, Double(nodeCount) / (32 * max(ranks.size, 8)))
    while graph.nodeCount > smallest {
      traffic += graph.coarsening
      let next = graph.coarsened(by: min(10, mostWeight))
      guard next.nodeCount < 0.9 * graph.nodeCount else { break }
      graph = next
      work += graph.edges
      traffic += graph.refining + graph.uncoarsening
    }
    traffic += graph.gathering + graph.refining
    traffic += ranks.integerSums(ranks.size)
    traffic += ranks.allToAll(owned * ranks.otherShare, of: 8)
    traffic += ranks.exchange(owned * ranks.otherShare, of: 8)
    traffic += moving
    return ExpectedPhase(
      .partition, level: number, nodeCount: nodeCount,
      work: [.dividedEdges: work], traffic)
  }

  /// As ``ClusteringRun/reorder(to:in:on:)``, and the move of the lists.
  private var moving: ExpectedTraffic {
    let slabs = Double(movedSlabCount)
    let away = owned * ranks.otherShare
    let places = Double(min(job.listLength, max(nodeCount - 1, 0)))
    let rowBytes = job.searchShape(nodeCount: nodeCount, level: number).bytesPerRow
    var traffic = ranks.fetch(0, of: 8) + ranks.allGather(1)
    traffic += 2 * ranks.deliver(away, of: 8)
    traffic += slabs * ranks.deliver(away / slabs, of: rowBytes)
    if ranks.count <= job.listLength {
      // Every rank gets the new names of all nodes.
      traffic += ranks.allGather(8) + ranks.allGather(8 * owned)
    } else {
      traffic += slabs * ranks.fetch(away * places / slabs, of: 8)
    }
    traffic += slabs * ranks.deliver(away / slabs, of: 8 * places)
    traffic += slabs * ranks.deliver(away / slabs, of: 4 * places)
    return traffic
  }
}

/// The graph that is divided among ranks, or a coarser one of it: nodes lie on ranks by chance.
///
/// How labels spread was fitted to generated points on two and four ranks.
private struct DividedGraph {
  let nodeCount: Double
  /// Neighbours of a node in either direction.
  let degree: Double
  /// Half-edges of a rank when the graph was put together, those of other ranks among them.
  private let halves: Double
  let ranks: ExpectedRanks

  private var owned: Double { nodeCount / ranks.size }
  private var other: Double { ranks.otherShare }
  var edges: Double { owned * degree }
  private var ghosts: Double { ranks.ghostsOfScattered(nodeCount, inLists: degree) }

  init(nodeCount: Double, listLength: Double, ranks: ExpectedRanks) {
    self.init(
      nodeCount: nodeCount, degree: 1.5 * listLength,
      halves: nodeCount / ranks.size * listLength, ranks)
  }

  private init(nodeCount: Double, degree: Double, halves: Double, _ ranks: ExpectedRanks) {
    self.nodeCount = nodeCount
    self.degree = degree
    self.halves = halves
    self.ranks = ranks
  }

  /// As the initialiser of ``WeightedGraph`` from half-edges.
  var building: ExpectedTraffic {
    ranks.allToAll(halves * other, of: 24) + ranks.halo(ofGhosts: ghosts)
  }

  /// The share of nodes whose label is another rank's, and of those that ask to change theirs, in each of six steps of
  /// label propagation.
  private static let steps: [(away: Double, asking: Double)] = [
    (0, 0.45), (0.35, 0.4), (0.55, 0.2), (0.65, 0.15), (0.7, 0.1), (0.7, 0.1),
  ]

  /// As `propagate` among nodes, `groupLeftovers` and `contracted`.
  var coarsening: ExpectedTraffic {
    var traffic = ExpectedTraffic()
    for step in Self.steps {
      traffic += answers(owned * step.away * other, question: 16, answer: 8)
      traffic += ranks.extend(ghosts, of: 16)
      traffic += answers(owned * step.asking * other, question: 32, answer: 1)
    }
    traffic += 3 * ranks.allGather(8)
    let away = owned * 0.7 * other
    traffic += answers(away, question: 16, answer: 8) + ranks.allGather(8)
    let next = coarsened(by: 10)
    traffic += ranks.scatter(away, of: 8) + ranks.allGather(8) + ranks.fetch(away, of: 8)
    traffic += ranks.allGather(8) + ranks.deliver(next.owned * other, of: 8)
    traffic += ranks.extend(ghosts, of: 8) + next.building
    return traffic
  }

  /// The next graph: of so many nodes one, and of their edges those between them.
  func coarsened(by factor: Double) -> DividedGraph {
    DividedGraph(
      nodeCount: nodeCount / factor, degree: min(1.6 * degree, nodeCount / factor),
      halves: 2 * 0.35 * edges, ranks)
  }

  /// As the rounds of `propagate` among parts, and `balance`: parts are good after a round.
  var refining: ExpectedTraffic {
    let weights = ranks.integerSums(ranks.size)
    let step =
      weights + ranks.extend(ghosts, of: 4)
      + answers(0.05 * owned * other, question: 32, answer: 1)
    return 2 * step + ranks.allGather(8) + weights
  }

  /// The smallest graph, to every rank.
  var gathering: ExpectedTraffic {
    4 * ranks.allGather(8) + 2 * ranks.allGather(8 * owned) + 2 * ranks.allGather(8 * edges)
  }

  /// Parts and places go back to the nodes of the finer graph.
  var uncoarsening: ExpectedTraffic {
    let away = 10 * owned * 0.7 * other
    return ranks.fetch(away, of: 8) + answers(away, question: 16, answer: 8)
  }

  /// As ``Communicator/answers(to:at:_:)``.
  private func answers(
    _ count: Double, question: Double, answer: Double
  ) -> ExpectedTraffic {
    ranks.allToAll(count, of: question) + ranks.exchange(count, of: answer)
  }
}

extension ExpectedRanks {
  /// As the sums of the same name in graph partitioning: few numbers go to all ranks.
  fileprivate func integerSums(_ count: Double) -> ExpectedTraffic {
    count * size <= 0x1p13 ? allGather(8) + allGather(8 * count) : sums(count)
  }
}
