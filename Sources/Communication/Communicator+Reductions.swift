// Values that all ranks know afterwards: sums, extremes, agreement.

extension Communicator {
  /// Combines one value of every rank, in rank order, on every rank.
  ///
  /// > Collective: one round, one value per rank to every rank.
  public func allReduce<T: Message>(_ value: T, _ combine: (T, T) -> T) throws -> T {
    let all = try gatherOne(value)
    return all.dropFirst().reduce(all[0], combine)
  }

  /// > Collective: one round, 8 bytes per rank to every rank.
  public func sum(_ value: Int) throws -> Int { try allReduce(value, +) }

  /// > Collective: one round, one value per rank to every rank.
  public func maximum<T: Message & Comparable>(_ value: T) throws -> T {
    try allReduce(value, max)
  }

  /// > Collective: one round, one value per rank to every rank.
  public func minimum<T: Message & Comparable>(_ value: T) throws -> T {
    try allReduce(value, min)
  }

  /// Whether the condition holds on every rank.
  ///
  /// > Collective: one round, 1 byte per rank to every rank.
  public func all(_ condition: Bool) throws -> Bool { try allReduce(condition) { $0 && $1 } }

  /// Whether the condition holds on some rank.
  ///
  /// > Collective: one round, 1 byte per rank to every rank.
  public func any(_ condition: Bool) throws -> Bool { try allReduce(condition) { $0 || $1 } }

  /// The sum of `value` over the ranks before this one.
  ///
  /// > Collective: one round, 8 bytes per rank to every rank.
  public func exclusivePrefixSum(_ value: Int) throws -> Int {
    try gatherOne(value)[..<rank.index].reduce(0, +)
  }

  /// Returns when every rank has called it.
  ///
  /// > Collective: one round, 1 byte per rank to every rank.
  public func barrier() throws { _ = try gatherOne(UInt8(0)) }

  /// The values of one rank, on every rank.
  ///
  /// > Collective: two rounds: 8 bytes per rank, then the values, to every rank.
  public func broadcast<T: Message>(_ values: [T], from root: Rank = Rank(0)) throws -> [T] {
    try assertReplicated(root, from: .all)
    return try allGather(rank == root ? values : []).values
  }

  /// Runs `body` here; throws the same ``AgreedFailure`` on every rank if it throws on any.
  ///
  /// Wrap anything that may fail on one rank only, such as reading a slice of a file, so that no rank
  /// enters a collective that another will never reach. `body` must not communicate.
  ///
  /// > Collective: one round of 1 byte per rank; two more with the messages after a failure.
  public func agree<R>(_ body: () throws -> R) throws -> R {
    let result = Result { try body() }
    var description: [UInt8] = []
    if case .failure(let error) = result {
      let reason = "\(error)"
      description = Array((reason.isEmpty ? "\(type(of: error))" : reason).utf8)
    }
    guard try any(!description.isEmpty) else { return try result.get() }
    let descriptions = try allGather(description)
    let failing = ranks.filter { !descriptions[$0].isEmpty }
    throw AgreedFailure(
      reason: String(decoding: descriptions[failing[0]], as: UTF8.self), rank: failing[0],
      failureCount: failing.count)
  }
}

/// A failure that every rank throws, with equal contents, so that no rank is left waiting.
///
/// ``Communicator/agree(_:)`` throws it when its body failed on at least one rank.
public struct AgreedFailure: Error, Equatable, CustomStringConvertible {
  /// The message of the failing rank with the lowest index.
  public var reason: String
  /// That rank.
  public var rank: Rank
  /// How many ranks failed.
  public var failureCount: Int
  /// Identifies failures about which a program has more to say; empty for most.
  public var code: String

  public init(reason: String, rank: Rank = Rank(0), failureCount: Int = 1, code: String = "") {
    self.reason = reason
    self.rank = rank
    self.failureCount = failureCount
    self.code = code
  }

  public var description: String { reason }
}

extension Communicator {
  /// The sums of the ranks' values, element by element, on every rank.
  ///
  /// Values are added in rank order, in double precision. The bits are the same on every rank, and in
  /// every run on the same number of ranks.
  ///
  /// > Collective: two rounds. Every rank adds up a share of the elements, then all get the shares:
  /// > about twice the values to and from every rank. None on one rank.
  ///
  /// - Parameter values: The same number on every rank.
  public func sums(_ values: [Float]) throws -> [Float] {
    try sumsOfShares(values) { Float($0.reduce(0) { $0 + Double($1) }) }
  }

  /// The sums of the ranks' values, element by element, on every rank.
  ///
  /// > Collective: as ``sums(_:)-([Float])``.
  public func sums(_ values: [Double]) throws -> [Double] {
    try sumsOfShares(values) { $0.reduce(0, +) }
  }

  /// The sums of the ranks' values, element by element, on every rank.
  ///
  /// > Collective: as ``sums(_:)-([Float])``.
  public func sums(_ values: [Int64]) throws -> [Int64] {
    try sumsOfShares(values) { $0.reduce(0, +) }
  }

  /// - Parameter sum: Of the values of the ranks, in their order.
  @inline(__always)
  private func sumsOfShares<T: Message>(
    _ values: [T], _ sum: (_ ofRanks: LazyMapSequence<Range<Int>, T>) -> T
  ) throws -> [T] {
    try assertReplicated(values.count, from: .all)
    guard size > 1 else { return values }
    let counts = ranks.map { rank in
      values.count * (rank.index + 1) / size - values.count * rank.index / size
    }
    let count = counts[rank.index]
    let arrived = try exchange(
      Buckets(values: values, counts: counts), receiving: Array(repeating: count, count: size)
    ).values
    let own = (0..<count).map { place in
      sum((0..<size).lazy.map { arrived[$0 * count + place] })
    }
    return try allGather(own, counts: counts).values
  }
}
