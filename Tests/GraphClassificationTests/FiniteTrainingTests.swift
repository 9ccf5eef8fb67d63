import Communication
import GraphClassification
import GraphCollections
import LinearAlgebra
import Optimization
import RandomInputs
import Testing

@Suite struct TrainingOnGraphs {
  /// Hidden rows are of ordinary size, but what leads to them is not: the loss is finite, and the
  /// gradients of the first layer are not.
  @Test("Stops at gradients that are not finite, on every rank", arguments: [1, 3])
  func stopsAtInfiniteGradients(ranks: Int) throws {
    let collection = smallCollection(graphCount: 20)
    let rows = randomMatrix(collection.nodeCount, 5, seed: 3)
    var network = GraphNetwork<Float>(
      GraphArchitecture(kind: .gcn, inputWidth: 5, hidden: 8, classCount: 2), seed: 1)
    for (name, factor) in [
      ("conv1.lin.weight", 1e-36), ("conv2.lin.weight", 1e36), ("lin.weight", 1e6),
    ] as [(String, Float)] {
      let index = network.parameters.all.firstIndex { $0.name == name }!
      let value = network.parameters.all[index].value
      network.parameters.all[index].value = Matrix(
        rows: value.rowCount, columns: value.columnCount,
        elements: value.elements.map { factor * $0 })
    }
    let planted = network
    let failures = try ThreadCommunicator.run(ranks: ranks) { communicator in
      do {
        _ = try train(
          planted, on: collection, rows: rows,
          split: GraphSplit(train: Array(0..<20), validation: [], test: []),
          options: GraphTrainingOptions(), on: communicator)
        return ""
      } catch let failure as AgreedFailure { return failure.reason }
    }
    for failure in failures {
      #expect(
        failure.hasPrefix(
          "training stopped at step 1, in epoch 1: gradients are not finite numbers"), "\(failure)")
    }
  }
}
