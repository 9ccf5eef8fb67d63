import Communication

/// How fast two ranks exchange messages: measured between a pair of the ranks that run.
struct MessageRates {
  let bytesPerSecond: Double
  let secondsPerMessage: Double

  private static let byteCount = 1 << 24
  /// Other programs may run beside: the fastest of so many tries counts.
  private static let tryCount = 10

  /// Measures between rank 0 and another one on its host, or on another host; nil if there is none.
  ///
  /// > Collective: over `communicator`. Some rounds of 8 bytes per rank, 1000 of a message of 8 bytes each way, and ten of
  /// > one of 16 MiB.
  init?(onThisHost isHere: Bool, on communicator: some Communicator) throws {
    let own =
      communicator.rank == Rank(0)
      ? communicator.ranks.dropFirst().first { communicator.isOnThisHost($0) == isHere }?.index
        ?? -1
      : -1
    let partner = try communicator.gatherOne(own)[0]
    guard partner >= 0 else { return nil }
    let pair = [0, partner]
    let other = pair.firstIndex(of: communicator.rank.index).map { pair[1 - $0] }
    func seconds(of count: Int, times: Int) throws -> Double {
      let counts = communicator.ranks.map { $0.index == other ? count : 0 }
      let values = Array(repeating: UInt8(0), count: other == nil ? 0 : count)
      let tries = try (0..<Self.tryCount).map { _ in
        let start = ContinuousClock.now
        for _ in 0..<times {
          _ = try communicator.exchange(Buckets(values: values, counts: counts), receiving: counts)
        }
        return try communicator.maximum(start.duration(to: .now) / .seconds(1)) / Double(times)
      }
      return max(tries.min()!, 1e-9)
    }
    secondsPerMessage = try seconds(of: 8, times: 100)
    bytesPerSecond = Double(Self.byteCount) / (try seconds(of: Self.byteCount, times: 1))
  }
}
