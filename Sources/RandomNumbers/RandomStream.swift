/// Random numbers by counter: the values follow from a seed, a purpose and an index alone, so that
/// any of them can be made anywhere, in any order, and agree: on any rank, and after a restart.
///
/// SplitMix64 (Steele, Lea, Flood 2014), started at a hash of the three. Only integer arithmetic and
/// IEEE operations are used, no mathematical library: the same bits on every machine.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// - Parameters:
  ///   - purpose: What the numbers are for; each purpose has streams of its own.
  ///   - index: Which of them, such as a step or a row.
  public init(seed: UInt64, purpose: UInt64, index: Int = 0) {
    state = mixed(mixed(mixed(seed) ^ purpose) ^ UInt64(bitPattern: Int64(index)))
  }

  public mutating func next() -> UInt64 { bits() }

  public mutating func bits() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return mixed(state)
  }

  /// In (0, 1]: 53 random bits.
  public mutating func uniform() -> Double { Double((bits() >> 11) + 1) * 0x1p-53 }

  /// Of mean 0 and variance 1, nearly normal: the sum of four uniform 16-bit integers.
  ///
  /// Its tails end at ±3.46 and its kurtosis is 2.7 instead of 3 (Irwin–Hall); directions of vectors
  /// of many such numbers are as good as isotropic. Costs one draw and no logarithm.
  public mutating func normal() -> Double {
    let bits = bits()
    let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
    return (Double(Int64(sum)) - 2 * 65535) * Self.normalScale
  }

  private static let normalScale = (3.0 / (65536 * 65536 - 1)).squareRoot()

  /// At least 0, long-tailed, of mean (1 − c) / (1 + c) with c = `limitRoot`: 1/√u − 1.
  ///
  /// A Lomax distribution of exponent 2, P(x > t) = 1 / (1 + t)², cut off at 1/c − 1.
  public mutating func longTailed(limitRoot c: Double) -> Double {
    1 / (c * c + (1 - c * c) * uniform()).squareRoot() - 1
  }
}

/// The finalizer of SplitMix64, a bijection in which every bit depends on every bit.
public func mixed(_ bits: UInt64) -> UInt64 {
  var z = bits
  z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
  return z ^ (z >> 31)
}

/// A pseudo-random order of 0 ..< count that is evaluated place by place, without a table.
///
/// A Feistel network on the next even number of bits; results outside the range are put in again
/// until one is inside (cycle walking; fewer than four times on average).
public struct PseudorandomPermutation: Sendable {
  private let count: Int
  private let halfWidth: UInt64
  private var keys: [UInt64] = []

  public init(count: Int, _ stream: RandomStream) {
    self.count = count
    let width = Int.bitWidth - max(count - 1, 0).leadingZeroBitCount
    halfWidth = UInt64((width + 1) / 2)
    var stream = stream
    for _ in 0..<6 { keys.append(stream.bits()) }
  }

  /// What stands at the given place.
  public subscript(place: Int) -> Int {
    var value = UInt64(place)
    let mask = (1 << halfWidth) - 1 as UInt64
    repeat {
      var (left, right) = (value >> halfWidth, value & mask)
      for key in keys { (left, right) = (right, left ^ (mixed(right ^ key) & mask)) }
      value = left << halfWidth | right
    } while value >= UInt64(count)
    return Int(value)
  }
}
