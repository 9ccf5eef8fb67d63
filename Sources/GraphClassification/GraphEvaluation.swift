public import Communication
public import Differentiation
public import GraphCollections
public import LinearAlgebra
public import Parallelism

/// How well a network classifies some graphs. Replicated.
public struct GraphMetrics: Equatable, Codable, Sendable {
  public var graphCount: Int
  /// The mean of −ln p at the true class.
  public var loss: Double
  public var accuracy: Double
  /// How many graphs of the class of a row were taken for that of a column.
  public var confusion: [[Int]]
}

/// Classifies some graphs of a collection and compares with their classes.
///
/// > Collective: over `communicator`. As ``classify(_:of:rows:with:workers:on:)``.
public func evaluate(
  _ network: GraphNetwork<Float>, on graphs: [Int], of collection: GraphCollection, rows: Matrix,
  workers: Workers = Workers(), on communicator: some Communicator
) throws -> GraphMetrics {
  let logarithms = try classify(
    graphs, of: collection, rows: rows, with: network, workers: workers, on: communicator)
  return GraphMetrics(
    logarithms, truth: graphs.map { collection.classes[$0] },
    classCount: network.architecture.classCount)
}

extension GraphMetrics {
  /// - Parameters:
  ///   - logarithms: ln of the probability of each class. Shape `[truth.count × classCount]`.
  public init(_ logarithms: Matrix, truth: [Int], classCount: Int) {
    var table = Array(repeating: Array(repeating: 0, count: classCount), count: classCount)
    var sum = 0.0
    for (row, place) in truth.enumerated() {
      sum -= Double(logarithms[row, place])
      table[place][mostProbable(logarithms.row(row))] += 1
    }
    confusion = table
    graphCount = truth.count
    let count = Double(max(truth.count, 1))
    loss = sum / count
    accuracy = Double((0..<classCount).reduce(0) { $0 + table[$1][$1] }) / count
  }
}

/// The place of the largest, the first of several.
public func mostProbable(_ logarithms: [Float]) -> Int {
  logarithms.indices.max { (logarithms[$0], -$0) < (logarithms[$1], -$1) } ?? 0
}

/// ln of the probability of each class, for some graphs of a collection.
///
/// Every graph is taken for itself; the bits do not depend on the number of ranks or threads.
///
/// > Collective: over `communicator`. Two rounds; every graph's row to every rank.
///
/// - Parameter graphs: Replicated.
/// - Returns: Replicated. Shape `[graphs.count × classCount]`.
public func classify(
  _ graphs: [Int], of collection: GraphCollection, rows: Matrix,
  with network: GraphNetwork<Float>, workers: Workers = Workers(),
  on communicator: some Communicator
) throws -> Matrix {
  try communicator.assertReplicated(graphs.count)
  try communicator.assertReplicated(graphs, from: .all)
  let hands = deal(costs: graphs.map(collection.cost(of:)), among: communicator.size)
  let own = hands[communicator.rank.index]
  var elements: [Float] = []
  for places in passes(over: own.map { graphs[$0] }, of: collection) {
    let input = GraphInput<Float>(
      GraphBatch(places.map { graphs[own[$0]] }, of: collection, rows: rows))
    elements +=
      network.output(of: input, tape: Tape(workers: workers)).logProbabilities.value
      .elements
  }
  let all = try communicator.allGather(elements)
  let width = network.architecture.classCount
  var result = Matrix(rows: graphs.count, columns: width)
  for rank in communicator.ranks {
    let theirs = Array(all[rank])
    for (row, place) in hands[rank.index].enumerated() {
      for column in 0..<width { result[place, column] = theirs[row * width + column] }
    }
  }
  return result
}

/// Runs of graphs that go through a network together: a few thousand nodes each.
func passes(over graphs: [Int], of collection: GraphCollection) -> [Range<Int>] {
  var runs: [Range<Int>] = []
  var start = 0
  var nodeCount = 0
  for (place, graph) in graphs.enumerated() {
    nodeCount += collection.nodes(of: graph).count
    if nodeCount >= 4096 || place == graphs.count - 1 {
      runs.append(start..<place + 1)
      start = place + 1
      nodeCount = 0
    }
  }
  return runs
}
