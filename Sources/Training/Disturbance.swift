package import Differentiation
package import LinearAlgebra
internal import Parallelism
internal import RandomNumbers

/// The random changes of a step, which keep the network from memorising its training points.
///
/// They follow from the seed, the step and global indices, so they are the same on any number of ranks
/// and after a restart.
public struct Disturbance: Equatable, Sendable {
  public let seed: UInt64
  public let step: Int
  /// The share of hidden elements that dropout sets to zero, in 0 ..< 1.
  public let dropout: Double
  /// Whether to apply one random rotation or reflection to all embeddings. It changes coordinates but
  /// not similarities, so coordinates cannot identify anybody.
  public let rotates: Bool

  public init(seed: UInt64, step: Int, dropout: Double, rotates: Bool) {
    precondition((0..<1).contains(dropout), "a dropout of \(dropout)")
    self.seed = seed
    self.step = step
    self.dropout = dropout
    self.rotates = rotates
  }

  /// 0 with the probability of dropout, else 1 / (1 − that); nil without dropout.
  package func mask<Scalar: DifferentiableScalar>(
    ofLayer layer: Int, nodes: [Int64], width: Int
  ) -> DenseMatrix<Scalar>? {
    guard dropout > 0 else { return nil }
    let kept = 1 / Scalar(1 - dropout)
    let bound = UInt64(dropout * 0x1p64)
    var elements: [Scalar] = []
    elements.reserveCapacity(nodes.count * width)
    for node in nodes {
      var stream = RandomStream(
        seed: seed ^ mixed(UInt64(step)),
        purpose: RandomPurpose.dropout.rawValue << 8 | UInt64(layer), index: Int(node))
      for _ in 0..<width { elements.append(stream.bits() < bound ? 0 : kept) }
    }
    return DenseMatrix(rows: nodes.count, columns: width, elements: elements)
  }

  /// A random orthogonal matrix; nil without rotations. Shape `[dimensions × dimensions]`.
  ///
  /// More than 128 dimensions are dealt at random to blocks of 128, and each block is rotated separately.
  /// Since every step deals anew, coordinates still carry no meaning.
  ///
  /// - Complexity: O(dimensions · 128²).
  package func rotation<Scalar: DifferentiableScalar>(dimensions: Int) -> DenseMatrix<Scalar>? {
    guard rotates else { return nil }
    var stream = RandomStream(seed: seed, purpose: RandomPurpose.rotation.rawValue, index: step)
    var columns = Array(0..<dimensions)
    if dimensions > Self.blockLength { columns = stream.shuffled(columns) }
    var rotation = DenseMatrix<Scalar>(rows: dimensions, columns: dimensions)
    for block in (0..<dimensions).tiles(of: Self.blockLength) {
      for (place, row) in randomRotation(of: block.count, &stream).enumerated() {
        for (column, value) in zip(columns[block], row) {
          rotation[block.lowerBound + place, column] = Scalar(value)
        }
      }
    }
    return rotation
  }

  private static let blockLength = 128
}

/// The rows of a random orthogonal matrix: random, each made orthogonal to those before it
/// (Gram–Schmidt), twice for rounding.
///
/// - Complexity: O(dimensions³).
private func randomRotation(of dimensions: Int, _ stream: inout RandomStream) -> [[Double]] {
  var rows: [[Double]] = []
  while rows.count < dimensions {
    var row = (0..<dimensions).map { _ in stream.normal() }
    for _ in 0..<2 {
      for other in rows {
        var dot = 0.0
        for column in 0..<dimensions { dot += row[column] * other[column] }
        for column in 0..<dimensions { row[column] -= dot * other[column] }
      }
    }
    let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 1e-6 else { continue }
    rows.append(row.map { $0 / norm })
  }
  return rows
}
