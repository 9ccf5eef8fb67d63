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
