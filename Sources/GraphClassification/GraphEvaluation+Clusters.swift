public import Communication
public import Differentiation
internal import Glibc
public import GraphCollections
public import LinearAlgebra
public import Parallelism

/// The probabilities of a graph's classes, from their logarithms.
public func probabilities(_ logarithms: [Float]) -> [Double] {
  let values = logarithms.map { exp(Double($0)) }
  let sum = values.reduce(0, +)
  return values.map { $0 / sum }
}

/// The cluster of every node at each pooling level: where most of it goes.
///
///     level 1: argmax of the node's row of S₁;  level 2: of its row of S₁ S₂; and so on
///
/// Clusters are numbered from 0 within each graph; of several equal shares the first counts.
///
/// > Collective: over `communicator`. Two rounds; 8 bytes per node and level to every rank.
///
/// - Parameter graphs: Replicated. Ascending.
/// - Returns: Replicated. For the nodes of each graph in turn. Shape `[nodes * levels]`.
/// - Precondition: The network pools.
public func nodeClusters(
  _ graphs: [Int], of collection: GraphCollection, rows: Matrix,
  with network: GraphNetwork<Float>, workers: Workers = Workers(),
  on communicator: some Communicator
) throws -> [Int64] {
  try communicator.assertReplicated(graphs.count)
  try communicator.assertReplicated(graphs, from: .all)
  let counts = network.architecture.clusterCounts
  precondition(!counts.isEmpty, "a network without pooling")
  let hands = deal(costs: graphs.map(collection.cost(of:)), among: communicator.size)
  let own = hands[communicator.rank.index].map { graphs[$0] }
  var clusters: [Int64] = []
  for places in passes(over: own, of: collection) {
    let input = GraphInput<Float>(
      GraphBatch(places.map { own[$0] }, of: collection, rows: rows))
    let output = network.output(of: input, tape: Tape(workers: workers))
    // The shares of every node in the clusters of each level.
    var shares = [output.assignments[0]]
    for level in counts.indices.dropFirst() {
      shares.append(
        Float.blockProducts(
          .plain, shares[level - 1], output.assignments[level], blocks: input.blocks,
          using: workers))
    }
    for node in 0..<input.blocks.rowCount {
      for level in shares { clusters.append(Int64(mostProbable(level.row(node)))) }
    }
  }
  let all = try communicator.allGather(clusters)
  // Where each graph's nodes go.
  var first: [Int] = []
  var count = 0
  for graph in graphs {
    first.append(count)
    count += collection.nodes(of: graph).count * counts.count
  }
  var result = Array(repeating: Int64(0), count: count)
  for rank in communicator.ranks {
    var theirs = all[rank]
    for place in hands[rank.index] {
      let size = collection.nodes(of: graphs[place]).count * counts.count
      result.replaceSubrange(first[place]..<first[place] + size, with: theirs.prefix(size))
      theirs = theirs.dropFirst(size)
    }
  }
  return result
}
