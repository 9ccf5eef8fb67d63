/// Consecutive bytes on one side of an exchange: the rank they go to or come from, and their number.
public struct Segment: Hashable, Sendable {
  public var rank: Rank
  public var byteCount: Int

  public init(rank: Rank, byteCount: Int) {
    self.rank = rank
    self.byteCount = byteCount
  }
}

extension [Segment] {
  /// Stops the program if these are not the segments of one side of an exchange.
  ///
  /// - Precondition: The ranks ascend within `0 ..< size`, and the segments fill `byteCount` bytes.
  public func checkLayout(of byteCount: Int, size: Int) {
    var previous = -1
    var sum = 0
    for segment in self {
      precondition(
        segment.rank.index > previous && segment.rank.index < size && segment.byteCount >= 0,
        "segments \(self) do not ascend in 0 ..< \(size)")
      previous = segment.rank.index
      sum += segment.byteCount
    }
    precondition(sum == byteCount, "\(byteCount) bytes for segments of \(sum)")
  }
}
