internal import Communication
internal import RandomNumbers

/// A key of a ``Tally``: anything that is told apart by 64 well mixed bits and `==`.
protocol TallyKey: Hashable, Message {
  /// Bits of the key, each of which depends on all of it. The same on every rank and machine.
  var mixedBits: UInt64 { get }
}

/// A value per key that only ever grows by addition, such as a count.
///
/// What ``Dictionary`` does, without its per-process seed and in a third of its time: the hash also
/// decides on which rank a key lives, hence it must be the same everywhere. Open addressing with
/// linear probing, at most half full; entries lie one after the other in the order in which their
/// keys came first, ready to be sent.
struct Tally<Key: TallyKey, Sum: AdditiveArithmetic & Message> {
  struct Entry: Message {
    var key: Key
    var sum: Sum
  }

  private(set) var entries: [Entry] = []
  /// Places in `entries`; −1 where nothing is. A power of two of them.
  private var slots: [Int32] = Array(repeating: -1, count: 64)

  /// - Parameter capacity: Up to how many keys come. Room that is not needed costs no memory: the
  ///   system provides a page when it is written first.
  init(capacity: Int = 0) { entries.reserveCapacity(capacity) }

  /// The sums of several tallies' entries.
  init(adding received: [Entry]) {
    self.init(capacity: received.count)
    for entry in received { add(entry.sum, to: entry.key) }
  }

  mutating func add(_ sum: Sum, to key: Key) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: key.mixedBits) & mask
    while slots[slot] >= 0 {
      let place = Int(slots[slot])
      if entries[place].key == key {
        entries[place].sum += sum
        return
      }
      slot = (slot + 1) & mask
    }
    slots[slot] = Int32(entries.count)
    entries.append(Entry(key: key, sum: sum))
    if entries.count * 2 > slots.count { grow() }
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for (place, entry) in entries.enumerated() {
      var slot = Int(truncatingIfNeeded: entry.key.mixedBits) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(place)
    }
  }
}

extension Tally {
  /// The tally of all ranks, each key on the one rank that `placement` names.
  ///
  /// Keys with the same placement meet on the same rank, whatever else they differ in. Each rank
  /// has added up its own share before: a key travels at most once from every rank.
  ///
  /// > Collective: two rounds: 8 bytes per pair of ranks, then every entry to its rank.
  ///
  /// - Parameter placement: Well mixed bits; their upper end chooses the rank.
  @inline(__always)  // else the types are not known where it runs: twice the time of it all
  func gatheredByOwner(
    _ placement: (Key) -> UInt64, on communicator: some Communicator
  ) throws -> Tally {
    if communicator.size == 1 { return self }  // a copy of everything, else: half of the time
    return try Tally(adding: communicator.allToAll(buckets(placement, communicator.size)).values)
  }

  /// The tally of all ranks on every rank.
  ///
  /// > Collective: two rounds: 8 bytes per rank, then all entries, to every rank.
  @inline(__always)
  func replicated(on communicator: some Communicator) throws -> Tally {
    try Tally(adding: communicator.allGather(entries).values)
  }

  private func buckets(_ placement: (Key) -> UInt64, _ count: Int) -> Buckets<Entry> {
    func owner(_ entry: Entry) -> Int {
      Int(placement(entry.key).multipliedFullWidth(by: UInt64(count)).high)
    }
    var counts = Array(repeating: 0, count: count)
    for entry in entries { counts[owner(entry)] += 1 }
    var next = counts.exclusivePrefixSums()
    var order = Array(repeating: Int32(0), count: entries.count)
    for (place, entry) in entries.enumerated() {
      let owner = owner(entry)
      order[next[owner]] = Int32(place)
      next[owner] += 1
    }
    return Buckets(values: order.map { entries[Int($0)] }, counts: counts)
  }
}

extension Int: TallyKey {
  var mixedBits: UInt64 { mixed(UInt64(bitPattern: Int64(self))) }
}

extension Int64: TallyKey {
  var mixedBits: UInt64 { mixed(UInt64(bitPattern: self)) }
}
