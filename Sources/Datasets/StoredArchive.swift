/// The files in a zip archive that are stored as they are, as those of NumPy's `.npz` are unless they are compressed.
///
/// Opening reads the directory at the end of the archive. What is stored is read in place; checksums are not computed.
struct StoredArchive {
  /// A file in the archive.
  struct Member {
    let name: String
    let isCompressed: Bool
    fileprivate let isEncrypted: Bool
    fileprivate let byteCount: Int
    fileprivate let storedByteCount: Int
    fileprivate let headerOffset: Int
  }

  /// In the order of the directory.
  let members: [Member]
  private let file: InputFile

  /// - Throws: ``DataError`` if the file is no zip archive, or its directory is damaged.
  init(_ file: InputFile) throws {
    self.file = file
    let start = try file.bytes(at: 0, count: min(4, file.byteCount))
    guard start == [0x50, 0x4b, 3, 4] || start == [0x50, 0x4b, 5, 6] else {
      throw DataError(
        path: file.path, problem: "does not begin as a .npz file does" + file.whatItIs())
    }
    let (offset, byteCount, count) = try Self.directory(of: file)
    members = try Self.members(
      Bytes(try file.bytes(at: offset, count: byteCount)), count, of: file)
  }

  /// What a member holds.
  ///
  /// - Throws: ``DataError`` if it is compressed or encrypted, or does not lie within the archive.
  func contents(of member: Member) throws -> InputFile {
    func error(_ problem: String) -> DataError {
      DataError(path: file.path, problem: "'\(member.name)' \(problem)")
    }
    guard !member.isEncrypted else { throw error("is encrypted; expected a plain file") }
    guard !member.isCompressed else {
      throw error(
        "is compressed; expected numbers as they are: write them by numpy.savez, not by savez_compressed"
      )
    }
    guard member.byteCount == member.storedByteCount, member.headerOffset <= file.byteCount - 30,
      let header = try? Bytes(file.bytes(at: member.headerOffset, count: 30)),
      header.number(4, at: 0) == 0x0403_4b50
    else { throw error("has no header where the archive says; the file is damaged") }
    // The name, and what else there is, may be longer here than in the directory.
    let first = member.headerOffset + 30 + header.number(2, at: 26) + header.number(2, at: 28)
    guard first <= file.byteCount, member.byteCount <= file.byteCount - first else {
      throw error("ends after the archive; the file is too short")
    }
    return InputFile(
      file, bytes: first..<first + member.byteCount, name: "\(file.path):\(member.name)")
  }
}

// The directory.
extension StoredArchive {
  /// Where the directory is, and how many entries it has.
  private static func directory(
    of file: InputFile
  ) throws -> (offset: Int, byteCount: Int, count: Int) {
    func damaged(_ problem: String) -> DataError {
      DataError(path: file.path, problem: "\(problem); a zip archive is damaged or cut off")
    }
    // The last record ends with a comment of up to 65,535 bytes.
    let length = min(file.byteCount, 22 + 65_535)
    let start = file.byteCount - length
    let end = Bytes(try file.bytes(at: start, count: length))
    guard
      let place = (0...max(0, length - 22)).reversed().first(where: {
        length >= 22 && end.number(4, at: $0) == 0x0605_4b50
          && $0 + 22 + end.number(2, at: $0 + 20) == length
      })
    else { throw damaged("has no directory at its end") }
    var (count, byteCount, offset) = (
      end.number(2, at: place + 10), end.number(4, at: place + 12), end.number(4, at: place + 16)
    )
    // Counts that are too large stand in a record of 64 bits before this one.
    let locator = start + place - 20
    if locator >= 0, try file.integer(UInt32.self, at: locator) == 0x0706_4b50 {
      let record = try file.integer(UInt64.self, at: locator + 8)
      guard record <= UInt64(max(0, file.byteCount - 56)) else {
        throw damaged("has no directory where its end says")
      }
      let large = Bytes(try file.bytes(at: Int(record), count: 56))
      guard large.number(4, at: 0) == 0x0606_4b50 else {
        throw damaged("has no directory where its end says")
      }
      (count, byteCount, offset) = (
        large.number(8, at: 32), large.number(8, at: 40), large.number(8, at: 48)
      )
    }
    guard offset >= 0, byteCount >= 0, offset <= file.byteCount,
      byteCount <= file.byteCount - offset, count <= byteCount / 46
    else { throw damaged("has no directory where its end says") }
    return (offset, byteCount, count)
  }

  private static func members(
    _ directory: Bytes, _ count: Int, of file: InputFile
  ) throws -> [Member] {
    let damaged = DataError(path: file.path, problem: "the directory of the zip archive is damaged")
    var members: [Member] = []
    var place = 0
    for _ in 0..<count {
      guard place + 46 <= directory.count, directory.number(4, at: place) == 0x0201_4b50 else {
        throw damaged
      }
      let (nameLength, extraLength) = (
        directory.number(2, at: place + 28), directory.number(2, at: place + 30)
      )
      let next = place + 46 + nameLength + extraLength + directory.number(2, at: place + 32)
      guard next <= directory.count else { throw damaged }
      let name = directory.text(at: place + 46, count: nameLength)
      var numbers = [24, 20, 42].map { directory.number(4, at: place + $0) }
      let extra = place + 46 + nameLength
      try directory.replaceLarge(&numbers, byExtra: extra..<extra + extraLength, orElse: damaged)
      members.append(
        Member(
          name: name, isCompressed: directory.number(2, at: place + 10) != 0,
          isEncrypted: directory.number(2, at: place + 8) & 1 != 0, byteCount: numbers[0],
          storedByteCount: numbers[1], headerOffset: numbers[2]))
      place = next
    }
    return members
  }
}

/// Numbers in bytes, little endian.
private struct Bytes {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var count: Int { bytes.count }

  /// Negative for one of 64 bits that no `Int` holds.
  func number(_ length: Int, at place: Int) -> Int {
    bytes[place..<place + length].reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  func text(at place: Int, count: Int) -> String {
    String(decoding: bytes[place..<place + count], as: UTF8.self)
  }

  /// Replaces the numbers that are all ones by those of 64 bits that follow, in the same order.
  func replaceLarge(
    _ numbers: inout [Int], byExtra extra: Range<Int>, orElse error: DataError
  ) throws {
    var large: [Int] = []
    var place = extra.lowerBound
    while place + 4 <= extra.upperBound {
      let (kind, length) = (number(2, at: place), number(2, at: place + 2))
      guard place + 4 + length <= extra.upperBound else { throw error }
      if kind == 1 { large = (0..<length / 8).map { number(8, at: place + 4 + 8 * $0) } }
      place += 4 + length
    }
    for index in numbers.indices where numbers[index] == 0xffff_ffff {
      guard let first = large.first, first >= 0 else { throw error }
      numbers[index] = first
      large.removeFirst()
    }
  }
}
