import Communication
import Differentiation
import GraphClassification
import GraphCollections
import LinearAlgebra
import Optimization
import RandomInputs
import Testing

/// PyTorch Geometric's numbers, layer by layer: at most 1e-5 apart.
@Suite struct GoldenTests {
  private let tolerance = 1e-5

  @Test func theFlatNetworkHasTheNumbersOfPyTorchGeometric() throws {
    let golden = GoldenPool.flat
    let network = try golden.network
    let input = GraphInput<Float>(try golden.batch)
    let tape = Tape<Float>()
    let recorded = network.parameters.recorded(on: tape)
    let features = tape.parameter(input.features)
    let output = try network.trainingOutput(
      of: input, recorded, on: tape, features: features, looksInside: true, on: SingleRank())
    for layer in 1...3 {
      let expected = try golden.matrix("hidden\(layer)")
      #expect(largestDifference(output.embeddings[layer - 1], expected) <= tolerance)
    }
    #expect(largestDifference(output.readout, try golden.matrix("pooled")) <= tolerance)
    #expect(
      largestDifference(output.logProbabilities.value, try golden.matrix("log_probabilities"))
        <= tolerance)
    let loss = output.logProbabilities.crossEntropy(of: input.classes, scale: 0.25)
    #expect(abs(Double(loss.scalar) - (try golden.losses["nll"]!)) <= tolerance)
    let gradients = try tape.gradients(of: loss, on: SingleRank())
    #expect(
      largestDifference(gradients[features], try golden.matrix("input_gradient")) <= tolerance)
    for parameter in network.parameters.all {
      let found = gradients[recorded[parameter.name]]
      let expected = try golden.matrix("gradient.\(parameter.name)")
      #expect(largestDifference(found, expected) <= tolerance, "\(parameter.name)")
    }
    // Evaluation is the same function: nothing is normalised.
    #expect(
      largestDifference(
        network.output(of: input).logProbabilities.value, output.logProbabilities.value) == 0)
  }

  @Test func diffPoolHasTheNumbersOfPyTorchGeometric() throws {
    let golden = GoldenPool.pooling
    var network = try golden.network
    let input = GraphInput<Float>(try golden.batch)
    let tape = Tape<Float>()
    let recorded = network.parameters.recorded(on: tape)
    let features = tape.parameter(input.features)
    let output = try network.trainingOutput(
      of: input, recorded, on: tape, features: features, looksInside: true, on: SingleRank())
    func check(_ found: Matrix, _ name: String) throws {
      #expect(largestDifference(found, try golden.matrix(name)) <= tolerance, "\(name)")
    }
    try check(output.assignmentLogits[0], "assignment_logits")
    try check(output.embeddings[0], "embedding")
    try check(output.pooledFeatures[0], "pooled_features")
    try check(output.pooledAdjacencies[0], "pooled_adjacency")
    try check(output.logProbabilities.value, "log_probabilities")

    let (link, entropy) = (try #require(output.linkLoss), try #require(output.entropyLoss))
    let nll = output.logProbabilities.crossEntropy(of: input.classes, scale: 0.25)
    let total = nll + link.scaled(by: 0.5) + entropy.scaled(by: 0.25)
    for (found, name) in [
      (nll, "nll"), (link, "link_loss"), (entropy, "entropy_loss"), (total, "total"),
    ] {
      #expect(abs(Double(found.scalar) - (try golden.losses[name]!)) <= tolerance, "\(name)")
    }
    let gradients = try tape.gradients(of: total, on: SingleRank())
    try check(gradients[features], "input_gradient")
    for parameter in network.parameters.all {
      try check(gradients[recorded[parameter.name]], "gradient.\(parameter.name)")
    }
    network.follow(output.statistics)
    let running = try #require(network.running["gnn1_pool.bn1"])
    try check(running.mean, "running_mean_pool")
    try check(running.variance, "running_var_pool")
  }

  /// PyTorch Geometric pads, so there are no numbers of ragged batches: each graph alone is compared.
  @Test(arguments: [[4], [9, 3]])
  func aRaggedBatchIsItsGraphsOneByOne(clusterCounts: [Int]) throws {
    let batch = try GoldenPool.flat.batch  // of 7, 12, 1 and 9 nodes
    let network = GraphNetwork<Double>(
      GraphArchitecture(
        kind: .diffpool, inputWidth: 5, hidden: 8, clusterCounts: clusterCounts, classCount: 3),
      seed: 3)
    let together = network.output(of: GraphInput(batch), looksInside: true)
    for graph in 0..<batch.graphCount {
      let alone = network.output(of: GraphInput(batch.graph(graph)), looksInside: true)
      let row = together.logProbabilities.value.row(graph)
      #expect(row == alone.logProbabilities.value.row(0))
      let expected = alone.pooledAdjacencies[0]
      let rows = graph * clusterCounts[0]..<(graph + 1) * clusterCounts[0]
      #expect(together.pooledAdjacencies[0].elements(inRows: rows) == expected.elements)
      let sum = expected.elements.reduce(0, +)
      // Sᵀ A S adds up to A: rows of S add up to 1.
      #expect(
        abs(
          sum
            - Double(
              batch.rowOffsets[batch.nodes(of: graph).upperBound]
                - batch.rowOffsets[batch.nodes(of: graph).lowerBound])) < 1e-9)
    }
  }

  @Test(arguments: GraphArchitecture.Kind.allCases, [[3], [4, 2]])
  func gradientsOfWholeNetworksAreCentralDifferences(
    kind: GraphArchitecture.Kind, clusterCounts: [Int]
  ) throws {
    let input = GraphInput<Double>(try GoldenPool.flat.batch)
    var network = GraphNetwork<Double>(
      GraphArchitecture(
        kind: kind, inputWidth: 5, hidden: 4,
        clusterCounts: kind == .diffpool ? clusterCounts : [], classCount: 3), seed: 8)
    // Biases of 0 would put nodes whose rows are 0 on the kink of ReLU.
    for index in network.parameters.all.indices where network.parameters.all[index].shape.count == 1
    {
      let count = network.parameters.all[index].value.count
      network.parameters.all[index].value = DenseMatrix(
        rows: 1, columns: count, elements: randomFloats(count, seed: index).map { Double($0) })
    }
    func loss(_ network: GraphNetwork<Double>) throws -> (
      Tape<Double>, RecordedParameters<Double>, Variable<Double>
    ) {
      let tape = Tape<Double>()
      let recorded = network.parameters.recorded(on: tape)
      let output = try network.trainingOutput(of: input, recorded, on: tape, on: SingleRank())
      var loss = output.logProbabilities.crossEntropy(of: input.classes, scale: 0.25)
      if let link = output.linkLoss { loss = loss + link.scaled(by: 0.5) }
      if let entropy = output.entropyLoss { loss = loss + entropy.scaled(by: 0.25) }
      return (tape, recorded, loss)
    }
    let (tape, recorded, value) = try loss(network)
    let gradients = try tape.gradients(of: value, on: SingleRank())
    var worst = 0.0
    for index in network.parameters.all.indices {
      let name = network.parameters.all[index].name
      let gradient = gradients[recorded[name]]
      // One element of every parameter, the one of the largest gradient.
      let elements = gradient.elements
      let place = elements.indices.max { abs(elements[$0]) < abs(elements[$1]) }!
      let (row, column) = (place / gradient.columnCount, place % gradient.columnCount)
      let step = 1e-6
      func moved(_ distance: Double) throws -> Double {
        let kept = network.parameters.all[index].value[row, column]
        defer { network.parameters.all[index].value[row, column] = kept }
        network.parameters.all[index].value[row, column] += distance
        return try loss(network).2.scalar
      }
      let difference = (try moved(step) - moved(-step)) / (2 * step)
      worst = max(worst, abs(difference - elements[place]) / max(abs(elements[place]), 1e-3))
    }
    #expect(worst < 1e-5, "\(worst)")
  }
}

extension GraphBatch {
  /// One of its graphs alone.
  func graph(_ graph: Int) -> GraphBatch {
    let nodes = nodes(of: graph)
    let first = rowOffsets[nodes.lowerBound]
    return GraphBatch(
      nodeOffsets: [0, nodes.count],
      rowOffsets: (nodes.lowerBound...nodes.upperBound).map { rowOffsets[$0] - first },
      columns: columns[first..<rowOffsets[nodes.upperBound]].map { $0 - Int32(nodes.lowerBound) },
      features: Matrix(
        rows: nodes.count, columns: features.columnCount,
        elements: features.elements(inRows: nodes)), classes: [classes[graph]])
  }
}
