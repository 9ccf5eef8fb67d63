public import Communication
internal import RandomNumbers

/// The laws of a communicator that it breaks on this rank; none for a correct one.
///
/// Every requirement and every typed operation is tried with buckets that are empty, go to the own
/// rank only, to neighbours, or to all, of elements of several sizes, and compared with what each
/// rank can compute alone: every value tells its sender, its receiver and its index.
///
/// > Collective: some hundred rounds of small messages, and one of `largeByteCount` bytes between
/// > neighbours in a ring.
///
/// - Parameter largeByteCount: Replicated. More than the backend sends in one piece.
public func brokenLaws(
  _ communicator: some Communicator, largeByteCount: Int = 3 << 20
) throws -> [String] {
  var laws = Laws(communicator)
  laws.identity()
  try laws.exchangeOfBytes()
  try laws.exchangeDuringWork()
  try laws.typedMessages(of: UInt8.self)
  try laws.typedMessages(of: UInt16.self)
  try laws.typedMessages(of: Triple.self)
  try laws.typedMessages(of: Float.self)
  try laws.typedMessages(of: Int.self)
  try laws.typedMessages(of: PaddedPair.self)
  try laws.typedMessages(of: SIMD8<Double>.self)
  try laws.successiveExchanges()
  try laws.largeMessages(byteCount: largeByteCount)
  try laws.transposition()
  try laws.gathering()
  try laws.reductions()
  try laws.prefixSums()
  try laws.broadcasts()
  try laws.agreement()
  try laws.replication()
  try communicator.barrier()
  return laws.broken
}

/// The laws that groups of a communicator break, those of a communicator among them.
///
/// > Collective: as ``brokenLaws(_:largeByteCount:)``, in several divisions into groups, of which each group
/// > does the rounds for itself.
public func brokenLawsOfGroups(
  _ communicator: some Communicator, largeByteCount: Int = 3 << 20
) throws -> [String] {
  let (rank, size) = (communicator.rank.index, communicator.size)
  var broken: [String] = []
  // All in one; each alone; by turns, in descending order; groups in a group.
  for group in [{ _ in 0 }, { $0 }, { size - $0 % 2 }, { $0 / 2 }] as [(Int) -> Int] {
    let members = (0..<size).filter { group($0) == group(rank) }
    broken += try communicator.withGroup(group(rank)) { own in
      var broken = try brokenLaws(own, largeByteCount: largeByteCount)
      if try own.allGather([rank]).values != members {
        broken.append("rank \(rank) of \(size): a group has its members in their order")
      }
      broken += try own.withGroup(own.rank.index % 2) { inner in
        try brokenLaws(inner, largeByteCount: largeByteCount)
      }
      return broken
    }
    try communicator.barrier()
  }
  // Groups that do not do the same.
  let sum = try communicator.withGroup(rank % 3) { group in
    try (0..<5 * (rank % 3)).reduce(0) { sum, _ in try sum + group.sum(1) }
  }
  let members = (0..<size).count { $0 % 3 == rank % 3 }
  if sum != 5 * (rank % 3) * members { broken.append("rank \(rank): groups mix") }
  for count in 1...size {
    let sum = try communicator.withFirstRanks(count) { try $0.sum($0.rank.index + 1) }
    if sum != (rank < count ? count * (count + 1) / 2 : nil) {
      broken.append("rank \(rank) of \(size): the first \(count) have \(sum ?? -1)")
    }
    var found: AgreedFailure?
    let failure = AgreedFailure(
      reason: "none of \(count)", rank: Rank(count - 1), failureCount: count, code: "few")
    do { _ = try communicator.withFirstRanks(count) { _ in throw failure } } catch let thrown
      as AgreedFailure
    { found = thrown }
    if found != failure {
      broken.append("rank \(rank) of \(size): the failure of the first \(count) is not thrown")
    }
  }
  for groupCount in 1...size {
    let results = try communicator.perform(7, inGroups: groupCount) { task, group in
      let sum = try group.sum(group.rank.index + 1)
      let isRight = sum == group.size * (group.size + 1) / 2
      return isRight ? Array(repeating: UInt8(task), count: task) : [255]
    }
    if results != (0..<7).map({ Array(repeating: UInt8($0), count: $0) }) {
      broken.append("rank \(rank) of \(size): \(groupCount) groups return all results")
    }
  }
  return broken
}

/// The laws, one method for each group. Broken laws are collected, and all ranks continue.
struct Laws<C: Communicator> {
  let communicator: C
  private(set) var broken: [String] = []

  init(_ communicator: C) { self.communicator = communicator }

  var rank: Rank { communicator.rank }
  var size: Int { communicator.size }

  mutating func expect(_ condition: Bool, _ law: @autoclosure () -> String) {
    if !condition { broken.append("rank \(rank.index) of \(size): \(law())") }
  }

  mutating func identity() {
    expect(size > 0, "there is at least one rank")
    expect((0..<size).contains(rank.index), "a rank lies in 0 ..< size")
    expect(communicator.ranks.map(\.index) == Array(0..<size), "ranks are 0 ..< size")
  }
}

/// A value that can be made from any number, and tells it where it has the bits.
protocol Sample: Message, Equatable {
  init(sample: UInt64)
}

extension UInt8: Sample { init(sample: UInt64) { self.init(truncatingIfNeeded: sample) } }
extension UInt16: Sample { init(sample: UInt64) { self.init(truncatingIfNeeded: sample) } }
extension Int: Sample { init(sample: UInt64) { self.init(truncatingIfNeeded: sample) } }
extension Float: Sample { init(sample: UInt64) { self.init(sample >> 40) } }
extension SIMD8<Double>: Sample {
  init(sample: UInt64) { self.init(repeating: Double(sample >> 12)) }
}

/// Three bytes, one after the other.
struct Triple: Sample {
  var a, b, c: UInt8

  init(sample: UInt64) {
    a = UInt8(sample: sample)
    b = UInt8(sample: sample >> 8)
    c = UInt8(sample: sample >> 16)
  }
}

/// Twelve bytes, and four of padding between two in an array.
struct PaddedPair: Sample {
  var a: Int
  var b: Int32

  init(sample: UInt64) {
    a = Int(sample: sample)
    b = Int32(truncatingIfNeeded: sample >> 32)
  }
}

/// The value that one rank has for another at an index; `round` tells apart what is sent twice.
func sample<T: Sample>(
  _: T.Type = T.self, from source: Rank, to destination: Rank, at index: Int, round: Int = 0
) -> T {
  var bits = UInt64(index) << 32 | UInt64(round) << 24
  bits |= UInt64(source.index) << 12 | UInt64(destination.index)
  return T(sample: mixed(bits))
}
