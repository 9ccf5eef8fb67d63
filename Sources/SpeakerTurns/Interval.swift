/// A time from `start` up to `end`, in seconds.
public struct Interval: Equatable, Sendable {
  public var start: Double
  public var end: Double

  public init(_ start: Double, _ end: Double) {
    self.start = start
    self.end = end
  }

  public var duration: Double { end - start }

  /// How long both are; 0 if they do not meet.
  public func overlap(with other: Interval) -> Double {
    max(min(end, other.end) - max(start, other.start), 0)
  }
}

/// Times that neither overlap nor touch, ascending.
public struct IntervalSet: Equatable, Sendable {
  public let intervals: [Interval]

  /// The union of intervals in any order. Those that are empty do not count.
  ///
  /// - Complexity: O(n log n).
  public init(_ intervals: some Sequence<Interval>) {
    var union: [Interval] = []
    for interval in intervals.filter({ $0.duration > 0 }).sorted(by: { $0.start < $1.start }) {
      if let last = union.last, interval.start <= last.end {
        union[union.count - 1].end = max(last.end, interval.end)
      } else {
        union.append(interval)
      }
    }
    self.intervals = union
  }

  public var duration: Double { intervals.reduce(0) { $0 + $1.duration } }

  /// What is in this set and not in the other.
  ///
  /// - Complexity: O(intervals of both).
  public func subtracting(_ other: IntervalSet) -> IntervalSet {
    var place = 0
    return IntervalSet(intervals.flatMap { other.gaps(in: $0, from: &place) })
  }

  /// What of an interval is not in this set, ascending.
  ///
  /// - Parameter place: 0 at first; then as it was left by an interval that starts no later.
  func gaps(in interval: Interval, from place: inout Int) -> [Interval] {
    while place < intervals.count, intervals[place].end <= interval.start { place += 1 }
    var gaps: [Interval] = []
    var start = interval.start
    for taken in intervals[place...] {
      guard taken.start < interval.end else { break }
      if taken.start > start { gaps.append(Interval(start, taken.start)) }
      start = taken.end
    }
    if start < interval.end { gaps.append(Interval(start, interval.end)) }
    return gaps
  }
}
