import Communication
import Differentiation
import DistributedGraphs
import LinearAlgebra
import Optimization
import Testing
import Training

@Suite("The reference's training")
struct GoldenTrainingTests {
  @Test("Nine graphs with its edges, densities, labels, masks and features")
  func hasTheReferencesGraphs() throws {
    let graphs = try GoldenTraining.graphs(on: SingleRank())
    #expect(
      graphs.map { "k\($0.neighborCount)_level\($0.level)" } == GoldenTraining.graphNames)
    for (graph, name) in zip(graphs, GoldenTraining.graphNames) {
      let sources = try GoldenTraining.integers(name, "src")
      let destinations = try GoldenTraining.integers(name, "dst")
      let same = try GoldenTraining.integers(name, "labels_conn")
      let keepable = try GoldenTraining.integers(name, "mask_conn")
      let affinity = try GoldenTraining.floats(name, "raw_affine").elements
      // The reference's edges are in the order of sources within a node.
      let ours = (0..<graph.graph.ownedCount).flatMap { node in
        graph.graph.edges(into: node).sorted {
          graph.graph.source(of: $0) < graph.graph.source(of: $1)
        }.map { (node: node, edge: $0) }
      }
      #expect(ours.map { Int64($0.node) } == destinations)
      #expect(ours.map { graph.graph.source(of: $0.edge).index } == sources)
      #expect(ours.map { graph.truth.isSame[$0.edge] } == same.map { $0 == 1 })
      #expect(ours.map { graph.truth.isKeepable[$0.edge] } == keepable.map { $0 == 1 })
      for (own, reference) in zip(ours, affinity) {
        #expect(abs(graph.graph.affinities[own.edge] - reference) < 1e-5)
      }
      let density = try GoldenTraining.floats(name, "density").elements
      for (own, reference) in zip(graph.truth.density, density) {
        #expect(abs(own - reference) < 1e-5)
      }
      let features = try GoldenTraining.floats(name, "features")
      let averages = try GoldenTraining.floats(name, "cluster_features")
      #expect(distance([graph.identity], [features]) < 1e-5)
      #expect(distance([graph.average ?? graph.identity], [averages]) < 1e-5)
    }
  }

  @Test("The gradients of the first step to 1e-4", arguments: GoldenNetwork.all)
  func hasTheReferencesGradients(_ network: GoldenNetwork) throws {
    let graphs = try GoldenTraining.graphs(on: SingleRank())
    let parameters = try network.parameters("init")
    let tape = Tape<Float>()
    let recorded = parameters.recorded(on: tape)
    let input = try StepInput<Float>(all: graphs[0], for: network.shape, on: SingleRank())
    let answer = try network.shape.linkage(
      of: input, by: recorded, on: tape, communicator: SingleRank())
    let (loss, _) = try network.loss.loss(
      of: answer, for: input, seed: 0, step: 0, on: SingleRank())
    let gradients = try recorded.gradients(of: loss, on: tape, on: SingleRank())
    #expect(distance(gradients, try network.parameters("grad_step0").all.map(\.value)) < 1e-4)
  }

  @Test(
    "The losses of 36 steps and the parameters after them to 1e-4", arguments: GoldenNetwork.all)
  func takesTheReferencesSteps(_ network: GoldenNetwork) throws {
    var trainer = try Trainer(
      GoldenTraining.graphs(on: SingleRank()), options: network.options,
      parameters: network.parameters("init"), on: SingleRank())
    #expect(trainer.stepCount == 36)
    for step in try network.log() {
      #expect(trainer.step == step.step)
      #expect(abs(trainer.learningRate - step.lr) < 1e-9)
      let loss = try trainer.takeStep(on: SingleRank())
      #expect(loss.edgeCount == step.maskedEdges)
      #expect(
        abs(loss.linkage - step.lossConn) < 1e-4 * max(step.lossConn, 0.1), "step \(step.step)")
      #expect(abs(loss.density - step.lossDen) < 1e-4 * max(step.lossDen, 0.1), "step \(step.step)")
      if step.step == 0 {
        #expect(distance(trainer.parameters, try network.parameters("after_step0")) < 1e-4)
      }
    }
    #expect(distance(trainer.parameters, try network.parameters("final")) < 1e-4)
  }
}
