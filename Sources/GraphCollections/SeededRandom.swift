/// Random numbers that follow from a seed and a few integers that say what they are for: the same on
/// every rank and machine, whatever else was drawn before.
///
/// SplitMix64 (Steele, Lea, Flood 2014), started at a hash of the seed and the purpose. Integers and
/// IEEE operations only; shuffling is written here, as the standard library's may change.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// - Parameter purpose: For instance a constant of the caller, then a fold, then an epoch.
  public init(seed: UInt64, _ purpose: Int...) {
    state = purpose.reduce(mixed(seed)) { mixed($0 ^ UInt64(bitPattern: Int64($1))) }
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return mixed(state)
  }

  /// In [0, 1): 53 random bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// In 0 ..< bound; its bias is below bound / 2⁶⁴.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a number below \(bound)")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// In a random order (Fisher and Yates).
  public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var result = elements
    for last in stride(from: result.count - 1, to: 0, by: -1) {
      result.swapAt(last, below(last + 1))
    }
    return result
  }
}

/// A step and the finalizer of SplitMix64: a bijection in which every bit depends on every bit.
private func mixed(_ bits: UInt64) -> UInt64 {
  var z = bits &+ 0x9E37_79B9_7F4A_7C15
  z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
  return z ^ (z >> 31)
}
