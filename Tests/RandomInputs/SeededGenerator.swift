public import LinearAlgebra

/// SplitMix64, so that a failure can be repeated from its seed.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Elements in −1 ..< 1, times `scale`.
public func randomMatrix(_ rows: Int, _ columns: Int, seed: Int, scale: Float = 1) -> Matrix {
  Matrix(
    rows: rows, columns: columns,
    elements: randomFloats(rows * columns, seed: seed, scale: scale))
}

/// Numbers in −1 ..< 1, times `scale`.
public func randomFloats(_ count: Int, seed: Int, scale: Float = 1) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in scale * Float.random(in: -1..<1, using: &generator) }
}

extension Matrix {
  /// A copy of some rows.
  public func slice(_ rows: Range<Int>) -> Matrix {
    Matrix(rows: rows.count, columns: columnCount, elements: elements(inRows: rows))
  }
}
