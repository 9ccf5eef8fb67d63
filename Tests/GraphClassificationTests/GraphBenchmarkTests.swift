import Communication
import Differentiation
import Foundation
import GraphClassification
import GraphCollections
import LinearAlgebra
import Optimization
import Testing

@Suite struct GraphBenchmarkTests {
  private func benchmark(_ kind: GraphArchitecture.Kind) -> GraphBenchmark {
    var training = GraphTrainingOptions()
    training.epochCount = 3
    training.batchSize = 16
    training.selection = .accuracy
    var benchmark = GraphBenchmark(
      settings: [0.01, 0.001].map { rate in
        training.learningRate = rate
        return GraphTrialPlan(kind: kind, hidden: 8, columns: [.degree], training: training)
      })
    benchmark.foldCount = 3
    benchmark.repeatCount = 2
    return benchmark
  }

  @Test func resultsDoNotDependOnTheNumberOfRanks() throws {
    let collection = smallCollection()
    let benchmark = benchmark(.gin)
    let alone = try benchmark.run(on: collection, on: SingleRank())
    #expect(alone.count == 3 && alone.allSatisfy { $0.test.count == 2 && $0.validation.count == 2 })
    for fold in alone {
      #expect(fold.validation[fold.chosen] == fold.validation.max())
    }
    for ranks in [2, 7] {
      let results = try ThreadCommunicator.run(ranks: ranks) {
        try benchmark.run(on: collection, on: $0)
      }
      #expect(results.allSatisfy { $0 == alone }, "\(ranks) ranks")
    }
  }

  @Test func aFoldThatLeavesNothingToHoldOutIsRefusedOnEveryRank() throws {
    var benchmark = benchmark(.baseline)
    benchmark.foldCount = 1000
    let collection = smallCollection()
    let refused = try ThreadCommunicator.run(ranks: 2) { [benchmark] communicator in
      #expect(throws: AgreedFailure.self) {
        try benchmark.run(on: collection, on: communicator)
      }?.reason.contains("which is fewer than 1000 folds")
    }
    #expect(refused == [true, true])
  }

  /// A graph of each class outside the test set: splits say by which to choose, but none is left to stop by.
  @Test func splitsThatLeaveNothingToStopByAreRefusedOnEveryRank() throws {
    let collection = smallCollection(graphCount: 6)
    var benchmark = benchmark(.baseline)
    benchmark.foldCount = 1
    // Classes alternate.
    benchmark.splits = [GraphSplit(train: [0], validation: [1], test: [2, 3, 4, 5])]
    let reasons = try ThreadCommunicator.run(ranks: 2) { [benchmark] communicator in
      #expect(throws: AgreedFailure.self) {
        try benchmark.run(on: collection, on: communicator)
      }?.reason
    }
    let expected =
      "fold 1 of 1 leaves no graph to hold out; expected two graphs of a class outside its test set"
    #expect(reasons == [expected, expected])
  }

  /// A graph whose nodes are of two kinds in turn.
  private func batch(joining edges: [(Int, Int)], nodes: Int) -> GraphBatch {
    var rows = Array(repeating: [Int32](), count: nodes)
    for (a, b) in edges {
      rows[a].append(Int32(b))
      rows[b].append(Int32(a))
    }
    return GraphBatch(
      nodeOffsets: [0, nodes],
      rowOffsets: rows.reduce(into: [0]) { $0.append($0.last! + $1.count) },
      columns: rows.flatMap { $0.sorted() },
      features: Matrix(
        rows: nodes, columns: 2, elements: (0..<nodes).flatMap { [1, $0 % 2 == 0 ? 1 : 0] }),
      classes: [0])
  }

  private func output(_ kind: GraphArchitecture.Kind, of batch: GraphBatch) -> [Double] {
    GraphNetwork<Double>(
      GraphArchitecture(kind: kind, inputWidth: 2, hidden: 8, classCount: 3), seed: 4
    ).output(of: GraphInput(batch)).logProbabilities.value.elements
  }

  @Test func theBaselineSeesNoEdgesAndTheSumNetworkDoes() {
    let path = batch(joining: [(0, 1), (1, 2), (2, 3)], nodes: 4)
    let star = batch(joining: [(0, 1), (0, 2), (0, 3)], nodes: 4)
    #expect(output(.baseline, of: path) == output(.baseline, of: star))
    #expect(output(.gin, of: path) != output(.gin, of: star))
  }

  /// A mean takes a graph and the same graph twice for the same.
  @Test func sumsTellHowManyNodesThereAre() {
    let once = batch(joining: [(0, 1)], nodes: 2)
    let twice = batch(joining: [(0, 1), (2, 3)], nodes: 4)
    for kind in [GraphArchitecture.Kind.baseline, .gin] {
      #expect(output(kind, of: once) != output(kind, of: twice))
    }
    #expect(
      zip(output(.gcn, of: once), output(.gcn, of: twice)).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  /// ReLU(W mean of neighbours + R node + b) twice, the greatest of both layers' nodes, two linear maps.
  @Test func theMeanNetworkIsWhatItsEquationsSay() {
    let edges = [(0, 1), (1, 2), (1, 3)]
    let network = GraphNetwork<Double>(
      GraphArchitecture(kind: .sage, inputWidth: 2, hidden: 5, layerCount: 2, classCount: 3),
      seed: 9)
    func weights(_ name: String) -> DenseMatrix<Double> {
      network.parameters.all.first { $0.name == name }!.value
    }
    func product(_ name: String, _ x: [Double]) -> [Double] {
      let weight = weights("\(name).weight")
      return (0..<weight.rowCount).map { row in
        zip(weight.row(row), x).reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
    func linear(_ name: String, _ x: [Double]) -> [Double] {
      zip(product(name, x), weights("\(name).bias").elements).map(+)
    }
    func rectified(_ x: [Double]) -> [Double] { x.map { max($0, 0) } }
    // The last node has no neighbour.
    var rows: [[Double]] = (0..<5).map { [1, $0 % 2 == 0 ? 1 : 0] }
    var greatest: [Double] = []
    for layer in ["conv1", "conv2"] {
      rows = rows.indices.map { node in
        let near = edges.compactMap { $0 == node ? $1 : $1 == node ? $0 : nil }
        let mean = rows[node].indices.map { column in
          near.reduce(0) { $0 + rows[$1][column] } / Double(max(near.count, 1))
        }
        return rectified(
          zip(product("\(layer).lin_rel", mean), linear("\(layer).lin_root", rows[node])).map(+))
      }
      greatest += rows[0].indices.map { column in rows.map { $0[column] }.max()! }
    }
    let logits = linear("lin2", rectified(linear("lin1", greatest)))
    let total = logits.reduce(0) { $0 + exp($1) }
    let found = network.output(of: GraphInput(batch(joining: edges, nodes: 5)))
      .logProbabilities.value.elements
    #expect(zip(found, logits).allSatisfy { abs($0 - ($1 - log(total))) < 1e-12 })
  }

  @Test(arguments: [GraphArchitecture.Kind.baseline, .gin, .sage])
  func aModelComesBackFromItsFile(kind: GraphArchitecture.Kind) throws {
    let collection = smallCollection()
    let encoder = NodeEncoder([.degree], of: collection, fittedTo: [])
    let model = GraphModel(
      network: GraphNetwork(
        GraphArchitecture(
          kind: kind, inputWidth: encoder.width, hidden: 8, classCount: collection.classCount),
        seed: 1),
      encoder: encoder, classLabels: collection.classLabels)
    let path = FileManager.default.temporaryDirectory.appending(
      path: "\(UUID().uuidString).safetensors"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try model.write(to: path, overwrite: false)
    let read = try GraphModel(path: path)
    #expect(read.network.architecture == model.network.architecture)
    #expect(read.network.parameters == model.network.parameters)
  }
}
