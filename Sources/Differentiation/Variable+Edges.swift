internal import LinearAlgebra
internal import Parallelism

extension Variable {
  /// PReLU of the sum of a source's and a destination's row, for every edge: what the decoder of
  /// linkages starts from.
  ///
  ///     yₑ = PReLU( u at source(e) + t at destination(e) )
  ///
  /// One pass in place of two selections, a sum and a PReLU; nothing of the size of edges × channels
  /// but the result is kept, and the sum is computed again for the gradients.
  ///
  /// - Parameters:
  ///   - sources: Selects a row of this value for every edge.
  ///   - destination: Shape `[destinations × channels]`.
  ///   - destinations: Selects a row of `destination` for every edge.
  ///   - slopes: Shape `[1 × channels]`.
  /// - Returns: Shape `[edges × channels]`.
  /// - Complexity: O(edges · channels).
  public func edgeInputs(
    _ sources: Adjacency, _ destination: Variable, _ destinations: Adjacency, slopes: Variable
  ) -> Variable {
    let (u, t, a, workers) = (value, destination.value, slopes.value, workers)
    precondition(
      sources.rowCount == destinations.rowCount && sources.entryCount == sources.rowCount
        && destinations.entryCount == destinations.rowCount && sources.columnCount == u.rowCount
        && destinations.columnCount == t.rowCount && u.columnCount == t.columnCount
        && a.count == u.columnCount,
      "\(sources.rowCount) sources, \(destinations.rowCount) destinations, \(a.count) slopes")
    let (from, to) = (sources.pattern.columns, destinations.pattern.columns)
    let y = Scalar.edgeInputs(u, from, t, to, slopes: a, using: workers)
    return tape.record(y, from: [self, destination, slopes]) { gradient, wants in
      let slopeGradient = gradient.passEdgeInputs(u, from, t, to, slopes: a, using: workers)
      return [
        wants[0]
          ? Scalar.weightedSums(nil, of: gradient, over: sources.transpose, using: workers) : nil,
        wants[1]
          ? Scalar.weightedSums(nil, of: gradient, over: destinations.transpose, using: workers)
          : nil,
        wants[2] ? slopeGradient : nil,
      ]
    }
  }
}

extension DenseMatrix where Scalar: DifferentiableScalar {
  /// Turns the gradient of the result into that of the sum; returns that of the slopes.
  @specialized(where Scalar == Float)
  fileprivate mutating func passEdgeInputs(
    _ u: Self, _ sources: [Int32], _ t: Self, _ destinations: [Int32], slopes: Self,
    using workers: Workers
  ) -> Self {
    let width = columnCount
    return unsafe u.withUnsafeBufferPointer { u in
      unsafe t.withUnsafeBufferPointer { t in
        unsafe slopes.withUnsafeBufferPointer { slopes in
          let (u, t, slopes) = unsafe (Shared(u), Shared(t), Shared(slopes))
          return unsafe updateRows(using: workers) { edge, gradient, sums in
            let (from, to) = (Int(sources[edge]) * width, Int(destinations[edge]) * width)
            for column in 0..<width {
              let x = unsafe u.all[from + column] + t.all[to + column]
              let outer = unsafe gradient[column]
              unsafe gradient[column] = x > 0 ? outer : slopes.all[column] * outer
              unsafe sums[column] += x > 0 ? 0 : x * outer
            }
          }
        }
      }
    }
  }
}
