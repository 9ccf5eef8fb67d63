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
  /// - Parameters:
  ///   - scale: 1 over the number of rows, of all ranks, for the mean.
  ///   - parts: Of the rows.
  /// - Returns: The loss of this rank's rows, shape `[1 × 1]`, and in double precision that of each part.
  public func entropy(
    scale: Scalar, parts: RowBlocks
  ) -> (loss: Variable, ofParts: [Double]) {
    precondition(parts.rowCount == rowCount, "parts of \(parts.rowCount) rows of \(rowCount)")
    let s = value
    let epsilon = Scalar(1e-15)
    let sums = (0..<parts.count).map { Scalar.entropy(s, parts[$0], epsilon: epsilon) }
    let total = Scalar(sums.reduce(0, +)) * scale
    let loss = tape.record(DenseMatrix(rows: 1, columns: 1, elements: [total]), from: [self]) {
      gradient, _ in
      [Scalar.entropyGradient(s, epsilon: epsilon, factor: -scale * gradient[0, 0])]
    }
    return (loss, sums.map { $0 * Double(scale) })
  }

  /// How far nodes of the same cluster are from being neighbours: a share of DiffPool's link loss.
  ///
  ///     L = √(Σ_g ‖A_g − S_g S_gᵀ‖²) · scale;  ∂S = 2 scale / √… · (S Sᵀ S − A S)
  ///
  /// The square is |edges| − 2 Σ over edges ⟨Sᵢ, Sⱼ⟩ + ‖S Sᵀ‖², and of S Sᵀ `[n × n]` and
  /// Sᵀ S `[K × K]`, which have the same norm, the smaller is made: a graph costs what it holds.
  ///
  /// The root is of all ranks' graphs, whose squares are added part by part: the same bits on any number of
  /// ranks. A rank's loss is its part of L, in the share of its sum of squares, so that the ranks' losses
  /// add up to L.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per part. The gradient sends nothing,
  /// > and takes the factor of L in the loss to be the same on all ranks.
  ///
  /// - Parameters:
  ///   - adjacency: Where A is one; symmetric and block-diagonal.
  ///   - parts: Of the rows; each of whole blocks.
  ///   - scale: 1 over the number of elements of all ranks' A, counted block by block.
  /// - Returns: The rank's loss, shape `[1 × 1]`, and L.
  /// - Complexity: O(entries · K + Σ_g n · K · min(n, K)).
  public func linkLoss(
    from adjacency: SparsePattern, blocks: RowBlocks, parts: RowParts, scale: Scalar,
    on communicator: some Communicator
  ) throws -> (loss: Variable, ofAll: Double) {
    let (s, workers) = (value, workers)
    let neighbors = Scalar.weightedSums(nil, of: s, over: adjacency, using: workers)
    let products = similarityProducts(s, blocks: blocks, using: workers)
    let norms = products.squaredNorms(of: parts.blocks, blocks)
    let squares = (0..<parts.blocks.count).map { part in
      let rows = parts.blocks[part]
      let entries =
        adjacency.rowOffsets[rows.upperBound] - adjacency.rowOffsets[rows.lowerBound]
      return max(Double(entries) - 2 * s.dot(neighbors, rows) + norms[part], 0)
    }
    let root = try sum(squares, over: parts, on: communicator).squareRoot()
    let share = root > 0 ? Scalar(squares.reduce(0, +) / root) * scale : 0
    let loss = tape.record(DenseMatrix(rows: 1, columns: 1, elements: [share]), from: [self]) {
      gradient, _ in
      guard root > 0 else { return [DenseMatrix(rows: s.rowCount, columns: s.columnCount)] }
      let factor = 2 * scale * gradient[0, 0] / Scalar(root)
      var part = products.times(s, blocks: blocks, using: workers)
      part.subtract(neighbors, times: factor)
      return [part]
    }
    return (loss, root * Double(scale))
  }

  /// The link loss of a weighted graph, whose adjacency has a gradient too.
  ///
  ///     D = A − S Sᵀ;  L = √(Σ_g ‖D_g‖²) · scale;  ∂A = scale / √… · D,  ∂S = −scale / √… · (D + Dᵀ) S
  ///
  /// > Collective: as ``linkLoss(from:blocks:parts:scale:on:)``.
  ///
  /// - Parameters:
  ///   - adjacency: Blocks of `[length × length]`, one below the other.
  ///   - length: Rows of each block.
  ///   - parts: Of the rows; each of whole blocks.
  public func linkLoss(
    from adjacency: Variable, length: Int, parts: RowParts, scale: Scalar,
    on communicator: some Communicator
  ) throws -> (loss: Variable, ofAll: Double) {
    let (s, a, workers) = (value, adjacency.value, workers)
    precondition(
      a.rowCount == s.rowCount && a.columnCount == length && s.rowCount.isMultiple(of: length),
      "[\(a.rowCount) × \(a.columnCount)] for blocks of \(length)")
    let blocks = RowBlocks(count: s.rowCount / length, length: length)
    let product = Scalar.blockProducts(
      .byRows(height: length), s, s, blocks: blocks, using: workers)
    let difference = a.zip(product, using: workers, Difference())
    let squares = (0..<parts.blocks.count).map { part in
      difference.dot(difference, parts.blocks[part])
    }
    let root = try sum(squares, over: parts, on: communicator).squareRoot()
    let share = root > 0 ? Scalar(squares.reduce(0, +) / root) * scale : 0
    let loss = tape.record(
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
    return (loss, root * Double(scale))
  }

  /// The sum of a number of each part, over the parts of all ranks.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per part.
  private func sum(
    _ values: [Double], over parts: RowParts, on communicator: some Communicator
  ) throws -> Double {
    try PartSums(DenseMatrix(rows: values.count, columns: 1, elements: values))
      .totals(over: parts, on: communicator)[0]
  }
}

/// S Sᵀ or Sᵀ S of every block, whichever is smaller.
private struct SimilarityProducts<Scalar: PoolingScalar> {
  var blocks: [(matrix: DenseMatrix<Scalar>, isOfNodes: Bool)]

  /// Of each part.
  ///
  /// - Parameter rows: Of the blocks, each within a part.
  func squaredNorms(of parts: RowBlocks, _ rows: RowBlocks) -> [Double] {
    var norms = Array(repeating: 0.0, count: parts.count)
    var part = 0
    for (block, (matrix, _)) in blocks.enumerated() where !rows[block].isEmpty {
      while rows[block].lowerBound >= parts[part].upperBound { part += 1 }
      precondition(
        rows[block].upperBound <= parts[part].upperBound,
        "rows \(rows[block]) of a block leave the part \(parts[part])")
      norms[part] += matrix.dot(matrix, 0..<matrix.rowCount)
    }
    return norms
  }

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
  /// Σ x y over all elements of some rows, in order, in double precision.
  @specialized(where Scalar == Float)
  func dot(_ other: Self, _ rows: Range<Int>) -> Double {
    precondition(
      rowCount == other.rowCount && columnCount == other.columnCount && rows.lowerBound >= 0
        && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount)")
    let range = rows.lowerBound * columnCount..<rows.upperBound * columnCount
    return unsafe withUnsafeBufferPointer { all in
      unsafe other.withUnsafeBufferPointer { others in
        let x = unsafe UnsafeBufferPointer(rebasing: all[range])
        let y = unsafe UnsafeBufferPointer(rebasing: others[range])
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
