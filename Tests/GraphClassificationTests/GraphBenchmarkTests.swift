import Communication
import Differentiation
import Foundation
import GraphClassification
import GraphCollections
import LinearAlgebra
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

  @Test(arguments: [GraphArchitecture.Kind.baseline, .gin])
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
