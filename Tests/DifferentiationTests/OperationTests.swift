import Communication
import Differentiation
import LinearAlgebra
import Parallelism
import RandomInputs
import TestTags
import Testing

/// Sparse rows with an empty one, a repeated column and a column that nobody names.
private let adjacency = Adjacency(
  SparsePattern(rowOffsets: [0, 3, 3, 4, 6], columns: [0, 2, 2, 1, 4, 0], columnCount: 5))

private let entryWeights = [0.3, -0.7, 1.1, 0.5, 2, -1.5]

private typealias Function = ([Variable<Double>]) throws -> Variable<Double>

private struct Operation: CustomTestStringConvertible, Sendable {
  let name: String
  let shapes: [(Int, Int)]
  let function: @Sendable ([Variable<Double>]) throws -> Variable<Double>
  var testDescription: String { name }
}

private let operations = [
  Operation(name: "linear", shapes: [(4, 3), (2, 3)]) { $0[0].linear($0[1]) },
  Operation(name: "linear with bias", shapes: [(4, 3), (2, 3), (1, 2)]) {
    $0[0].linear($0[1], bias: $0[2])
  },
  Operation(name: "linear with bias and ReLU", shapes: [(4, 3), (2, 3), (1, 2)]) {
    $0[0].linear($0[1], bias: $0[2], isRectified: true)
  },
  Operation(name: "product", shapes: [(4, 3), (3, 2)]) { $0[0].times($0[1]) },
  Operation(name: "product with itself", shapes: [(3, 3)]) { $0[0].times($0[0]) },
  Operation(name: "sum", shapes: [(4, 3), (4, 3)]) { $0[0] + $0[1] },
  Operation(name: "difference", shapes: [(4, 3), (4, 3)]) { $0[0] - $0[1] },
  Operation(name: "product by elements", shapes: [(4, 3), (4, 3)]) { $0[0] * $0[1] },
  Operation(name: "scaling", shapes: [(4, 3)]) { $0[0].scaled(by: -1.7) },
  Operation(name: "bias of rows", shapes: [(4, 3), (1, 3)]) { $0[0].addingToRows($0[1]) },
  Operation(name: "total", shapes: [(4, 3)]) { $0[0].sum() },
  Operation(name: "ReLU", shapes: [(4, 3)]) { $0[0].rectified() },
  Operation(name: "LeakyReLU", shapes: [(4, 3)]) { $0[0].rectified(leak: 0.2) },
  Operation(name: "absolute value", shapes: [(4, 3)]) { $0[0].rectified(leak: -1) },
  Operation(name: "cross entropy of two classes", shapes: [(4, 1)]) {
    $0[0].binaryCrossEntropy(
      of: [true, false, false, true], weights: [1, 0.5, 2, 0], scale: 0.25)
  },
  Operation(name: "PReLU", shapes: [(4, 3), (1, 3)]) { $0[0].rectified(slopes: $0[1]) },
  Operation(name: "dropout", shapes: [(4, 3)]) {
    $0[0].masked(by: randomDoubles(4, 3, seed: 5))
  },
  Operation(name: "selection of rows", shapes: [(5, 3)]) {
    $0[0].sums(over: Adjacency(selecting: [4, 0, 0, 2], of: 5))
  },
  Operation(name: "sums over neighbours", shapes: [(5, 3)]) { $0[0].sums(over: adjacency) },
  Operation(name: "weighted sums", shapes: [(5, 3)]) {
    $0[0].weightedSums(entryWeights, over: adjacency)
  },
  Operation(name: "sums with learned weights", shapes: [(5, 3), (6, 1)]) {
    $0[0].weightedSums($0[1], over: adjacency)
  },
  Operation(name: "columns", shapes: [(4, 5)]) { $0[0].columns(1..<4) },
  Operation(name: "concatenation", shapes: [(4, 2), (4, 3), (4, 1)]) {
    Variable.concatenated($0)
  },
  Operation(name: "softmax over segments", shapes: [(6, 2)]) {
    $0[0].softmax(overSegments: [0, 3, 3, 4, 6])
  },
  Operation(name: "softmax of rows", shapes: [(4, 3)]) { $0[0].softmaxOfRows() },
  Operation(name: "log-softmax of rows", shapes: [(4, 3)]) { $0[0].logSoftmaxOfRows() },
  Operation(name: "cross entropy", shapes: [(5, 2)]) {
    $0[0].crossEntropy(of: [1, -1, 0, 1, -1], scale: 0.3)
  },
  Operation(name: "focal loss", shapes: [(5, 2)]) {
    $0[0].focalLoss(of: [1, -1, 0, 1, -1], scale: 0.3)
  },
  Operation(name: "focal loss of focus 0 and 1", shapes: [(3, 4)]) {
    $0[0].focalLoss(of: [1, 3, 0], focus: 1, scale: 0.3)
      + $0[0].focalLoss(of: [1, 3, 0], focus: 0, scale: 0.3)
  },
  Operation(name: "squared error", shapes: [(4, 3)]) {
    $0[0].squaredError(from: randomDoubles(4, 3, seed: 6), scale: 0.2)
  },
  Operation(name: "batch normalisation", shapes: [(6, 3), (1, 3), (1, 3)]) {
    $0[0].batchNormalized(scale: $0[1], shift: $0[2]).rows
  },
  Operation(name: "normalisation by constants", shapes: [(6, 3), (1, 3), (1, 3)]) {
    let batch = randomDoubles(9, 3, seed: 7)
    let mean = DenseMatrix(rows: 1, columns: 3, elements: batch.row(0))
    let variance = DenseMatrix(rows: 1, columns: 3, elements: batch.row(1).map { $0 * $0 + 0.1 })
    return $0[0].normalized(
      by: BatchStatistics(mean: mean, variance: variance, rowCount: 9), scale: $0[1],
      shift: $0[2])
  },
  Operation(name: "inputs of edges", shapes: [(5, 3), (4, 3), (1, 3)]) {
    $0[0].edgeInputs(
      Adjacency(selecting: [4, 0, 0, 2, 1], of: 5), $0[1],
      Adjacency(selecting: [0, 0, 1, 3, 3], of: 4), slopes: $0[2])
  },
]

@Suite("Operations of the tape")
struct OperationTests {
  @Test("Gradients are the central differences to 1e-6", arguments: operations)
  fileprivate func gradientsAreCentralDifferences(_ operation: Operation) throws {
    let arguments = operation.shapes.enumerated().map {
      randomDoubles($1.0, $1.1, seed: 100 + $0)
    }
    let error = try gradientError(of: arguments) { try operation.function($0) }
    #expect(error < 1e-6)
  }

  /// Training asks whether the loss is a number: what is none must not be rectified away.
  @Test("Rectification leaves what is not a number", arguments: [0, 7, 16, 18])
  func rectificationKeepsNaN(place: Int) {
    func rectified<Scalar: DifferentiableScalar>(_ type: Scalar.Type) -> [[Scalar]] {
      var x = DenseMatrix<Scalar>(
        rows: 1, columns: 19, elements: (0..<19).map { Scalar($0) - 9 })
      x[0, place] = .nan
      var unit = DenseMatrix<Scalar>(rows: 19, columns: 19)
      for column in 0..<19 { unit[column, column] = 1 }
      let tape = Tape<Scalar>()
      var weight = unit
      weight[place, place] = .nan
      return [
        tape.constant(x).rectified().value.elements,
        tape.constant(DenseMatrix(rows: 1, columns: 19, elements: Array(repeating: 1, count: 19)))
          .linear(tape.constant(weight), isRectified: true).value.elements,
      ]
    }
    for found in rectified(Float.self) {
      #expect(found[place].isNaN && !found[(place + 1) % 19].isNaN)
    }
    for found in rectified(Double.self) {
      #expect(found[place].isNaN && !found[(place + 1) % 19].isNaN)
    }
  }

  @Test("A value that is used twice gets both gradients")
  func addsGradientsOfAllUses() throws {
    let x = randomDoubles(4, 3, seed: 1)
    let error = try gradientError(of: [x]) { x in
      let y = x[0].rectified(leak: 0.3)
      return y * y + y.scaled(by: 2) - x[0]
    }
    #expect(error < 1e-6)
  }

  @Test("The inputs of edges are the composition they stand for")
  func edgeInputsAreTheComposition() throws {
    let (u, t, a) = (
      randomMatrix(50, 33, seed: 1), randomMatrix(40, 33, seed: 2), randomMatrix(1, 33, seed: 3)
    )
    var generator = SeededGenerator(seed: 4)
    let sources = Adjacency(
      selecting: (0..<900).map { _ in Int32.random(in: 0..<50, using: &generator) }, of: 50)
    let destinations = Adjacency(
      selecting: (0..<900).map { _ in Int32.random(in: 0..<40, using: &generator) }, of: 40)
    let target = randomMatrix(900, 33, seed: 5)
    let fused = try results([u, t, a], target) {
      $0[0].edgeInputs(sources, $0[1], destinations, slopes: $0[2])
    }
    let composed = try results([u, t, a], target) {
      ($0[0].sums(over: sources) + $0[1].sums(over: destinations)).rectified(slopes: $0[2])
    }
    #expect(fused.value == composed.value)
    for (a, b) in zip(fused.gradients, composed.gradients) { #expect(distance(a, b) < 1e-5) }
  }

  @Test("Float's kernels agree with the plain loops of Double", .tags(.threads), arguments: [1, 2])
  func floatAgreesWithDouble(threads: Int) throws {
    let arguments = [
      randomDoubles(300, 40, seed: 1), randomDoubles(24, 40, seed: 2),
      randomDoubles(1, 24, seed: 3),
    ]
    var generator = SeededGenerator(seed: 4)
    let offsets = (0...70).map { $0 * 5 }
    let graph = Adjacency(
      SparsePattern(
        rowOffsets: offsets,
        columns: (0..<350).map { _ in Int32.random(in: 0..<300, using: &generator) },
        columnCount: 300))
    let weights = (0..<350).map { _ in Double.random(in: -1..<1, using: &generator) }
    let target = randomDoubles(70, 24, seed: 5)
    func program<S: DifferentiableScalar>(_ x: [Variable<S>], _ weights: [S]) -> Variable<S> {
      x[0].linear(x[1], bias: x[2]).rectified().weightedSums(weights, over: graph)
        .times(x[1]).linear(x[1])
    }
    let double = try results(arguments, target) { program($0, weights) }
    let float = try results(arguments.map(\.rounded), target.rounded, threads: threads) {
      program($0, weights.map { Float($0) })
    }
    #expect(distance(float.value, double.value.rounded) < 1e-5)
    for (a, b) in zip(float.gradients, double.gradients) {
      #expect(distance(a, b.rounded) < 1e-5)
    }
  }

  @Test("Gradients have the same bits for any number of threads", .tags(.threads))
  func threadsDoNotMatter() throws {
    let arguments = [
      randomMatrix(5000, 20, seed: 1), randomMatrix(17, 20, seed: 2), randomMatrix(1, 17, seed: 3),
      randomMatrix(1, 17, seed: 4),
    ]
    let target = randomMatrix(5000, 17, seed: 5)
    let runs = try [1, 2, 3].map { threads in
      try results(arguments, target, threads: threads) {
        $0[0].linear($0[1], bias: $0[2]).rectified(slopes: $0[3])
      }
    }
    for run in runs.dropFirst() { #expect(run.gradients == runs[0].gradients) }
  }

  @Test("A constant has no gradient, and nothing is computed for it")
  func constantsHaveNoGradient() throws {
    let tape = Tape<Double>()
    let x = tape.constant(randomDoubles(3, 2, seed: 1))
    let w = tape.parameter(randomDoubles(2, 2, seed: 2))
    let loss = (x.linear(w) * x).sum() + x.rectified().sum()
    let gradients = try tape.gradients(of: loss, on: SingleRank())
    #expect(gradients[x].elements.allSatisfy { $0 == 0 })
    #expect(gradients[w].elements.contains { $0 != 0 })
  }

  @Test("Cross entropy of certain logits is finite")
  func crossEntropyIsStable() throws {
    let tape = Tape<Float>()
    let x = tape.parameter(Matrix(rows: 2, columns: 2, elements: [200, -200, -200, 200]))
    let cross = x.crossEntropy(of: [1, 1], scale: 0.5)
    let focal = x.focalLoss(of: [1, 1], scale: 0.5)
    #expect(cross.scalar == 200 && focal.scalar == 200)
    let gradients = try tape.gradients(of: cross + focal, on: SingleRank())
    #expect(gradients[x].elements.allSatisfy { $0.isFinite })
  }
}

private func results<S: DifferentiableScalar>(
  _ arguments: [DenseMatrix<S>], _ target: DenseMatrix<S>, threads: Int = 1,
  _ function: ([Variable<S>]) -> Variable<S>
) throws -> (value: DenseMatrix<S>, gradients: [DenseMatrix<S>]) {
  let tape = Tape<S>(workers: Workers(threads))
  let variables = arguments.map { tape.parameter($0) }
  let value = function(variables)
  let loss = value.squaredError(from: target, scale: 1 / S(target.count))
  let gradients = try tape.gradients(of: loss, on: SingleRank())
  return (value.value, variables.map { gradients[$0] })
}

/// The largest difference, relative to the largest element.
private func distance(_ a: Matrix, _ b: Matrix) -> Float {
  let scale = max(1e-6, b.elements.reduce(0) { max($0, abs($1)) })
  return zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
}
