public import Communication

/// The ids that occur, which may be any numbers, and their places in ascending order. An id of 10¹⁵
/// costs no more than an id of 1.
///
/// Every rank owns consecutive ids, about equally many on each rank, however the ids are distributed.
public struct CompactNodes: Sendable {
  /// Owned. The ids that occur, ascending, each once. Shape `[ownedCount]`.
  public let ids: [Int64]
  /// Which rank owns which places among all ids.
  public let nodes: NodePartition
  /// Replicated. Rank r owns the ids from `bounds[r - 1]` to below `bounds[r]`. Shape `[size - 1]`.
  private let bounds: [Int64]

  /// - Parameter ids: Any ids, repetition allowed, on any rank.
  ///
  /// > Collective: over `communicator`. A round of at most 64 ids per rank; every different id of a
  /// > rank travels once, 8 bytes each; a round of 8 bytes per rank.
  public init(_ ids: [Int64], on communicator: some Communicator) throws {
    let own = ids.sortedWithoutRepetition()
    // Each sample stands for as many ids as others of its rank do, so ranks are weighed by ids.
    let sampleCount = min(own.count, 64)
    let sample = (0..<sampleCount).map {
      Sample(
        id: own[$0 * own.count / sampleCount], weight: Int64(own.count) << 20 / Int64(sampleCount))
    }
    let samples = try communicator.allGather(sample).values.sorted {
      ($0.id, $0.weight) < ($1.id, $1.weight)
    }
    let bounds = Self.bounds(of: samples, partCount: communicator.size)
    let (outgoing, _) = Buckets.sorting(own, into: communicator.size) { Self.owner(of: $0, bounds) }
    self.bounds = bounds
    self.ids = try communicator.allToAll(outgoing).values.sortedWithoutRepetition()
    let counts = try communicator.gatherOne(self.ids.count)
    nodes = NodePartition(firstNode: counts.exclusivePrefixSums() + [counts.reduce(0, +)])
  }

  /// The places of ids among all that occur.
  ///
  /// > Collective: over `communicator`. Three rounds; every different id of `ids` travels to its owner,
  /// > and its place back, 8 bytes each.
  ///
  /// - Precondition: Each was given to ``init(_:on:)`` by some rank.
  public func places(of ids: [Int64], on communicator: some Communicator) throws -> [GlobalNode] {
    let different = ids.sortedWithoutRepetition()
    let (requests, _) = Buckets.sorting(different, into: communicator.size) {
      Self.owner(of: $0, bounds)
    }
    let first = nodes.owned(by: communicator.rank).lowerBound
    let asked = try communicator.allToAll(requests)
    let answers = try communicator.exchange(
      asked.map { GlobalNode(first + self.ids.place(of: $0)) }, receiving: requests.counts)
    // Owners ascend with ids: the answers are in the order of the requests.
    return ids.map { answers.values[different.place(of: $0)] }
  }

  private struct Sample: Message {
    var id: Int64
    var weight: Int64
  }

  /// For each r, the sample at which the accumulated weight passes r of `partCount` equal parts.
  private static func bounds(of samples: [Sample], partCount: Int) -> [Int64] {
    let total = samples.reduce(0.0) { $0 + Double($1.weight) }
    var bounds: [Int64] = []
    var weight = 0.0
    for sample in samples {
      while bounds.count < partCount - 1,
        weight >= total * Double(bounds.count + 1) / Double(partCount)
      {
        bounds.append(sample.id)
      }
      weight += Double(sample.weight)
    }
    while bounds.count < partCount - 1 { bounds.append(.max) }
    return bounds
  }

  private static func owner(of id: Int64, _ bounds: [Int64]) -> Rank {
    var (low, high) = (0, bounds.count)
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] <= id { low = middle + 1 } else { high = middle }
    }
    return Rank(low)
  }
}

extension [Int64] {
  fileprivate func sortedWithoutRepetition() -> [Int64] {
    var result = sorted()
    var count = 0
    for index in result.indices where index == 0 || result[index] != result[count - 1] {
      result[count] = result[index]
      count += 1
    }
    result.removeLast(result.count - count)
    return result
  }

  /// The place of a value in an ascending array that contains it.
  fileprivate func place(of value: Int64) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    precondition(low < count && self[low] == value, "the id \(value) does not occur")
    return low
  }
}
