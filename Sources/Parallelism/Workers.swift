import Dispatch
internal import Synchronization

/// The threads of one rank: how many, and how a range of tiles is shared among them.
///
/// Within a rank only kernels run in parallel, over disjoint ranges. Results must not depend on which
/// thread takes which tile.
public struct Workers: Hashable, Sendable {
  /// How many threads work at once, including the calling one.
  public let count: Int

  /// - Precondition: `count > 0`.
  public init(_ count: Int = 1) {
    precondition(count > 0, "\(count) threads")
    self.count = count
  }

  /// Calls `body` once for every index of `0 ..< taskCount`, on up to ``count`` threads.
  ///
  /// Tasks are handed out in ascending order as threads become free.
  public func forEach(_ taskCount: Int, _ body: @Sendable (_ task: Int) -> Void) {
    forEach(taskCount, scratch: {}, { task, _ in body(task) })
  }

  /// As ``forEach(_:_:)``, with one value of `scratch` per thread that its tasks may reuse.
  public func forEach<Scratch>(
    _ taskCount: Int, scratch: @Sendable () -> Scratch,
    _ body: @Sendable (_ task: Int, _ scratch: inout Scratch) -> Void
  ) {
    guard count > 1, taskCount > 1 else {
      var own = scratch()
      for task in 0..<taskCount { body(task, &own) }
      return
    }
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: min(count, taskCount)) { _ in
      var own = scratch()
      while true {
        let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard task < taskCount else { return }
        body(task, &own)
      }
    }
  }
}

extension Range<Int> {
  /// Cuts the range into consecutive tiles of `length`, the last one shorter.
  public func tiles(of length: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: length).map {
      $0..<Swift.min($0 + length, upperBound)
    }
  }
}
