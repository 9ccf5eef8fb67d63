/// Numbers as whole multiples of a fixed unit, so that sums do not depend on their order.
///
/// Integer addition is associative; floating-point addition is not. A mean over the members of a
/// cluster that are spread over ranks gets the same bits on any number of ranks only this way.
struct FixedPoint: Equatable {
  /// How many units make 1: a power of two.
  let scale: Double

  /// The finest unit with which a sum of `count` values up to `largestValue` cannot overflow.
  ///
  /// For 10⁶ values up to 1 the unit is 2⁻⁴¹; the error of a value is at most half of it.
  init(summing count: Int, valuesUpTo largestValue: Float) {
    // Where all values are 0 any unit will do.
    let largestValue = Double(max(largestValue, .leastNonzeroMagnitude))
    let bound = largestValue * Double(max(count, 1))
    // 2^61 leaves a factor of two for the rounding of the bound itself.
    scale = Double(sign: .plus, exponent: 61 - Int(bound.exponent) - 1, significand: 1)
  }

  func encode(_ value: Float) -> Int64 { Int64((Double(value) * scale).rounded(.toNearestOrEven)) }

  func decode(_ sum: Int64, dividedBy count: Int64) -> Float {
    Float(Double(sum) / scale / Double(count))
  }
}
