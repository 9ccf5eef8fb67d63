import Communication
import Differentiation
import LinearAlgebra
import Optimization
import Testing

private let start = Parameters<Float>([Parameter("w", vector: [1, -2, 3])])

/// What a step on some ranks threw, and what was left, per rank.
private func outcomes(
  _ rule: OptimizerRule = .adam(), gradient: [Float], clippedTo norm: Double = .infinity,
  losses: [Double] = [1], statistics: [Float] = [], learningRate: Double = 0.1
) throws -> [(failure: String?, parameters: Parameters<Float>, optimizer: Optimizer<Float>)] {
  try ThreadCommunicator.run(ranks: losses.count) { communicator in
    var parameters = start
    var optimizer = Optimizer(rule, for: parameters)
    do {
      try optimizer.step(
        &parameters, by: [Matrix(rows: 1, columns: 3, elements: gradient)], clippedTo: norm,
        learningRate: learningRate, losses: [losses[communicator.rank.index]],
        statistics: [Matrix(rows: 1, columns: statistics.count, elements: statistics)],
        at: StepPlace(step: 7, epoch: 2, material: "k = 5"), advice: "Do otherwise.",
        on: communicator)
    } catch let failure as AgreedFailure { return (failure.reason, parameters, optimizer) }
    return (nil, parameters, optimizer)
  }
}

@Suite struct AStep {
  @Test("Follows finite gradients, scaled down to the norm", arguments: [1, 3])
  func followsFiniteGradients(ranks: Int) throws {
    for outcome in try outcomes(
      .sgd(momentum: 0, weightDecay: 0), gradient: [3, 0, 4], clippedTo: 1,
      losses: Array(repeating: 1, count: ranks))
    {
      #expect(outcome.failure == nil && outcome.optimizer.stepCount == 1)
      #expect(
        zip(outcome.parameters["w"].elements, [0.94, -2, 2.92]).allSatisfy { abs($0 - $1) < 1e-6 })
    }
  }

  @Test(
    "Refuses numbers that are not finite, on all ranks, and changes nothing",
    arguments: [
      ([Float.infinity, 0, 0], 1.0, [Float](), "gradients are not finite numbers"),
      ([0, .nan, 0], 1, [], "gradients are not finite numbers"),
      ([0, 0, -.infinity], 1, [], "gradients are not finite numbers"),
      ([1, 1, 1], .nan, [], "the loss is not a finite number"),
      ([1, 1, 1], .infinity, [], "the loss is not a finite number"),
      ([.nan, 1, 1], .infinity, [], "the loss is not a finite number"),
      ([1, 1, 1], 1, [1, .infinity], "parameters would not be finite numbers"),
      // Its square is infinite: Adam would divide by it for ever.
      ([1e30, 1, 1], 1, [], "parameters would not be finite numbers"),
    ] as [([Float], Double, [Float], String)])
  func refusesWhatIsNotFinite(
    gradient: [Float], loss: Double, statistics: [Float], message: String
  ) throws {
    for losses in [[loss], [1, loss, 1]] {
      for outcome in try outcomes(gradient: gradient, losses: losses, statistics: statistics) {
        let failure = try #require(outcome.failure)
        #expect(failure.hasPrefix("training stopped at step 7, in epoch 2 (k = 5): \(message)"))
        #expect(failure.hasSuffix("Do otherwise."))
        #expect(outcome.parameters == start)
        #expect(outcome.optimizer == Optimizer(.adam(), for: start))
      }
    }
  }

  @Test func refusesParametersThatRunAway() throws {
    let outcome = try outcomes(
      .sgd(), gradient: [3e38, 0, 0], losses: [1], learningRate: 1e3)[0]
    #expect(outcome.failure?.contains("parameters would not be finite numbers") == true)
    #expect(outcome.parameters == start)
  }

  @Test func namesTheFirstParameterThatIsNotFinite() {
    var parameters = Parameters<Float>([
      Parameter("a", vector: [1, 2]), Parameter("b", vector: [1, .nan]),
    ])
    #expect(parameters.firstThatIsNotFinite == "b" && !parameters.isFinite)
    parameters.all[1].value = Matrix(rows: 1, columns: 2, elements: [3e38, -3e38])
    #expect(parameters.isFinite)
  }
}
