extension [UInt8] {
  /// The bytes with one to four changes: bits and numbers changed, ranges doubled, moved or left out.
  public func mutated(using generator: inout some RandomNumberGenerator) -> [UInt8] {
    var bytes = self
    for _ in 0..<Int.random(in: 1...4, using: &generator) { bytes.mutate(using: &generator) }
    return bytes
  }

  private mutating func mutate(using generator: inout some RandomNumberGenerator) {
    guard !isEmpty else {
      append(.random(in: 0...255, using: &generator))
      return
    }
    // Headers are short, and most that can go wrong is in them.
    let reach = Bool.random(using: &generator) ? Swift.min(count, 128) : count
    let place = Int.random(in: 0..<reach, using: &generator)
    let end = Swift.min(count, place + Int.random(in: 1...16, using: &generator))
    switch Int.random(in: 0..<8, using: &generator) {
    case 0: self[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 1: self[place] = .random(in: 0...255, using: &generator)
    case 2: removeSubrange(place..<end)
    case 3: insert(contentsOf: self[place..<end], at: place)
    case 4: removeLast(count - place)
    case 5: replaceSubrange(place..<end, with: Self.texts.randomElement(using: &generator)!.utf8)
    case 6: replaceDigits(from: place, using: &generator)
    default:
      let number = Self.numbers.randomElement(using: &generator)!
      let width = [1, 2, 4, 8].randomElement(using: &generator)!
      let bytes = (0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
      replaceSubrange(place..<Swift.min(count, place + width), with: bytes)
    }
  }

  /// Puts another number in place of the first digits from a place on.
  private mutating func replaceDigits(
    from place: Int, using generator: inout some RandomNumberGenerator
  ) {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let first = self[place...].firstIndex(where: digits.contains) else { return }
    let end = self[first...].firstIndex { !digits.contains($0) } ?? endIndex
    let number = Self.numbers.randomElement(using: &generator)!
    replaceSubrange(first..<end, with: "\(number)".utf8)
  }

  private static let numbers: [Int64] = [
    0, 1, -1, 2, 127, 128, 255, 256, 65_535, 65_536, 1 << 31 - 1, 1 << 31, 1 << 32, 1 << 40,
    1 << 62, .max, .min,
  ]

  private static let texts = [
    "", " ", "\n", "\r\n", "\t", ",", "-", ".", "nan", "inf", "1e400", "null", "true", "{", "}",
    "[",
    "]", "\"", "\\", "\0", "\u{feff}", "é", "(", ")", "'", "9223372036854775808", "-0", "1e-9",
  ]
}
