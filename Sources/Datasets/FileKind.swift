/// What a file is, as its first bytes and sometimes its last ones tell, whatever its name says.
///
/// It is asked where a file is refused, and of formats that would take any bytes: so a message can
/// name what was given instead.
enum FileKind {
  /// - Parameter isCertain: Whether to name only what numbers are not by accident.
  /// - Returns: As a message says it, with an article: `a zip archive`; nil for what is unknown.
  static func description(of file: InputFile, isCertain: Bool = false) throws -> String? {
    guard file.byteCount > 0 else { return "empty" }
    let start = try file.bytes(at: 0, count: min(file.byteCount, sampleByteCount))
    let last = try file.bytes(at: file.byteCount - 1, count: 1)[0]
    for (magic, name) in magics where start.starts(with: magic) { return name }
    // The byte after a magic of three is small, or a digit: no number begins so by accident.
    if start.starts(with: [0x1f, 0x8b, 8]), start.count > 3, start[3] < 32 {
      return "compressed by gzip"
    }
    if start.starts(with: "BZh".utf8), start.count > 3, (0x31...0x39).contains(start[3]) {
      return "compressed by bzip2"
    }
    if start.count > 262, start[257..<262].elementsEqual("ustar".utf8) { return "a tar archive" }
    if start.count > 3, start[0] == 0x80, (2...5).contains(start[1]),
      last == UInt8(ascii: "."), start[2] == 0x95 || "(])}cXqK".utf8.contains(start[2])
    {
      return "a pickle of Python"
    }
    if isTensorFile(start, byteCount: file.byteCount) { return "a .safetensors file" }
    if isCertain { return start.count < 32 ? nil : text(start) }
    return utf16(start) ?? text(start)
  }

  /// Whether Python has libraries that read what this program does not, for which there is a recipe.
  static func hasRecipe(_ file: InputFile) -> Bool {
    guard let kind = try? description(of: file) else { return false }
    return ["a Parquet file", "an Arrow file", "a Feather file", "an HDF5 file"].contains(kind)
  }

  private static let sampleByteCount = 1 << 16

  private static let magics: [([UInt8], String)] = [
    (Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) }), "an .npy array"),
    ([0x50, 0x4b, 3, 4], "a zip archive (as .npz, .pt and .pth files are)"),
    ([0x50, 0x4b, 5, 6], "an empty zip archive"),
    ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "compressed by xz"),
    ([0x28, 0xb5, 0x2f, 0xfd], "compressed by zstd"),
    ([0x04, 0x22, 0x4d, 0x18], "compressed by lz4"),
    ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive"),
    (Array("PAR1".utf8), "a Parquet file"),
    (Array("ARROW1".utf8), "an Arrow file"),
    (Array("FEA1".utf8), "a Feather file"),
    ([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], "an HDF5 file"),
    (Array("CDF\u{1}".utf8), "a NetCDF file"), (Array("CDF\u{2}".utf8), "a NetCDF file"),
    (Array("MATLAB 5.0 MAT-file".utf8), "a MATLAB file"),
    (Array("SQLite format 3\u{0}".utf8), "an SQLite database"),
    (Array("GGUF".utf8), "a GGUF model"),
    (Array("IxF2".utf8), "a Faiss index"), (Array("IxFI".utf8), "a Faiss index"),
    (Array("IxMp".utf8), "a Faiss index"), (Array("IwFl".utf8), "a Faiss index"),
    ([0x89, 0x50, 0x4e, 0x47], "a PNG image"), ([0xff, 0xd8, 0xff, 0xe0], "a JPEG image"),
    ([0xff, 0xd8, 0xff, 0xe1], "a JPEG image"),
    (Array("%PDF".utf8), "a PDF document"), ([0x7f, 0x45, 0x4c, 0x46], "a program"),
    (Array("version https://git-lfs".utf8), "a pointer of Git LFS, not the file itself"),
  ]

  /// The length of a JSON header, and its first bytes.
  private static func isTensorFile(_ start: [UInt8], byteCount: Int) -> Bool {
    guard start.count > 10, start[8] == UInt8(ascii: "{"),
      start[9] == UInt8(ascii: "\"") || start[9] == UInt8(ascii: "}")
    else { return false }
    let length = start[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return length >= 2 && length <= byteCount - 8
  }

  /// What byte order mark or which zeros betray a text that is not UTF-8.
  static func utf16(_ start: some Collection<UInt8>) -> String? {
    let bytes = Array(start.prefix(64))
    guard bytes.count >= 2 else { return nil }
    if bytes.starts(with: [0xff, 0xfe, 0, 0]) || bytes.starts(with: [0, 0, 0xfe, 0xff]) {
      return "text in UTF-32"
    }
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      return "text in UTF-16"
    }
    // Without a mark: of ASCII every other byte is zero.
    guard bytes.count >= 4 else { return nil }
    for parity in 0...1 {
      let places = bytes.indices.filter { $0 % 2 == parity }
      let others = bytes.indices.filter { $0 % 2 != parity }
      if places.allSatisfy({ bytes[$0] == 0 }), others.allSatisfy({ isText(bytes[$0]) }) {
        return "text in UTF-16"
      }
    }
    return nil
  }

  private static func text(_ start: [UInt8]) -> String? {
    let body = start.starts(with: byteOrderMark) ? start[byteOrderMark.count...] : start[...]
    // A character that the sample cuts is no fault.
    let cuts = start.count == sampleByteCount ? 0...3 : 0...0
    let isUTF8 = cuts.contains { String(validating: body.dropLast($0), as: UTF8.self) != nil }
    guard isUTF8, body.allSatisfy(isText) else { return nil }
    let trimmed = body.drop { $0 <= 0x20 }
    guard let first = trimmed.first else { return "blank text" }
    if first == UInt8(ascii: "<") {
      let word = String(decoding: trimmed.prefix(200), as: UTF8.self).lowercased()
      return word.contains("<html") || word.contains("<!doctype html")
        ? "an HTML page" : "an XML text"
    }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      let word = String(decoding: trimmed, as: UTF8.self)
      if word.contains("\"weight_map\"") {
        return "the index of a model that is stored in several files, in JSON"
      }
      if first == UInt8(ascii: "{")
        || "[{\"-0123456789 \n\r\t]".utf8.contains(trimmed.dropFirst().first ?? 0)
      {
        return "a text in JSON"
      }
    }
    return "a text"
  }

  static func isText(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x7f || (9...13).contains(byte)
  }
}

/// What some programs put before a text in UTF-8; no part of it.
let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

extension InputFile {
  /// How many bytes of a byte order mark the file begins with: 3 or 0.
  ///
  /// - Throws: ``DataError`` for what is no text in UTF-8 at first sight: naming it, where its first
  ///   bytes tell.
  func textStart() throws -> Int {
    let start = try bytes(at: 0, count: min(byteCount, 512))
    if let kind = FileKind.utf16(start) {
      throw DataError(path: path, problem: "\(kind); expected UTF-8")
    }
    if start.contains(where: { !FileKind.isText($0) }),
      let kind = try FileKind.description(of: self)
    {
      throw DataError(path: path, problem: "\(kind); expected a text")
    }
    return start.starts(with: byteOrderMark) ? byteOrderMark.count : 0
  }

  /// `; it is …` for the end of a message, or nothing.
  func whatItIs() -> String {
    // The file is refused already; that it cannot be read again is no better reason.
    guard let kind = try? FileKind.description(of: self) else { return "" }
    return kind == "empty" ? "; it is empty" : "; it is \(kind)"
  }
}
