package import DistributedGraphs
package import LinearAlgebra

// The kernels of this module, plainly: their twins, bit for bit.

/// The weighted sum over every owned node's in-edges: the twin of
/// ``addNeighborSums(_:of:over:into:at:using:)``.
///
///     mᵢ = Σⱼ wᵢⱼ xⱼ
///
/// Every element is one chain of fused multiply-adds from 0 in the order of the row.
///
/// - Returns: Shape `[ownedCount × rows.width]`.
package func referenceNeighborSums(
  _ weights: [Float], of rows: LocalRows, over graph: NeighborGraph
) -> Matrix {
  var sums = Matrix(rows: graph.ownedCount, columns: rows.width)
  for node in 0..<graph.ownedCount {
    for column in 0..<rows.width {
      sums[node, column] = graph.edges(into: node).reduce(0) { sum, edge in
        sum.addingProduct(weights[edge], rows[graph.columns[edge], column])
      }
    }
  }
  return sums
}

extension LocalRows {
  fileprivate subscript(node: LocalNode, column: Int) -> Float {
    let row = Int(node.index)
    return row < owned.rowCount
      ? owned[row, firstColumn + column] : ghosts[row - owned.rowCount, column]
  }
}

extension LinkageDecoder {
  /// z₁ − z₀ of every edge of a batch: the twin of
  /// ``decode(_:source:destination:into:using:)``.
  ///
  /// - Returns: In the order of the batch. Shape `[batch.count]`.
  package func referenceLogits(
    _ batch: EdgeBatch, source: Matrix, destination: Matrix
  ) -> [Float] {
    var inputs = Matrix(rows: batch.count, columns: width)
    for edge in 0..<batch.count {
      let u = source.row(Int(batch.sources[edge]))
      let t = destination.row(Int(batch.destinations[edge]))
      for channel in 0..<width {
        inputs[edge, channel] = rectified(u[channel] + t[channel], slope: firstSlope[channel])
      }
    }
    let middles = referenceProduct(inputs, middle.weight, bias: middle.bias)
    let weights = logitDifference
    return (0..<batch.count).map { edge in
      let q = middles.row(edge)
      return sixteenLaneSum(
        of: zip(q, secondSlope).map { rectified($0, slope: $1) }, times: weights) + biasDifference
    }
  }
}

/// PReLU.
private func rectified(_ x: Float, slope: Float) -> Float { x > 0 ? x : slope * x }

/// Σ x y in the order of the kernels: lane l takes places l, l + 16, …; then lanes are added
/// pairwise, 0 with 8, 1 with 9, …, then 0 with 4, …
private func sixteenLaneSum(of x: [Float], times y: [Float]) -> Float {
  var lanes = Array(repeating: Float(0), count: 16)
  for place in x.indices {
    lanes[place % 16] = lanes[place % 16].addingProduct(x[place], y[place])
  }
  while lanes.count > 1 {
    let half = lanes.count / 2
    lanes = (0..<half).map { lanes[$0] + lanes[half + $0] }
  }
  return lanes[0]
}
