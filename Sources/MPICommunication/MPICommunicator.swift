internal import CMPI
public import Communication

/// A communicator whose ranks are the processes that `mpirun` started; a single rank without `mpirun`.
///
/// A program made of nothing but ranks gets one from ``run(transport:ending:_:)``. Other programs get one
/// from ``withAllRanks(transport:_:)``, or from ``withDuplicate(of:transport:_:)`` if they use MPI
/// themselves. Use it only on the thread that made that call.
public struct MPICommunicator: Communicator {
  public let rank: Rank
  public let size: Int
  /// How messages are cut.
  public let transport: Transport
  /// The name of every rank's host. Shape `[size]`.
  public private(set) var hostNames: [String]
  /// MPI's own.
  let handle: CMPI_Comm

  /// How messages are cut into what one call of MPI moves. Replicated.
  public struct Transport: Equatable, Sendable {
    /// The maximum bytes of one point-to-point message; longer ones travel in pieces of this size.
    ///
    /// Measured with two ranks on one host, 1 to 50 MB each way: 64 KiB is 10 to 40 % slower than
    /// 1 MiB, 256 KiB up to 10 %; larger pieces and whole messages are as fast.
    public var maximumPieceByteCount: Int
    /// The maximum bytes that one collective call of MPI gathers: its counts are `Int32`.
    public var maximumGatherByteCount: Int
    /// The maximum number of point-to-point messages that a rank has in flight.
    public var maximumRequestCount: Int

    /// - Precondition: All are positive, and bytes fit an `Int32`.
    public init(
      maximumPieceByteCount: Int = 1 << 20, maximumGatherByteCount: Int = Int(Int32.max),
      maximumRequestCount: Int = 128
    ) {
      let counts = [maximumPieceByteCount, maximumGatherByteCount, maximumRequestCount]
      precondition(
        counts.allSatisfy { (1...Int(Int32.max)).contains($0) }, "not in 1 ... 2³¹ − 1: \(counts)")
      self.maximumPieceByteCount = maximumPieceByteCount
      self.maximumGatherByteCount = maximumGatherByteCount
      self.maximumRequestCount = maximumRequestCount
    }
  }

  /// > Collective: one ``Communicator/allGather(_:)`` of the names of hosts, unless there is only one.
  ///
  /// - Parameters:
  ///   - handle: A communicator that nothing else uses. From now on its errors are returned.
  ///   - host: That of all ranks, if it is known to be the same.
  init(_ handle: CMPI_Comm, transport: Transport, allOn host: String? = nil) throws {
    try check("MPI_Comm_set_errhandler", CMPI_Comm_set_errors_return(handle))
    var rank: Int32 = 0
    var size: Int32 = 0
    try check("MPI_Comm_rank", unsafe CMPI_Comm_rank(handle, &rank))
    try check("MPI_Comm_size", unsafe CMPI_Comm_size(handle, &size))
    self.rank = Rank(Int(rank))
    self.size = Int(size)
    self.transport = transport
    self.handle = handle
    hostNames = Array(repeating: host ?? Self.hostName, count: self.size)
    guard host == nil, self.size > 1 else { return }
    let names = try allGather(Array(Self.hostName.utf8))
    hostNames = ranks.map { String(decoding: names[$0], as: UTF8.self) }
  }

  public func isOnThisHost(_ rank: Rank) -> Bool {
    hostNames[rank.index] == hostNames[self.rank.index]
  }

  public func withGroup<R>(_ group: Int, _ body: (MPICommunicator) throws -> R) throws -> R {
    var formed = handle
    try check(
      "MPI_Comm_split",
      unsafe CMPI_Comm_split(handle, mpiCount(group), mpiCount(rank.index), &formed))
    let host = hostNames.allSatisfy { $0 == hostNames[0] } ? hostNames[0] : nil
    return try MPICommunicator(formed, transport: transport, allOn: host).thenFreed(body)
  }

  /// Runs `body` with this communicator of ours, and frees it.
  func thenFreed<R>(_ body: (MPICommunicator) throws -> R) throws -> R {
    func free() throws {
      var handle = handle
      try check("MPI_Comm_free", unsafe CMPI_Comm_free(&handle))
    }
    do {
      let result = try body(self)
      try free()
      return result
    } catch let failure as AgreedFailure {
      // All ranks are here. After any other error some may still be in the communicator.
      try free()
      throw failure
    }
  }

  /// Moves bytes between pairs of ranks that both know their number, by non-blocking messages.
  ///
  /// All ranks start their pieces in one global order, by number of the piece, then by distance
  /// from sender to receiver, then by sender. Before a rank starts a piece that would exceed
  /// ``Transport/maximumRequestCount``, it waits for its oldest. This cannot block for ever: the first
  /// unfinished piece in that order has been started on both sides, because everything before it is
  /// finished there. The order also spreads the traffic: at any time each rank receives from few others.
  public func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment]
  ) throws {
    try exchange(outgoing, to: destinations, into: &incoming, from: sources) { _ in }
  }

  /// As ``exchange(_:to:into:from:)``. The work runs when all pieces have been started, or as many as there may be
  /// at a time; whenever it lets messages move on, more start in place of those that have arrived.
  public func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment],
    during work: (_ moveOn: () throws -> Void) throws -> Void
  ) throws {
    destinations.checkLayout(of: outgoing.byteCount, size: size)
    sources.checkLayout(of: incoming.byteCount, size: size)
    let sent = transfers(destinations, isSend: true)
    let received = transfers(sources, isSend: false)
    let kept = sent.filter { $0.peer == rank }
    precondition(
      kept.map(\.bytes.count) == received.filter { $0.peer == rank }.map(\.bytes.count),
      "rank \(rank.index) does not receive what it sends to itself")
    let moving = (sent + received).filter { $0.peer != rank }.sorted { $0.place < $1.place }
    // First, as most of a message moves only while its ranks are inside MPI.
    for (source, destination) in zip(kept, received.lazy.filter { $0.peer == rank }) {
      copyBytes(
        of: outgoing.extracting(source.bytes), into: &incoming, at: destination.bytes.lowerBound)
    }
    try unsafe incoming.withUnsafeMutableBytes { incoming in
      try unsafe outgoing.withUnsafeBytes { outgoing in
        try unsafe move(moving, from: outgoing, into: incoming, during: work)
      }
    }
  }

  /// One direction of the traffic with one rank.
  private struct Transfer {
    var peer: Rank
    var isSend: Bool
    /// The place in what is sent, or in what is received.
    var bytes: Range<Int>
    /// The distance from sender to receiver, cyclic, and the sender.
    var place: (distance: Int, sender: Int)

    func piece(_ index: Int, of byteCount: Int) -> Range<Int> {
      let rest = bytes.dropFirst(index * byteCount)
      return rest.startIndex..<rest.startIndex + Swift.min(byteCount, rest.count)
    }
  }

  private func transfers(_ segments: [Segment], isSend: Bool) -> [Transfer] {
    var offset = 0
    return segments.map { segment in
      let sender = isSend ? rank.index : segment.rank.index
      let receiver = isSend ? segment.rank.index : rank.index
      let start = offset
      offset += segment.byteCount
      return Transfer(
        peer: segment.rank, isSend: isSend, bytes: start..<offset,
        place: ((receiver - sender + size) % size, sender))
    }
  }

  private func move(
    _ transfers: [Transfer], from outgoing: UnsafeRawBufferPointer,
    into incoming: UnsafeMutableRawBufferPointer,
    during work: (_ moveOn: () throws -> Void) throws -> Void
  ) throws {
    let limit = transport.maximumPieceByteCount
    let pieceCounts = transfers.map { ($0.bytes.count + limit - 1) / limit }
    let slotCount = min(transport.maximumRequestCount, pieceCounts.reduce(0, +))
    let none = CMPI_REQUEST_NULL_()
    var requests = Array(repeating: none, count: slotCount)
    var pieces = (0..<(pieceCounts.max() ?? 0)).lazy.flatMap { index in
      transfers.indices.lazy.filter { index < pieceCounts[$0] }.map { (transfers[$0], index) }
    }.makeIterator()
    try unsafe requests.withUnsafeMutableBufferPointer { requests in
      var next = pieces.next()
      // That of the oldest request.
      var slot = 0
      /// Starts pieces, each in the place of the oldest request, as long as that has arrived.
      func start() throws {
        while let (transfer, index) = next, unsafe requests[slot].raw == none.raw {
          let request = unsafe requests.baseAddress! + slot
          let piece = transfer.piece(index, of: limit)
          let peer = Int32(transfer.peer.index)
          if transfer.isSend {
            try check(
              "MPI_Isend",
              unsafe CMPI_Isend_bytes(
                outgoing.baseAddress! + piece.lowerBound, mpiCount(piece.count), peer, 0, handle,
                request))
          } else {
            try check(
              "MPI_Irecv",
              unsafe CMPI_Irecv_bytes(
                incoming.baseAddress! + piece.lowerBound, mpiCount(piece.count), peer, 0, handle,
                request))
          }
          slot = slot + 1 == slotCount ? 0 : slot + 1
          next = pieces.next()
        }
      }
      try start()
      let outcome = Result {
        try work {
          for slot in 0..<slotCount {
            try check("MPI_Test", unsafe CMPI_Test(requests.baseAddress! + slot))
          }
          try start()
        }
      }
      while next != nil {
        try check("MPI_Wait", unsafe CMPI_Wait(requests.baseAddress! + slot))
        try start()
      }
      // One by one: MPI_Waitall tells that there is an error, not which.
      for slot in 0..<slotCount {
        try check("MPI_Wait", unsafe CMPI_Wait(requests.baseAddress! + slot))
      }
      try outcome.get()
    }
  }

  public func transpose(_ counts: [Int]) throws -> [Int] {
    precondition(counts.count == size, "\(counts.count) counts for \(size) ranks")
    let sent = counts.map { Int64($0) }
    var received = Array(repeating: Int64(0), count: size)
    try check("MPI_Alltoall", unsafe CMPI_Alltoall_int64(sent, &received, handle))
    return received.map { Int($0) }
  }

  /// Concatenates the contribution of every rank, in rank order, on every rank.
  ///
  /// The concatenation is gathered window by window of ``Transport/maximumGatherByteCount``: to
  /// each window a rank contributes what it has of it.
  public func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan
  ) throws {
    precondition(
      byteCounts.count == size && byteCounts[rank.index] == contribution.byteCount
        && byteCounts.reduce(0, +) == gathered.byteCount,
      "\(contribution.byteCount) of \(gathered.byteCount) bytes, gathered as \(byteCounts)")
    let starts = byteCounts.exclusivePrefixSums()
    let parts = zip(starts, byteCounts).map { $0..<$0 + $1 }
    try unsafe gathered.withUnsafeMutableBytes { gathered in
      try unsafe contribution.withUnsafeBytes { contribution in
        var start = 0
        while start < gathered.count {
          let window = start..<min(start + transport.maximumGatherByteCount, gathered.count)
          let shares = parts.map { $0.clamped(to: window) }
          let own = shares[rank.index]
          try check(
            "MPI_Allgatherv",
            unsafe CMPI_Allgatherv_bytes(
              contribution.baseAddress.map {
                unsafe $0 + (own.isEmpty ? 0 : own.lowerBound - starts[rank.index])
              },
              mpiCount(own.count), gathered.baseAddress! + start, shares.map { mpiCount($0.count) },
              shares.map { mpiCount($0.lowerBound - start) }, handle))
          start = window.upperBound
        }
      }
    }
  }
}

// A rank is one thread of control.
@available(*, unavailable)
extension MPICommunicator: Sendable {}

/// The only function that turns a length into a count of MPI.
private func mpiCount(_ count: Int) -> Int32 {
  guard let result = Int32(exactly: count), result >= 0 else {
    preconditionFailure("\(count) is no MPI count")
  }
  return result
}
