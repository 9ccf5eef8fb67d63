/// Sums by key, for keys of which only a few hundred occur at a time: a hash table that is emptied and
/// used again.
struct FlowTable {
  /// Of a size that is a power of two, eight times as large as what it was made for.
  private var entries: [Entry]
  /// The places in use, in the order in which keys came.
  private var used: [Int] = []

  private struct Entry: BitwiseCopyable {
    /// −1 where there is none.
    var key = Int64(-1)
    var sum = Int64(0)
  }

  init(capacity: Int) {
    var size = 16
    while size < 8 * capacity { size *= 2 }
    entries = Array(repeating: Entry(), count: size)
  }

  /// Where a key is looked for first: neighbouring keys are frequent, and must not lie beside each other.
  @inline(__always)
  private static func firstPlace(of key: Int64, _ size: Int) -> Int {
    Int(truncatingIfNeeded: (UInt64(bitPattern: key) &* 0x9E37_79B9_7F4A_7C15) >> 32) & (size - 1)
  }

  /// The place of a key, or the free one where it belongs.
  @inline(__always)
  private func place(of key: Int64) -> Int {
    let entries = entries.span
    var place = Self.firstPlace(of: key, entries.count)
    while entries[place].key != key, entries[place].key != -1 {
      place = (place + 1) & (entries.count - 1)
    }
    return place
  }

  /// The sum of a key; 0 if it does not occur.
  @inline(__always)
  subscript(key: Int64) -> Int64 { entries.span[place(of: key)].sum }

  /// The sums of those of some keys that occur, each with the value that is beside it there.
  ///
  /// Most keys are found, or are not there, at the first place; which of both is as good as random, so
  /// there is no branch on it.
  ///
  /// - Parameter keys: −1 has no sum.
  func sum(of keys: Span<Int64>, with values: Span<UInt32>, in places: Range<Int>) -> Int64 {
    let entries = entries.span
    var sum = Int64(0)
    for place in places {
      let key = keys[place]
      let entry = entries[Self.firstPlace(of: key, entries.count)]
      let isHere: Int64 = entry.key == key ? -1 : 0
      // There is nothing at −1: a sum of 0, and no value.
      let isFound = key == -1 ? 0 : isHere
      sum &+= (entry.sum &+ Int64(values[place])) & isFound
      if isHere == 0, entry.key != -1 {
        let found = self[key]
        if found > 0 { sum &+= found &+ Int64(values[place]) }
      }
    }
    return sum
  }

  /// - Precondition: `key` is not negative.
  mutating func add(_ value: Int64, to key: Int64) {
    if used.count * 4 >= entries.count { grow() }
    let place = place(of: key)
    if entries[place].key == -1 {
      entries[place].key = key
      used.append(place)
    }
    entries[place].sum += value
  }

  /// The keys and their sums, in the order in which keys came.
  var sums: [(key: Int64, sum: Int64)] {
    used.map { (entries[$0].key, entries[$0].sum) }
  }

  mutating func removeAll() {
    for place in used { entries[place] = Entry() }
    used.removeAll(keepingCapacity: true)
  }

  private mutating func grow() {
    var larger = FlowTable(capacity: entries.count)
    for (key, sum) in sums { larger.add(sum, to: key) }
    self = larger
  }
}
