internal import CKernels
internal import Communication
internal import Parallelism

/// Neighbours that were found for some rows.
struct FoundNeighbors: Sendable {
  /// Shape `[rows + 1]`, ascending from 0.
  var offsets: [Int]
  var similarities: [Float]
  var nodes: [Int64]

  /// Sent back to the ranks that the rows came from.
  ///
  /// > Collective: over `communicator`. Two rounds.
  func sent(
    counts: [Int], receiving: [Int], on communicator: some Communicator
  ) throws -> FoundNeighbors {
    let lengths = try communicator.exchange(
      Buckets(values: zip(offsets.dropFirst(), offsets).map { Int32($0 - $1) }, counts: counts),
      receiving: receiving)
    let rows = (counts + [0]).exclusivePrefixSums()
    let sent = counts.indices.map { offsets[rows[$0 + 1]] - offsets[rows[$0]] }
    let expected = communicator.ranks.map { lengths[$0].reduce(0) { $0 + Int($1) } }
    let found = try communicator.exchange(
      Buckets(values: zip(similarities, nodes).map { Entry($0, $1) }, counts: sent),
      receiving: expected
    ).values
    return FoundNeighbors(
      offsets: (lengths.values.map(Int.init) + [0]).exclusivePrefixSums(),
      similarities: found.map(\.similarity), nodes: found.map(\.node))
  }

  /// A neighbour in twelve bytes.
  private struct Entry: BitwiseCopyable {
    let similarity: Float
    private let low: UInt32
    private let high: Int32

    init(_ similarity: Float, _ node: Int64) {
      self.similarity = similarity
      low = UInt32(truncatingIfNeeded: node)
      high = Int32(truncatingIfNeeded: node >> 32)
    }

    var node: Int64 { Int64(high) << 32 | Int64(low) }
  }
}

extension CandidateLists {
  /// The entries alone.
  var compacted: FoundNeighbors {
    let places = index.indices.filter { index[$0] >= 0 }
    var counts = Array(repeating: 0, count: count + 1)
    for place in places { counts[place / capacity] += 1 }
    return FoundNeighbors(
      offsets: counts.exclusivePrefixSums(), similarities: places.map { similarity[$0] },
      nodes: places.map { index[$0] })
  }

  /// Adds what was found to the lists of some rows, except what is in them.
  ///
  /// - Parameter rows: They need not be different or in order.
  mutating func add(
    _ found: FoundNeighbors, to rows: [Int], using workers: Workers
  ) {
    guard !rows.isEmpty else { return }
    // A share of the lists to each task, so that none is touched by two.
    let taskCount = workers.count == 1 ? 1 : 4 * workers.count
    let listCount = count
    unsafe withAccess { lists in
      workers.forEach(taskCount) { task in
        let share = listCount * task / taskCount..<listCount * (task + 1) / taskCount
        unsafe found.similarities.withUnsafeBufferPointer { similarities in
          unsafe found.nodes.withUnsafeBufferPointer { nodes in
            for (place, row) in rows.enumerated() where share.contains(row) {
              let first = found.offsets[place]
              guard found.offsets[place + 1] > first else { continue }
              unsafe highland_offer_new(
                similarities.baseAddress! + first, nodes.baseAddress! + first,
                found.offsets[place + 1] - first, row, lists.handle(from: 0))
            }
          }
        }
      }
    }
  }
}
