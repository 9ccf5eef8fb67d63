internal import Glibc

/// A file open for reading at any place; closed when the last reference goes.
final class InputFile: Sendable {
  let path: String
  /// The size of the file when it was opened.
  let byteCount: Int
  private let descriptor: Int32
  /// What stands in for a file; nil where there is one.
  private let contents: [UInt8]?
  /// The file that this is a part of, and the byte of it where the part begins; nil for a whole one.
  private let whole: (file: InputFile, start: Int)?

  /// - Throws: ``DataError`` if there is no such file, or it is not an ordinary readable one.
  init(path: String) throws {
    self.path = path
    // Looked at first, as opening a pipe would wait for its writer.
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw DataError.system(path, "cannot open") }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let kind = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "not an ordinary file"
      throw DataError(path: path, problem: "is \(kind); expected a file")
    }
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataError.system(path, "cannot open") }
    byteCount = Int(status.st_size)
    (contents, whole) = (nil, nil)
  }

  /// Bytes in memory, under a name for messages.
  init(contents: [UInt8], name: String) {
    path = name
    byteCount = contents.count
    descriptor = -1
    self.contents = contents
    whole = nil
  }

  /// Some bytes of another file, under a name for messages.
  ///
  /// - Precondition: They are in the file.
  init(_ file: InputFile, bytes: Range<Int>, name: String) {
    precondition(
      bytes.lowerBound >= 0 && bytes.upperBound <= file.byteCount,
      "bytes \(bytes) of \(file.byteCount) in \(file.path)")
    path = name
    byteCount = bytes.count
    descriptor = -1
    contents = nil
    whole = (file, bytes.lowerBound)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Fills `buffer` with the bytes of the file from `offset` on.
  ///
  /// - Throws: ``DataError`` if the file ends before, or the system fails.
  func read(at offset: Int, into buffer: inout MutableRawSpan) throws {
    // Of a file the system says so, which may have been cut off since it was opened.
    let isFile = whole == nil && contents == nil
    guard isFile || offset + buffer.byteCount <= byteCount else {
      throw DataError(
        path: path,
        problem: "ends at byte \(byteCount); expected \(offset + buffer.byteCount) bytes")
    }
    if let whole { return try whole.file.read(at: whole.start + offset, into: &buffer) }
    if let contents {
      unsafe buffer.withUnsafeMutableBytes { buffer in
        unsafe contents.withUnsafeBytes { contents in
          unsafe buffer.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: contents[offset..<offset + buffer.count]))
        }
      }
      return
    }
    let failure: DataError? = unsafe buffer.withUnsafeMutableBytes { buffer in
      var done = 0
      while done < buffer.count {
        // The system moves at most 2 GiB in one call.
        let wanted = min(buffer.count - done, 1 << 30)
        let count = unsafe pread(descriptor, buffer.baseAddress! + done, wanted, offset + done)
        if count < 0, errno == EINTR { continue }
        if count < 0 { return DataError.system(path, "cannot read at byte \(offset + done)") }
        if count == 0 {
          return DataError(
            path: path,
            problem: "ends at byte \(offset + done); expected \(offset + buffer.count) bytes")
        }
        done += count
      }
      return nil
    }
    if let failure { throw failure }
  }

  func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    var bytes = Array(repeating: UInt8(0), count: count)
    var elements = bytes.mutableSpan
    var span = unsafe elements.mutableBytes
    try read(at: offset, into: &span)
    return bytes
  }

  /// A little-endian integer of the file.
  func integer<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) throws -> T {
    try bytes(at: offset, count: MemoryLayout<T>.size).reversed().reduce(0) { $0 << 8 | T($1) }
  }

  /// Calls `body` with consecutive blocks of `count` elements that begin at byte `offset`, each
  /// with the index of its first element.
  ///
  /// A block ends where a run of `multiple` elements does, and has about a mebibyte.
  ///
  /// - Parameter isBigEndian: Whether the file has the bytes of each element in that order.
  func forEachBlock<Element: ArrayElement>(
    of type: Element.Type, count: Int, at offset: Int, multiple: Int = 1, isBigEndian: Bool = false,
    _ body: (Int, Span<Element>) throws -> Void
  ) throws {
    let stride = MemoryLayout<Element>.stride
    let capacity = min(count, max(1 << 20 / stride / multiple, 1) * multiple)
    var block = Array(repeating: Element.zero, count: capacity)
    var start = 0
    while start < count {
      block.removeLast(max(block.count - (count - start), 0))
      var elements = block.mutableSpan
      var bytes = unsafe elements.mutableBytes
      try read(at: offset + start * stride, into: &bytes)
      if isBigEndian { bytes.reverseEach(stride) }
      try body(start, block.span)
      start += block.count
    }
  }
}

extension MutableRawSpan {
  /// Reverses the bytes of every run of `length`: from one byte order to the other.
  mutating func reverseEach(_ length: Int) {
    precondition(byteCount.isMultiple(of: length), "\(byteCount) bytes in runs of \(length)")
    unsafe withUnsafeMutableBytes { bytes in
      for start in Swift.stride(from: 0, to: bytes.count, by: length) {
        for place in 0..<length / 2 {
          unsafe bytes.swapAt(start + place, start + length - 1 - place)
        }
      }
    }
  }
}

extension DataError {
  /// What the last system call says.
  static func system(_ path: String, _ action: String) -> DataError {
    let code = errno
    return DataError(path: path, problem: "\(action): \(unsafe String(cString: strerror(code)))")
  }
}

/// All bytes of a file.
///
/// Foundation loses its buffer of an empty one.
///
/// - Throws: ``DataError`` if there is no such file, or it is not an ordinary readable one.
package func fileBytes(_ path: String) throws -> [UInt8] {
  let file = try InputFile(path: path)
  return try file.bytes(at: 0, count: file.byteCount)
}
