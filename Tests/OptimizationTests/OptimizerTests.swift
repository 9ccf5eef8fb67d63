import Communication
import Differentiation
import LinearAlgebra
import Optimization
import Testing

private func row(_ elements: [Double]) -> DenseMatrix<Double> {
  DenseMatrix(rows: 1, columns: elements.count, elements: elements)
}

@Suite struct AnOptimizer {
  @Test func followsMomentumAsWritten() {
    var parameters = Parameters([Parameter("w", vector: [1.0, -2.0])])
    var optimizer = Optimizer(.sgd(momentum: 0.9, weightDecay: 0.1), for: parameters)
    optimizer.update(&parameters, by: [row([0.5, 1])], learningRate: 0.1)
    // v = g + 0.1 θ = 0.6, 0.8
    #expect(close(parameters["w"].elements, [0.94, -2.08]))
    optimizer.update(&parameters, by: [row([0, 0])], learningRate: 0.1)
    // v = 0.9 · 0.6 + 0.094 = 0.634;  0.9 · 0.8 − 0.208 = 0.512
    #expect(close(parameters["w"].elements, [0.8766, -2.1312]))
    #expect(optimizer.stepCount == 2)
  }

  @Test func adamTakesStepsOfTheLearningRateAtFirst() {
    var parameters = Parameters([Parameter("w", vector: [1.0, -2.0])])
    var optimizer = Optimizer(.adam(weightDecay: 0.5), for: parameters)
    optimizer.update(&parameters, by: [row([3, -0.01])], learningRate: 0.1)
    // Decay: θ · (1 − 0.05); then a step of 0.1 against the sign of the gradient.
    #expect(close(parameters["w"].elements, [0.95 - 0.1, -1.9 + 0.1], 1e-6))
  }

  @Test(arguments: [1, 15, 16, 33, 1000])
  func theKernelOfAdamHasTheBitsOfThePlainLoop(count: Int) {
    func random(_ seed: Float) -> [Float] {
      (0..<count).map { Float($0 * 7919 % 1009) / 500 - seed }
    }
    var parameters = Parameters([Parameter("w", vector: random(1))])
    var optimizer = Optimizer(.adam(weightDecay: 0.1), for: parameters)
    var (value, mean, square) = (
      random(1), random(1).map { _ in Float(0) }, random(1).map { _ in Float(0) }
    )
    let (beta1, beta2, rate) = (Float(0.9), Float(0.999), Float(0.01))
    let decay = Float(1 - 0.01 * 0.1)
    for step in 1...3 {
      let gradient = random(Float(step) / 3)
      optimizer.update(
        &parameters, by: [Matrix(rows: 1, columns: count, elements: gradient)], learningRate: 0.01)
      func correction(_ beta: Double) -> Float {
        Float(1 - (step == 1 ? beta : step == 2 ? beta * beta : beta * (beta * beta)))
      }
      for place in 0..<count {
        let g = gradient[place]
        mean[place] = beta1 * mean[place] + (1 - beta1) * g
        square[place] = beta2 * square[place] + (1 - beta2) * g * g
        let spread = (square[place] / correction(0.999)).squareRoot()
        value[place] =
          decay * value[place] - rate * (mean[place] / correction(0.9)) / (spread + 1e-8)
      }
      #expect(parameters["w"].elements == value, "step \(step)")
    }
  }

  @Test func goesOnFromItsMoments() {
    var parameters = Parameters([Parameter("w", vector: [1.0, -2.0])])
    for rule in [OptimizerRule.sgd(), .adam()] {
      var optimizer = Optimizer(rule, for: parameters)
      optimizer.update(&parameters, by: [row([1, 2])], learningRate: 0.1)
      var resumed = Optimizer(
        rule, for: parameters, stepCount: optimizer.stepCount, moments: optimizer.moments)
      var copy = parameters
      optimizer.update(&parameters, by: [row([3, 1])], learningRate: 0.1)
      resumed.update(&copy, by: [row([3, 1])], learningRate: 0.1)
      #expect(copy == parameters && resumed == optimizer)
    }
  }

  @Test func clipsAllGradientsByOneFactor() {
    var gradients = [row([3]), row([0, 4])]
    #expect(clip(&gradients, toNorm: 1) == 5)
    #expect(close(gradients[0].elements, [0.6]) && close(gradients[1].elements, [0, 0.8]))
    #expect(clip(&gradients, toNorm: 2) < 1.0001)
    #expect(close(gradients[0].elements, [0.6]))
  }

  private func close(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-12) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < tolerance }
  }
}

@Suite struct ACosineSchedule {
  @Test func fallsFromFirstToLast() {
    let schedule = CosineSchedule(from: 0.05, to: 1e-5, over: 36)
    #expect(schedule.rate(ofStep: 0) == 0.05)
    // The authors' scheduler after one and after eight steps.
    #expect(abs(schedule.rate(ofStep: 1) - 0.04990488647880318) < 1e-12)
    #expect(abs(schedule.rate(ofStep: 8) - 0.04415228085575884) < 1e-12)
    #expect(abs(schedule.rate(ofStep: 36) - 1e-5) < 1e-12)
  }

  @Test func warmsUp() {
    let schedule = CosineSchedule(from: 1, to: 0, over: 1000, warmUp: 4)
    #expect(schedule.rate(ofStep: 0) == 0.25)
    #expect(schedule.rate(ofStep: 3) > 0.99)
  }
}

@Suite struct SumsOverRanks {
  @Test(arguments: 1...5)
  func addTheRanksMatrices(ranks: Int) throws {
    let sums = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let rank = Float(communicator.rank.index + 1)
      return try sum(
        [
          Matrix(rows: 1, columns: 3, elements: [rank, 2 * rank, 0]),
          Matrix(rows: 2, columns: 1, elements: [1, -rank]),
        ], on: communicator
      ).map(\.elements)
    }
    let total = Float(ranks * (ranks + 1) / 2)
    for own in sums { #expect(own == [[total, 2 * total, 0], [Float(ranks), -total]]) }
  }
}
