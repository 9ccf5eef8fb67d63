public import Communication
public import LinearAlgebra
internal import Parallelism

// Soft assignments of nodes to clusters, and what DiffPool asks of them.
// [Ying et al. 2018, arXiv:1806.08804]

extension Variable where Scalar: PoolingScalar {
  /// The soft assignment that logits make: softmax of every row.
  ///
  ///     ∂x = y ∘ (∂y − Σ of the row of y ∘ ∂y)
  ///
  /// The same function as ``softmaxOfRows()``, by a kernel whose exponential is a polynomial.
  public func assignments() -> Variable {
    let workers = workers
    let y = Scalar.softmax(ofRows: value, using: workers)
    return tape.record(y, from: [self]) { gradient, _ in
      [Scalar.softmaxGradient(y, gradient, using: workers)]
    }
  }

  /// How undecided soft assignments are.
  ///
  ///     scale · Σ −S ln(S + 10⁻¹⁵);  ∂S = −scale · (ln(S + 10⁻¹⁵) + S / (S + 10⁻¹⁵))
  ///
  /// - Parameter scale: 1 over the number of rows, of all ranks, for the mean.
  /// - Returns: Shape `[1 × 1]`.
  public func entropy(scale: Scalar) -> Variable {
    let s = value
    let epsilon = Scalar(1e-15)
    let total = Scalar(Scalar.entropy(s, epsilon: epsilon)) * scale
    return tape.record(DenseMatrix(rows: 1, columns: 1, elements: [total]), from: [self]) {
      gradient, _ in
      [Scalar.entropyGradient(s, epsilon: epsilon, factor: -scale * gradient[0, 0])]
    }
  }

  /// How far nodes of the same cluster are from being neighbours: a share of DiffPool's link loss.
  ///
  ///     L = √(Σ_g ‖A_g − S_g S_gᵀ‖²) · scale;  ∂S = 2 scale / √… · (S Sᵀ S − A S)
  ///
  /// The square is |edges| − 2 Σ over edges ⟨Sᵢ, Sⱼ⟩ + ‖S Sᵀ‖², and of S Sᵀ `[n × n]` and
  /// Sᵀ S `[K × K]`, which have the same norm, the smaller is made: a graph costs what it holds.
  ///
  /// The root is of all ranks' graphs. A rank's result is its part of it, in the share of its sum of
  /// squares, so that the ranks' results add up to L.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank. The gradient sends nothing,
  /// > and takes the factor of L in the loss to be the same on all ranks.
  ///
  /// - Parameters:
  ///   - adjacency: Where A is one; symmetric and block-diagonal.
  ///   - scale: 1 over the number of elements of all ranks' A, counted block by block.
  /// - Returns: Shape `[1 × 1]`.
  /// - Complexity: O(entries · K + Σ_g n · K · min(n, K)).
  public func linkLoss(
    from adjacency: SparsePattern, blocks: RowBlocks, scale: Scalar,
    on communicator: some Communicator
  ) throws -> Variable {
    let (s, workers) = (value, workers)
    let neighbors = Scalar.weightedSums(nil, of: s, over: adjacency, using: workers)
    let products = similarityProducts(s, blocks: blocks, using: workers)
    let own =
      Double(adjacency.entryCount) - 2 * s.dot(neighbors) + products.squaredNorm
    let all = try communicator.allReduce(max(own, 0), +)
    let root = all.squareRoot()
    let share = root > 0 ? Scalar(max(own, 0) / root) * scale : 0
    return tape.record(DenseMatrix(rows: 1, columns: 1, elements: [share]), from: [self]) {
      gradient, _ in
      guard root > 0 else { return [DenseMatrix(rows: s.rowCount, columns: s.columnCount)] }
      let factor = 2 * scale * gradient[0, 0] / Scalar(root)
      var part = products.times(s, blocks: blocks, using: workers)
      part.subtract(neighbors, times: factor)
      return [part]
    }
  }

  /// The link loss of a weighted graph, whose adjacency has a gradient too.
  ///
  ///     D = A − S Sᵀ;  L = √(Σ_g ‖D_g‖²) · scale;  ∂A = scale / √… · D,  ∂S = −scale / √… · (D + Dᵀ) S
  ///
  /// > Collective: as ``linkLoss(from:blocks:scale:on:)``.
  ///
  /// - Parameters:
  ///   - adjacency: Blocks of `[length × length]`, one below the other.
  ///   - length: Rows of each block.
  public func linkLoss(
    from adjacency: Variable, length: Int, scale: Scalar, on communicator: some Communicator
  ) throws -> Variable {
    let (s, a, workers) = (value, adjacency.value, workers)
    precondition(
      a.rowCount == s.rowCount && a.columnCount == length && s.rowCount.isMultiple(of: length),
      "[\(a.rowCount) × \(a.columnCount)] for blocks of \(length)")
    let blocks = RowBlocks(count: s.rowCount / length, length: length)
    let product = Scalar.blockProducts(
      .byRows(height: length), s, s, blocks: blocks, using: workers)
    let difference = a.zip(product, using: workers, Difference())
    let own = difference.dot(difference)
    let root = try communicator.allReduce(own, +).squareRoot()
    let share = root > 0 ? Scalar(own / root) * scale : 0
    return tape.record(
      DenseMatrix(rows: 1, columns: 1, elements: [share]), from: [self, adjacency]
    ) { gradient, wants in
      let factor = root > 0 ? scale * gradient[0, 0] / Scalar(root) : 0
      let straight = Scalar.blockProducts(.plain, difference, s, blocks: blocks, using: workers)
      let turned = Scalar.blockProducts(
        .transposed, difference, s, blocks: blocks, using: workers)
      var sum = straight
      if wants[0] {
        sum.add(turned, using: workers)
        sum.update(using: workers, Multiple(factor: -factor))
      }
      return [
        wants[0] ? sum : nil,
        wants[1] ? difference.map(using: workers, Multiple(factor: factor)) : nil,
      ]
    }
  }
}

/// S Sᵀ or Sᵀ S of every block, whichever is smaller.
private struct SimilarityProducts<Scalar: PoolingScalar> {
  var blocks: [(matrix: DenseMatrix<Scalar>, isOfNodes: Bool)]

  var squaredNorm: Double { blocks.reduce(0) { $0 + $1.matrix.dot($1.matrix) } }

  /// S Sᵀ S of every block.
  func times(_ s: DenseMatrix<Scalar>, blocks rows: RowBlocks, using workers: Workers)
    -> DenseMatrix<Scalar>
  {
    var result = DenseMatrix<Scalar>(rows: s.rowCount, columns: s.columnCount)
    for (block, (matrix, isOfNodes)) in blocks.enumerated() {
      let own = s.copy(ofRows: rows[block])
      let product =
        isOfNodes
        ? Scalar.product(matrix, own, using: workers)
        : Scalar.product(own, matrix, using: workers)
      result.replace(rows: rows[block], by: product)
    }
    return result
  }
}

private func similarityProducts<Scalar: PoolingScalar>(
  _ s: DenseMatrix<Scalar>, blocks: RowBlocks, using workers: Workers
) -> SimilarityProducts<Scalar> {
  SimilarityProducts(
    blocks: (0..<blocks.count).map { block in
      let own = s.copy(ofRows: blocks[block])
      let isOfNodes = own.rowCount < own.columnCount
      return (
        isOfNodes
          ? Scalar.product(own, byRowsOf: own, bias: nil, using: workers)
          : Scalar.transposedProduct(own, own, using: workers), isOfNodes
      )
    })
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  /// Σ x y over all elements, the rows in order, in double precision.
  @specialized(where Scalar == Float)
  fileprivate func dot(_ other: Self) -> Double {
    precondition(rowCount == other.rowCount && columnCount == other.columnCount)
    return unsafe withUnsafeBufferPointer { x in
      unsafe other.withUnsafeBufferPointer { y in
        // Four running sums, so that additions do not wait for each other.
        var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
        var place = 0
        while place + 4 <= x.count {
          unsafe a += Double(x[place]) * Double(y[place])
          unsafe b += Double(x[place + 1]) * Double(y[place + 1])
          unsafe c += Double(x[place + 2]) * Double(y[place + 2])
          unsafe d += Double(x[place + 3]) * Double(y[place + 3])
          place += 4
        }
        while place < x.count {
          unsafe a += Double(x[place]) * Double(y[place])
          place += 1
        }
        return a + b + (c + d)
      }
    }
  }

  /// Becomes factor · (x − y).
  @specialized(where Scalar == Float)
  fileprivate mutating func subtract(_ other: Self, times factor: Scalar) {
    precondition(rowCount == other.rowCount && columnCount == other.columnCount)
    unsafe other.withUnsafeBufferPointer { y in
      unsafe withUnsafeMutableBufferPointer { x in
        for place in x.indices { unsafe x[place] = factor * (x[place] - y[place]) }
      }
    }
  }

  @specialized(where Scalar == Float)
  fileprivate mutating func replace(rows: Range<Int>, by other: Self) {
    precondition(
      rows.count == other.rowCount && columnCount == other.columnCount && rows.lowerBound >= 0
        && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount)")
    let first = rows.lowerBound * columnCount
    unsafe withUnsafeMutableBufferPointer { target in
      unsafe other.withUnsafeBufferPointer { source in
        unsafe (target.baseAddress! + first).update(
          from: source.baseAddress!, count: source.count)
      }
    }
  }
}
