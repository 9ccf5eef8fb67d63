import Communication

/// How fast two ranks exchange messages: measured between a pair of the ranks that run.
struct MessageRates {
  let bytesPerSecond: Double
  let secondsPerMessage: Double

  private static let byteCount = 1 << 24
  private static let shortCount = 2000

  /// Measures between rank 0 and another one on its host, or on another host; nil if there is none.
  ///
  /// > Collective: over `communicator`. A round of 8 bytes per rank, 2000 of a message of 8 bytes each way, and five of
  /// > one of 16 MiB.
  init?(onThisHost isHere: Bool, on communicator: some Communicator) throws {
    let own =
      communicator.rank == Rank(0)
      ? communicator.ranks.dropFirst().first { communicator.isOnThisHost($0) == isHere }?.index ?? -1
      : -1
    let partner = try communicator.gatherOne(own)[0]
    guard partner >= 0 else { return nil }
    let pair = [0, partner]
    let other = pair.firstIndex(of: communicator.rank.index).map { pair[1 - $0] }
    func exchange(_ count: Int, times: Int) throws -> Double {
      let counts = communicator.ranks.map { $0.index == other ? count : 0 }
      let values = Array(repeating: UInt8(0), count: other == nil ? 0 : count)
      let start = ContinuousClock.now
      for _ in 0..<times {
        _ = try communicator.exchange(Buckets(values: values, counts: counts), receiving: counts)
      }
      return try communicator.maximum(start.duration(to: .now) / .seconds(1)) / Double(times)
    }
    _ = try exchange(8, times: 10)
    secondsPerMessage = max(try exchange(8, times: Self.shortCount), 1e-9)
    _ = try exchange(Self.byteCount, times: 1)
    bytesPerSecond = Double(Self.byteCount) / max(try exchange(Self.byteCount, times: 5), 1e-9)
  }
}
