/// Values sorted into one bucket per rank, stored one bucket after the other.
public struct Buckets<Element> {
  /// Bucket 0, then bucket 1, and so on.
  public let values: [Element]
  /// Where each bucket starts; bucket r is `values[offsets[r] ..< offsets[r + 1]]`.
  /// Shape `[size + 1]`, ascending from 0.
  public let offsets: [Int]

  /// - Precondition: The counts add up to the number of values.
  @inlinable
  public init(values: [Element], counts: [Int]) {
    var offsets = [0]
    offsets.reserveCapacity(counts.count + 1)
    for count in counts { offsets.append(offsets[offsets.count - 1] + count) }
    precondition(
      offsets[counts.count] == values.count,
      "\(values.count) values for buckets of \(counts)")
    self.values = values
    self.offsets = offsets
  }

  /// Sorts values into buckets; within a bucket they keep their order.
  ///
  /// - Returns: The buckets, and for each value its place in ``values``, which serves to restore the
  ///   caller's order for answers that come back from the ranks in bucket order.
  @inlinable
  public static func sorting(
    _ values: [Element], into bucketCount: Int, by owner: (Element) -> Rank
  ) -> (buckets: Buckets, places: [Int]) {
    var counts = Array(repeating: 0, count: bucketCount)
    let owners = values.map { owner($0).index }
    for owner in owners { counts[owner] += 1 }
    var next = counts.exclusivePrefixSums()
    var places = Array(repeating: 0, count: values.count)
    var order = Array(repeating: 0, count: values.count)
    for (index, owner) in owners.enumerated() {
      places[index] = next[owner]
      order[next[owner]] = index
      next[owner] += 1
    }
    return (Buckets(values: order.map { values[$0] }, counts: counts), places)
  }

  @inlinable
  public var counts: [Int] { zip(offsets.dropFirst(), offsets).map { $0 - $1 } }

  public subscript(rank: Rank) -> ArraySlice<Element> {
    values[offsets[rank.index]..<offsets[rank.index + 1]]
  }

  /// The same buckets with each value replaced.
  @inlinable
  public func map<T>(_ transform: (Element) throws -> T) rethrows -> Buckets<T> {
    try Buckets<T>(values: values.map(transform), counts: counts)
  }
}

extension Buckets: Equatable where Element: Equatable {}
extension Buckets: Sendable where Element: Sendable {}

extension [Int] {
  /// The sum of all elements before each one.
  @inlinable
  public func exclusivePrefixSums() -> [Int] {
    var sum = 0
    return map { count in
      defer { sum += count }
      return sum
    }
  }
}
