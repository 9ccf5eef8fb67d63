/// Numbers as whole multiples of a fixed unit, so that sums do not depend on their order.
///
/// Integer addition is associative; floating-point addition is not. Only this way does a mean over
/// members on several ranks get the same bits on any number of ranks.
package struct FixedPoint: Equatable, BitwiseCopyable, Sendable {
  /// How many units make 1: a power of two.
  package let scale: Double

  /// The finest unit with which a sum of `count` values up to `largestValue` cannot overflow.
  ///
  /// For 10⁶ values up to 1 the unit is 2⁻⁴¹; the error of a value is at most half of it. A value
  /// has at most 2⁵⁰ units.
  package init(summing count: Int, valuesUpTo largestValue: Float) {
    // Where all values are 0 any unit will do.
    let largestValue = Double(max(largestValue, .leastNonzeroMagnitude))
    let bound = largestValue * Double(max(count, 1))
    // A sum below 2^61 leaves a factor of two for the rounding of the bound itself.
    let exponent = min(60 - Int(bound.exponent), 49 - Int(largestValue.exponent))
    scale = Double(sign: .plus, exponent: exponent, significand: 1)
  }

  /// The nearest whole number of units, ties to even.
  ///
  /// Below 2⁵¹, adding 1.5 · 2⁵² rounds to a whole number, which is then in the low bits. This avoids
  /// the branch of a conversion to an integer.
  @inline(__always)
  package func encode(_ value: Float) -> Int64 {
    let shift = 0x1.8p52
    let shifted = Double(value) * scale + shift
    return Int64(bitPattern: shifted.bitPattern &- shift.bitPattern)
  }

  package func decode(_ sum: Int64, dividedBy count: Int64) -> Float {
    Float(Double(sum) / scale / Double(count))
  }
}
