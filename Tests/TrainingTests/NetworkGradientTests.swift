import Communication
import Differentiation
import DistributedGraphs
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Optimization
import RandomInputs
import Testing
import Training

private let shapes = [
  LanderShape(dimensions: 4, hidden: 6),
  LanderShape(dimensions: 4, hidden: 6, layerCount: 3, usesAverageFeature: false),
  LanderShape(dimensions: 4, hidden: 4, layerCount: 4),
  LanderShape(dimensions: 4, hidden: 6, layerCount: 2, headCount: 2),
]

private let chains = [TrainingChain(neighborCount: 4, levelCount: 2)]

private let points = LabelledPoints(identities: 8, pointsEach: 5, dimensions: 4, seed: 1)

@Suite("Gradients of whole networks")
struct NetworkGradientTests {
  /// Loss and gradients of a step on the second of two levels, or on some nodes of the first.
  private func step(
    _ parameters: Parameters<Double>, _ shape: LanderShape, loss: LinkageLoss = LinkageLoss(),
    disturbance: Disturbance? = nil, batch: ((TrainingGraph) -> [Int])? = nil, level: Int = 0,
    on communicator: some Communicator
  ) throws -> (loss: Double, gradients: [DenseMatrix<Double>]) {
    let graph = try points.graphs(chains: chains, on: communicator)[level]
    let tape = Tape<Double>()
    let recorded = parameters.recorded(on: tape)
    let input =
      try batch.map { choose in
        try StepInput<Double>(
          choose(graph), of: graph,
          firstLayer: FirstLayer(of: graph, for: shape, on: communicator), for: shape,
          on: communicator)
      } ?? StepInput<Double>(all: graph, for: shape, on: communicator)
    let answer = try shape.linkage(
      of: input, by: recorded, disturbed: disturbance, on: tape, communicator: communicator)
    let (variable, value) = try loss.loss(
      of: answer, for: input, seed: 3, step: 4, on: communicator)
    return (
      value.linkage + value.density * loss.densityWeight,
      try recorded.gradients(of: variable, on: tape, on: communicator)
    )
  }

  @Test(
    "Are the central differences to 1e-6", arguments: shapes,
    [LinkageLoss(), LinkageLoss(focus: 2, isBalanced: true, densityWeight: 0.5)])
  func areCentralDifferences(_ shape: LanderShape, _ kind: LinkageLoss) throws {
    let disturbance = Disturbance(seed: 5, step: 6, dropout: 0.3, rotates: true)
    for level in [0, 1] {
      let parameters = shape.initialParameters(seed: 7).converted(to: Double.self)
      func loss(_ parameters: Parameters<Double>) throws -> Double {
        try step(
          parameters, shape, loss: kind, disturbance: disturbance, level: level,
          on: SingleRank()
        ).loss
      }
      let gradients = try step(
        parameters, shape, loss: kind, disturbance: disturbance, level: level, on: SingleRank()
      ).gradients
      var generator = SeededGenerator(seed: 8)
      let largest = gradients.flatMap(\.elements).reduce(0) { max($0, abs($1)) }
      for index in parameters.all.indices {
        for _ in 0..<4 {
          let row = Int.random(in: 0..<parameters.all[index].value.rowCount, using: &generator)
          let column = Int.random(
            in: 0..<parameters.all[index].value.columnCount, using: &generator)
          func moved(by distance: Double) throws -> Double {
            var moved = parameters
            moved.all[index].value[row, column] += distance
            return try loss(moved)
          }
          let step = 1e-6
          let narrow = (try moved(by: step) - moved(by: -step)) / (2 * step)
          let gradient = gradients[index][row, column]
          #expect(
            abs(narrow - gradient) < 1e-6 * max(largest, abs(gradient)),
            "\(parameters.all[index].name) [\(row), \(column)]: \(narrow), \(gradient)")
        }
      }
    }
  }

  @Test("Are those of one rank on any number of ranks", arguments: shapes, [2, 3, 5])
  func agreeOverRanks(_ shape: LanderShape, ranks: Int) throws {
    let parameters = shape.initialParameters(seed: 9).converted(to: Double.self)
    let disturbance = Disturbance(seed: 5, step: 6, dropout: 0.3, rotates: true)
    let loss = LinkageLoss(isBalanced: true)
    for level in [0, 1] {
      let one = try step(
        parameters, shape, loss: loss, disturbance: disturbance, level: level, on: SingleRank())
      let many = try ThreadCommunicator.run(ranks: ranks) { communicator in
        try step(
          parameters, shape, loss: loss, disturbance: disturbance, level: level,
          on: communicator)
      }
      for rank in many {
        #expect(abs(rank.loss - one.loss) < 1e-12)
        for (a, b) in zip(rank.gradients, one.gradients) { #expect(distance(a, b) < 1e-12) }
      }
    }
  }

  @Test("A batch of all nodes is the whole graph", arguments: shapes, [1, 3])
  func batchOfAllIsTheGraph(_ shape: LanderShape, ranks: Int) throws {
    let parameters = shape.initialParameters(seed: 10).converted(to: Double.self)
    let whole = try step(parameters, shape, on: SingleRank())
    let batches = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try step(
        parameters, shape, batch: { Array(0..<$0.graph.ownedCount) }, on: communicator)
    }
    for batch in batches {
      #expect(abs(batch.loss - whole.loss) < 1e-12)
      for (a, b) in zip(batch.gradients, whole.gradients) { #expect(distance(a, b) < 1e-12) }
    }
  }

  @Test("A batch of some nodes is the same on any number of ranks", arguments: shapes, [2, 4])
  func batchesAgreeOverRanks(_ shape: LanderShape, ranks: Int) throws {
    let parameters = shape.initialParameters(seed: 11).converted(to: Double.self)
    let disturbance = Disturbance(seed: 5, step: 6, dropout: 0.3, rotates: false)
    @Sendable func chosen(_ graph: TrainingGraph) -> [Int] {
      graph.graph.halo.owned.indices.filter { $0 % 7 < 3 }
        .map { $0 - graph.graph.halo.owned.lowerBound }
    }
    let one = try step(
      parameters, shape, disturbance: disturbance, batch: chosen, on: SingleRank())
    let many = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try step(
        parameters, shape, disturbance: disturbance, batch: chosen, on: communicator)
    }
    #expect(one.loss != 0)
    for rank in many {
      #expect(abs(rank.loss - one.loss) < 1e-12)
      for (a, b) in zip(rank.gradients, one.gradients) { #expect(distance(a, b) < 1e-12) }
    }
  }

  @Test("The tape computes what inference computes", arguments: shapes)
  func isTheNetworkOfInference(_ shape: LanderShape) throws {
    let graph = try points.graphs(chains: chains, on: SingleRank())[1]
    let parameters = shape.initialParameters(seed: 12)
    let linkage = try shape.network(parameters).linkage(
      of: NodeInput(
        identity: graph.identity, average: graph.average,
        usesAverage: shape.usesAverageFeature), over: graph.graph, on: SingleRank())
    let tape = Tape<Float>()
    let answer = try shape.linkage(
      of: StepInput(all: graph, for: shape, on: SingleRank()), by: parameters.recorded(on: tape),
      on: tape, communicator: SingleRank())
    let probability = answer.logits.softmaxOfRows().value
    for edge in linkage.distance.indices {
      #expect(abs(probability[edge, 0] - linkage.distance[edge]) < 1e-5)
    }
    for node in linkage.density.indices {
      #expect(abs(answer.density.value[node, 0] - linkage.density[node]) < 1e-5)
    }
  }

  private func distance(_ a: DenseMatrix<Double>, _ b: DenseMatrix<Double>) -> Double {
    zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }
}
