import LinearAlgebra

/// SplitMix64, so that a failure can be repeated from its seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Elements in −1 ..< 1.
func randomMatrix(_ rows: Int, _ columns: Int, seed: Int) -> Matrix {
  var generator = SeededGenerator(seed: seed)
  return Matrix(
    rows: rows, columns: columns,
    elements: (0..<rows * columns).map { _ in Float.random(in: -1..<1, using: &generator) })
}

extension Matrix {
  /// Distinguishes −0 from 0, which == does not.
  var bits: [UInt32] { elements.map(\.bitPattern) }
}
