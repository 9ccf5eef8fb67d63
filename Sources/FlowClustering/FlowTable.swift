/// Sums by key, for keys of which only a few hundred occur at a time: a hash table that is emptied and
/// used again.
struct FlowTable {
  /// −1 where there is none.
  private var keys: [Int64]
  private var sums: [Int64]
  /// The places in use, in the order in which keys came.
  private var used: [Int] = []
  private var mask: Int

  init(capacity: Int) {
    var size = 16
    while size < 4 * capacity { size *= 2 }
    keys = Array(repeating: -1, count: size)
    sums = Array(repeating: 0, count: size)
    mask = size - 1
  }

  /// The place of a key, or the free one where it belongs.
  @inline(__always)
  private func place(of key: Int64) -> Int {
    let keys = keys.span
    // Neighbouring keys are frequent, and must not lie beside each other.
    var place = Int(truncatingIfNeeded: (UInt64(bitPattern: key) &* 0x9E37_79B9_7F4A_7C15) >> 32)
    place &= mask
    while keys[place] != key, keys[place] != -1 { place = (place + 1) & mask }
    return place
  }

  /// The sum of a key; 0 if it does not occur.
  ///
  /// - Precondition: A key of −1 has no sum.
  @inline(__always)
  subscript(key: Int64) -> Int64 { sums.span[place(of: key)] }

  /// - Precondition: `key` is not negative.
  mutating func add(_ value: Int64, to key: Int64) {
    if used.count * 2 >= keys.count { grow() }
    let place = place(of: key)
    if keys[place] == -1 {
      keys[place] = key
      used.append(place)
    }
    sums[place] += value
  }

  /// How many keys occur.
  var count: Int { used.count }

  /// The keys and their sums, in the order in which keys came.
  func forEach(_ body: (_ key: Int64, _ sum: Int64) -> Void) {
    for place in used { body(keys[place], sums[place]) }
  }

  mutating func removeAll() {
    for place in used {
      keys[place] = -1
      sums[place] = 0
    }
    used.removeAll(keepingCapacity: true)
  }

  private mutating func grow() {
    var larger = FlowTable(capacity: keys.count)
    forEach { larger.add($1, to: $0) }
    self = larger
  }
}
