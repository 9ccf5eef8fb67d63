/// Random numbers by counter. The values follow only from a seed, a purpose and an index, so any of them
/// can be computed anywhere and in any order, with the same result on any rank and after a restart.
///
/// SplitMix64 (Steele, Lea, Flood 2014), started at a hash of the three. Only integer arithmetic and
/// IEEE operations are used and no mathematical library, so the bits are the same on every machine. It is
/// not a `RandomNumberGenerator`, because the results of the standard library's `shuffled(using:)` and
/// `Int.random(in:using:)` may change with the compiler, and so would models, splits and checkpoints.
public struct RandomStream: Equatable, Sendable {
  private var state: UInt64

  /// - Parameters:
  ///   - purpose: What the numbers are for; each purpose has streams of its own.
  ///   - index: Which of them, such as a step or a row.
  public init(seed: UInt64, purpose: UInt64, index: Int = 0) {
    state = mixed(mixed(mixed(seed) ^ purpose) ^ UInt64(bitPattern: Int64(index)))
  }

  /// A stream for any number of integers, for instance a purpose, a fold and an epoch.
  ///
  /// These streams differ from those of ``init(seed:purpose:index:)``. Graphs have always been split and
  /// generated with these, and embeddings and training with those, so a single way of seeding would change
  /// one or the other.
  public init(seed: UInt64, for purposes: Int...) {
    let start = purposes.reduce(mixed(seed &+ Self.increment)) {
      mixed(($0 ^ UInt64(bitPattern: Int64($1))) &+ Self.increment)
    }
    state = start &+ Self.increment
  }

  private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

  public mutating func bits() -> UInt64 {
    state &+= Self.increment
    return mixed(state)
  }

  /// In (0, 1]: 53 random bits.
  public mutating func uniform() -> Double { Double((bits() >> 11) + 1) * 0x1p-53 }

  /// In [0, 1): 53 random bits.
  public mutating func uniformBelowOne() -> Double { Double(bits() >> 11) * 0x1p-53 }

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
