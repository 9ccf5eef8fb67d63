import Communication
import Differentiation
import LinearAlgebra
import Parallelism
import RandomInputs
import TestTags
import Testing

/// Graphs of 3, 0, 1 and 2 nodes.
private let blocks = RowBlocks(offsets: [0, 3, 3, 4, 6])

/// Their neighbours: a path of three, a lone node, an edge.
private let neighbors = Adjacency(
  SparsePattern(
    rowOffsets: [0, 1, 3, 4, 4, 5, 6], columns: [1, 0, 2, 1, 5, 4], columnCount: 6))

/// The same with symmetric weights, in two parts.
private func weighted<Scalar: DifferentiableScalar>() -> PartedGraph<Scalar> {
  PartedGraph(
    neighbors.pattern, weights: [0.5, 0.5, -2, -2, 3, 3],
    parts: RowParts(RowBlocks(offsets: [0, 4, 4, 6])))
}

private struct Operation: CustomTestStringConvertible, Sendable {
  let name: String
  let shapes: [(Int, Int)]
  let function: @Sendable ([Variable<Double>]) throws -> Variable<Double>
  var testDescription: String { name }
}

private let operations = [
  Operation(name: "transposed products of blocks", shapes: [(6, 2), (6, 3)]) {
    $0[0].transposedProduct(with: $0[1], blocks: blocks)
  },
  Operation(name: "a block's product with itself", shapes: [(6, 2)]) {
    $0[0].transposedProduct(with: $0[0], blocks: blocks)
  },
  Operation(name: "products of blocks", shapes: [(6, 2), (8, 3)]) {
    $0[0].times($0[1], blocks: blocks)
  },
  Operation(name: "division by sums", shapes: [(5, 3), (5, 4)]) {
    // Sums on both sides of 1.
    $0[0].divided(bySumsOf: ($0[1] * $0[1]).scaled(by: 0.8))
  },
  Operation(name: "assignments", shapes: [(5, 4)]) { $0[0].assignments() },
  Operation(name: "entropy", shapes: [(6, 4)]) {
    $0[0].assignments().entropy(scale: 0.3, parts: blocks).loss
  },
  Operation(name: "link loss, more nodes than clusters", shapes: [(6, 2)]) {
    try $0[0].assignments().linkLoss(
      from: neighbors.pattern, blocks: blocks, parts: RowParts(blocks), scale: 0.7, on: SingleRank()
    ).loss
  },
  Operation(name: "link loss, more clusters than nodes", shapes: [(6, 5)]) {
    try $0[0].assignments().linkLoss(
      from: neighbors.pattern, blocks: blocks, parts: RowParts(blocks), scale: 0.7, on: SingleRank()
    ).loss
  },
  Operation(name: "link loss of a weighted graph", shapes: [(6, 2), (6, 3)]) {
    try $0[0].assignments().linkLoss(
      from: $0[1], length: 3, parts: RowParts(RowBlocks(count: 2, length: 3)), scale: 0.7,
      on: SingleRank()
    ).loss
  },
  Operation(name: "sums of members", shapes: [(6, 2)]) {
    $0[0].aggregated(.sum, over: Adjacency(segments: blocks.offsets))
  },
  Operation(name: "means of members", shapes: [(6, 2)]) {
    $0[0].aggregated(.mean, over: Adjacency(segments: blocks.offsets))
  },
  Operation(name: "maxima of members", shapes: [(6, 2)]) {
    $0[0].aggregated(.max, over: Adjacency(segments: blocks.offsets))
  },
  Operation(name: "a convolution of as many columns", shapes: [(6, 2), (2, 2), (1, 2)]) {
    $0[0].convolved(over: weighted(), weight: $0[1], bias: $0[2], isRectified: true)
  },
  Operation(name: "a convolution without ReLU", shapes: [(6, 2), (3, 2), (1, 3)]) {
    $0[0].convolved(over: weighted(), weight: $0[1], bias: $0[2], isRectified: false)
  },
  Operation(name: "sums over neighbours", shapes: [(6, 2)]) {
    $0[0].neighborSums(nil, over: neighbors.pattern)
  },
  Operation(name: "weighted sums over neighbours", shapes: [(6, 2)]) {
    $0[0].neighborSums(
      [1, 2, 3, 4, 5, 6], transposed: [2, 1, 4, 3, 6, 5], over: neighbors.pattern)
  },
  Operation(name: "means of blocks", shapes: [(6, 2)]) { $0[0].means(of: blocks) },
  Operation(name: "dense layer", shapes: [(6, 3), (4, 3), (6, 2), (4, 2), (1, 4)]) {
    .affine(
      [($0[0], $0[1]), ($0[2], $0[3])], bias: $0[4], isRectified: true, parts: RowParts(blocks))
  },
  Operation(name: "dense layer without ReLU", shapes: [(6, 3), (2, 3), (1, 2)]) {
    .affine([($0[0], $0[1])], bias: $0[2], isRectified: false, parts: RowParts(blocks))
  },
  Operation(name: "multiples of rows", shapes: [(6, 2), (6, 2), (1, 1)]) {
    $0[0].adding($0[1], timesOnePlus: $0[2], parts: RowParts(blocks))
  },
  Operation(name: "normalisation over ranks", shapes: [(6, 3), (1, 3), (1, 3)]) {
    try $0[0].batchNormalized(
      scale: $0[1], shift: $0[2], parts: RowParts(blocks), on: SingleRank()
    ).rows
  },
]

@Suite struct PoolingTests {
  @Test(arguments: operations)
  private func gradientsAreCentralDifferences(operation: Operation) throws {
    for seed in 0..<2 {
      let arguments = operation.shapes.enumerated().map {
        randomDoubles($1.0, $1.1, seed: 100 * seed + $0)
      }
      let error = try gradientError(of: arguments, operation.function)
      #expect(error < 1e-6, "seed \(seed): \(error)")
    }
  }

  @Test(arguments: [1, 2, 15, 16, 17, 40], [1, 3])
  func kernelsOfAssignmentsAgreeWithTheirTwins(width: Int, threads: Int) {
    let workers = Workers(threads)
    for scale in [1, 30, 300] as [Float] {
      let x = randomMatrix(33, width, seed: width, scale: scale)
      let y = Float.softmax(ofRows: x, using: workers)
      #expect(largestDifference(y, Float.plainSoftmax(ofRows: x)) < 4e-7)
      let g = randomMatrix(33, width, seed: width + 1)
      #expect(
        largestDifference(
          Float.softmaxGradient(y, g, using: workers), Float.plainSoftmaxGradient(y, g)) < 4e-7)
      let entropy = Float.entropy(y, 0..<y.rowCount, epsilon: 1e-15)
      #expect(
        abs(entropy - Float.plainEntropy(y, 0..<y.rowCount, epsilon: 1e-15))
          < 2e-6 * max(1, entropy))
      let gradient = Float.entropyGradient(y, epsilon: 1e-15, factor: 0.5)
      let plain = Float.plainEntropyGradient(y, epsilon: 1e-15, factor: 0.5)
      #expect(largestDifference(gradient, plain) < 1e-5)
    }
  }

  @Test(.tags(.threads), arguments: [(1, 1), (5, 64), (160, 64), (38, 65), (70, 3)], [1, 3])
  func productsOfBlocksAgreeWithTheirTwins(columns: (Int, Int), threads: Int) {
    let rows = RowBlocks(offsets: [0, 7, 7, 8, 40])
    let a = randomMatrix(40, columns.0, seed: 1)
    let b = randomMatrix(40, columns.1, seed: 2)
    let stack = randomMatrix(4 * columns.0, columns.1, seed: 3)
    for (kind, left, right) in [
      (BlockProduct.transposed, a, b), (.plain, a, stack), (.byRows(height: columns.0), b, stack),
    ] {
      let found = Float.blockProducts(kind, left, right, blocks: rows, using: Workers(threads))
      let plain = Float.plainBlockProducts(kind, left, right, blocks: rows)
      #expect(largestDifference(found, plain) < 2e-5, "\(kind)")
    }
  }

  @Test(arguments: [0, 1, 511, 1100], [1, 3])
  func kernelsOverRowsAgreeWithTheirTwins(rows: Int, threads: Int) {
    let workers = Workers(threads)
    for width in [1, 17, 64] {
      let (x, g) = (randomMatrix(rows, width, seed: 1), randomMatrix(rows, width, seed: 2))
      let (a, b, c) = (
        randomMatrix(1, width, seed: 3), randomMatrix(1, width, seed: 4),
        randomMatrix(3, width, seed: 5)
      )
      let (w, v) = (randomMatrix(9, width, seed: 6), randomMatrix(9, width, seed: 7))
      let bias = randomMatrix(1, 9, seed: 8)
      let found = Float.affine([(x, w), (g, v)], bias: bias, isRectified: true, using: workers)
      let plain = Float.plainAffine([(x, w), (g, v)], bias: bias, isRectified: true)
      #expect(largestDifference(found, plain) < 2e-5)
      let parts = RowBlocks(offsets: [0, rows / 3, rows / 3, rows])
      func close(_ a: PartSums<Float>, _ b: PartSums<Float>) -> Bool {
        a.rows.rowCount == b.rows.rowCount && a.totals.count == b.totals.count
          && zip(a.totals, b.totals).allSatisfy { abs($0 - $1) < 1e-3 }
      }
      for y in [x, nil] {
        var (passed, plainPassed) = (g, g)
        let terms = [
          (x: x, weight: randomMatrix(width, width, seed: 9)),
          (g, randomMatrix(width, width, seed: 10)),
        ]
        let found = Float.affineGradient(
          &passed, of: y, terms, wants: [true, false], parts: parts, using: workers)
        let plain = Float.plainAffineGradient(
          &plainPassed, of: y, terms, wants: [true, false], parts: parts)
        #expect(passed == plainPassed)
        #expect(close(found.sums, plain.sums))
        #expect(largestDifference(found.inputs[0]!, plain.inputs[0]!) < 2e-5)
        #expect(found.inputs[1] == nil)
      }
      let means = Float.means(x, of: parts, using: workers)
      #expect(largestDifference(means, Float.plainMeans(x, of: parts)) < 1e-5)
      #expect(
        Float.spread(means, over: parts, using: workers) == Float.plainSpread(means, over: parts))
      #expect(
        close(
          Float.columnSums(x, parts: parts, using: workers), Float.plainColumnSums(x, parts: parts))
      )
      #expect(
        close(
          Float.squares(x, mean: a, parts: parts, using: workers),
          Float.plainSquares(x, mean: a, parts: parts)))
      #expect(
        largestDifference(
          Float.normalize(x, mean: a, slope: b, shift: a, using: workers),
          Float.plainNormalize(x, mean: a, slope: b, shift: a)) < 1e-6)
      #expect(
        close(
          Float.normalizationSums(g, x, mean: a, parts: parts, using: workers),
          Float.plainNormalizationSums(g, x, mean: a, parts: parts)))
      var (turned, plainTurned) = (g, g)
      Float.turnNormalizationGradient(&turned, x, coefficients: c, using: workers)
      Float.plainTurnNormalizationGradient(&plainTurned, x, coefficients: c)
      #expect(largestDifference(turned, plainTurned) < 1e-6)
    }
  }

  @Test(arguments: [(3, 64), (64, 64), (64, 5), (17, 17), (1, 1)], [1, 3])
  func convolutionsAgreeWithTheirTwins(widths: (Int, Int), threads: Int) {
    let (length, width) = widths
    let graph: PartedGraph<Float> = weighted()
    let (x, g) = (randomMatrix(6, length, seed: 1), randomMatrix(6, width, seed: 2))
    let (weight, bias) = (randomMatrix(width, length, seed: 3), randomMatrix(1, width, seed: 4))
    let workers = Workers(threads)
    let (sums, y) = Float.convolution(
      x, over: graph, weight: weight, bias: bias, isRectified: true, using: workers)
    let plain = Float.plainConvolution(
      x, over: graph, weight: weight, bias: bias, isRectified: true)
    #expect(largestDifference(sums, plain.sums) < 1e-6)
    #expect(largestDifference(y, plain.result) < 2e-5)
    for wantsInput in [true, false] {
      var (passed, plainPassed) = (g, g)
      let found = Float.convolutionGradient(
        &passed, of: y, sums: sums, over: graph, weight: weight, wantsInput: wantsInput,
        using: workers)
      let expected = Float.plainConvolutionGradient(
        &plainPassed, of: y, sums: sums, over: graph, weight: weight, wantsInput: wantsInput)
      #expect(zip(found.sums.totals, expected.sums.totals).allSatisfy { abs($0 - $1) < 1e-5 })
      #expect(found.sums.totals.count == expected.sums.totals.count)
      #expect((found.inputs[0] != nil) == wantsInput)
      if wantsInput {
        #expect(largestDifference(found.inputs[0]!, expected.inputs[0]!) < 1e-4)
      }
    }
  }

  @Test func anEdgeBetweenPartsIsRefused() async {
    await #expect(processExitsWith: .failure) {
      _ = PartedGraph<Float>(
        SparsePattern(rowOffsets: [0, 1, 2], columns: [1, 0], columnCount: 2), weights: [1, 1],
        parts: RowParts(RowBlocks(offsets: [0, 1, 2])))
    }
  }

  @Test func aBlocksProductIsThatOfTheBlockAlone() {
    let rows = RowBlocks(offsets: [0, 7, 40])
    let (a, b) = (randomMatrix(40, 12, seed: 1), randomMatrix(40, 20, seed: 2))
    let both = Float.blockProducts(.transposed, a, b, blocks: rows, using: Workers())
    let alone = Float.blockProducts(
      .transposed, a.slice(7..<40), b.slice(7..<40), blocks: RowBlocks(count: 1, length: 33),
      using: Workers())
    #expect(both.slice(12..<24) == alone)
  }

  @Test(arguments: 1...4)
  func normalisationAndLinkLossAreThoseOfOneRank(ranks: Int) throws {
    let whole = try normalized(rankCount: 1)
    let parts = try normalized(rankCount: ranks)
    #expect(largestDifference(parts.rows, whole.rows) < 1e-12)
    #expect(largestDifference(parts.gradient, whole.gradient) < 1e-12)
    #expect(abs(parts.loss - whole.loss) < 1e-12)
  }

  /// The nodes of the four graphs, dealt out in order; every rank's rows and gradients put together.
  private func normalized(rankCount: Int) throws -> (
    rows: DenseMatrix<Double>, gradient: DenseMatrix<Double>, loss: Double
  ) {
    let x = randomDoubles(6, 3, seed: 1)
    let (gamma, beta) = (randomDoubles(1, 3, seed: 2), randomDoubles(1, 3, seed: 3))
    let weights = randomDoubles(6, 3, seed: 4)
    let answers = try ThreadCommunicator.run(ranks: rankCount) { communicator in
      let graphs =
        4 * communicator.rank.index / rankCount..<4
        * (communicator.rank.index + 1) / rankCount
      let rows = blocks.offsets[graphs.lowerBound]..<blocks.offsets[graphs.upperBound]
      let first = rows.lowerBound
      let tape = Tape<Double>()
      let variable = tape.parameter(x.copy(ofRows: rows))
      let own = SparsePattern(
        rowOffsets: rows.reduce(into: [0]) {
          $0.append($0[$0.count - 1] + neighbors.pattern.entries(ofRow: $1).count)
        },
        columns: rows.flatMap { row in
          neighbors.pattern.entries(ofRow: row).map {
            neighbors.pattern.columns[$0] - Int32(first)
          }
        }, columnCount: rows.count)
      let parts = RowParts(
        RowBlocks(offsets: [0, rows.count]), hands: communicator.ranks.map { [$0.index] })
      let normal = try variable.batchNormalized(
        scale: tape.constant(gamma), shift: tape.constant(beta),
        parts: parts, on: communicator
      ).rows
      let link = try normal.assignments().linkLoss(
        from: own,
        blocks: RowBlocks(
          offsets: (graphs.lowerBound...graphs.upperBound).map { blocks.offsets[$0] - first }),
        parts: parts, scale: 0.4, on: communicator
      ).loss
      let loss = (normal * tape.constant(weights.copy(ofRows: rows))).sum() + link
      let gradients = try tape.gradients(of: loss, on: communicator)
      return (normal.value, gradients[variable], loss.scalar)
    }
    return (
      answers.dropFirst().reduce(answers[0].0) { $0.stacked(on: $1.0) },
      answers.dropFirst().reduce(answers[0].1) { $0.stacked(on: $1.1) },
      answers.reduce(0) { $0 + $1.2 }
    )
  }

  private func largestDifference<Scalar: MatrixScalar>(
    _ a: DenseMatrix<Scalar>, _ b: DenseMatrix<Scalar>
  ) -> Scalar {
    guard a.rowCount == b.rowCount, a.columnCount == b.columnCount else { return .infinity }
    return zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }
}
