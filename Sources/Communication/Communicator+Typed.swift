// The typed forms of the three requirements.

extension Communicator {
  /// Moves values between pairs of ranks that both know their number.
  ///
  /// > Collective: one message per pair of ranks with a non-empty bucket.
  ///
  /// - Parameter receiveCounts: How many values each rank has for this one. Shape `[size]`.
  public func exchange<T: Message>(_ outgoing: Buckets<T>, receiving receiveCounts: [Int]) throws
    -> Buckets<T>
  {
    let sendCounts = outgoing.counts
    let received = try unsafe receiveArray(of: T.self, count: receiveCounts.reduce(0, +)) {
      (incoming: inout MutableRawSpan) in
      try withBytes(of: outgoing.values) { bytes in
        try exchange(
          bytes, to: segments(sendCounts, of: T.self),
          into: &incoming, from: segments(receiveCounts, of: T.self))
      }
    }
    return Buckets(values: received, counts: receiveCounts)
  }

  /// Sends bucket r to rank r; returns what each rank sent here, in rank order.
  ///
  /// > Collective: two rounds: 8 bytes per pair of ranks, then one message per pair of ranks with
  /// > a non-empty bucket.
  public func allToAll<T: Message>(_ outgoing: Buckets<T>) throws -> Buckets<T> {
    try exchange(outgoing, receiving: transpose(outgoing.counts))
  }

  /// The contribution of every rank, in rank order, on every rank.
  ///
  /// > Collective: two rounds: 8 bytes per rank, then the contributions, to every rank.
  public func allGather<T: Message>(_ contribution: [T]) throws -> Buckets<T> {
    try allGather(contribution, counts: gatherOne(contribution.count))
  }

  /// The contribution of every rank, in rank order, on every rank, if all ranks know all numbers.
  ///
  /// > Collective: one round, the contributions, to every rank.
  ///
  /// - Parameter counts: Replicated. How many values each rank contributes. Shape `[size]`.
  public func allGather<T: Message>(_ contribution: [T], counts: [Int]) throws -> Buckets<T> {
    let values = try unsafe receiveArray(of: T.self, count: counts.reduce(0, +)) {
      (gathered: inout MutableRawSpan) in
      try withBytes(of: contribution) { bytes in
        try allGather(
          bytes, byteCounts: counts.map { $0 * MemoryLayout<T>.stride }, into: &gathered)
      }
    }
    return Buckets(values: values, counts: counts)
  }

  /// One value of every rank, in rank order, on every rank. Shape `[size]`.
  ///
  /// > Collective: one round, one value per rank to every rank.
  public func gatherOne<T: Message>(_ value: T) throws -> [T] {
    let stride = MemoryLayout<T>.stride
    return try unsafe receiveArray(of: T.self, count: size) { (gathered: inout MutableRawSpan) in
      try withBytes(of: [value]) { bytes in
        try allGather(
          bytes, byteCounts: Array(repeating: stride, count: size), into: &gathered)
      }
    }
  }

  private func segments<T>(_ counts: [Int], of type: T.Type) -> [Segment] {
    counts.indices.lazy.filter { counts[$0] > 0 }.map {
      Segment(rank: Rank($0), byteCount: counts[$0] * MemoryLayout<T>.stride)
    }
  }
}

/// Calls `body` with the bytes of an array, including the padding after its last element, which
/// `span.bytes` omits.
private func withBytes<T: Message>(
  of values: [T], _ body: (RawSpan) throws -> Void
) rethrows {
  try unsafe values.withUnsafeBytes { bytes in
    let bytes = unsafe RawSpan(_unsafeBytes: bytes)
    try body(bytes)
  }
}

/// An array whose elements arrive as bytes. Unsafe in that `fill` must write all of them, with
/// values that are valid for `T`: what another rank sent as `T` is.
@unsafe private func receiveArray<T: Message>(
  of type: T.Type, count: Int, _ fill: (inout MutableRawSpan) throws -> Void
) rethrows -> [T] {
  // All empty arrays share one object, whose count would be written to: a race between threads.
  guard count > 0 else {
    var none = MutableRawSpan()
    try fill(&none)
    return []
  }
  return try unsafe Array(unsafeUninitializedCapacity: count) { buffer, initializedCount in
    let bytes = unsafe UnsafeMutableRawBufferPointer(
      start: buffer.baseAddress, count: count * MemoryLayout<T>.stride)
    var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
    try fill(&span)
    initializedCount = count
  }
}
