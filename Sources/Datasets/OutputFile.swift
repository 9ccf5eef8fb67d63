// Files that appear under their names only when they are complete.

public import Communication
internal import FoundationEssentials
internal import Glibc

/// Says now whether a file could be written at the end: to be called before hours of work.
///
/// - Throws: ``DataError`` if the name is no name for a file, the file exists and `overwrite` is
///   false, or no file can be created in its directory. The last is tried with an empty file.
public func checkWritable(_ path: String, overwrite: Bool) throws {
  guard !["", ".", ".."].contains(name(of: path)) else {
    throw DataError(path: path, problem: "not a name for a file")
  }
  switch try kind(of: path) {
  case nil: break
  case S_IFDIR: throw DataError(path: path, problem: "is a directory; expected a name for a file")
  case S_IFREG:
    if !overwrite { throw DataError(path: path, problem: existsAlready) }
  default: throw DataError(path: path, problem: "is not an ordinary file, and is not replaced")
  }
  try checkDirectory(of: path)
}

/// Finds out now whether an output will fit on the disk: to be called before the work.
///
/// - Parameter byteCount: What will be written at least.
/// - Throws: ``DataError`` if the file system has fewer bytes left.
public func checkSpace(_ byteCount: Int, for path: String) throws {
  var status = statvfs()
  if unsafe statvfs(directory(of: path), &status) == 0 { try status.check(byteCount, for: path) }
}

/// The same for an array of a shape, without its header.
///
/// - Throws: ``DataError`` if the file system has fewer bytes left, or no file can hold it.
public func checkSpace(
  ofShape shape: [Int], elementByteCount: Int, for path: String
) throws {
  try checkSpace(
    byteCount(ofShape: shape, elementByteCount: elementByteCount) ?? .max, for: path)
}

/// Finds out whether so many bytes will fit into an open file, besides the blocks that it has.
///
/// - Throws: ``DataError`` if the file system has fewer left.
func checkSpace(_ byteCount: Int, in descriptor: Int32, for path: String) throws {
  var (system, file) = (statvfs(), stat())
  guard unsafe fstatvfs(descriptor, &system) == 0, unsafe fstat(descriptor, &file) == 0 else {
    return
  }
  try system.check(byteCount - Int(file.st_blocks) * 512, for: path)
}

extension statvfs {
  /// - Throws: ``DataError`` if fewer than `byteCount` bytes are left. Some file systems do not say.
  fileprivate func check(_ byteCount: Int, for path: String) throws {
    guard f_blocks > 0, f_frsize > 0 else { return }
    let free = UInt64(f_bavail).multipliedReportingOverflow(by: UInt64(f_frsize))
    guard free.overflow || byteCount <= free.partialValue else {
      throw DataError(
        path: path,
        problem: "\(byteCount) bytes are to be written; \(free.partialValue) are free there")
    }
  }
}

let existsAlready =
  "exists already, and is not overwritten unless that is asked for (--overwrite)"

/// Tries whether something can be created beside `path`, or beside what it is a link to.
func checkDirectory(of path: String) throws {
  let destination = destination(of: path)
  let directory = directory(of: destination)
  guard try kind(of: directory) == S_IFDIR else {
    throw DataError(path: path, problem: "there is no directory '\(directory)'")
  }
  let probe = temporaryName(for: destination)
  TemporaryFiles.add(probe)
  defer { remove(probe) }
  do {
    _ = try OutputFile(creating: probe, for: path)
  } catch let error as DataError {
    throw DataError(path: path, problem: "\(error.problem) (in the directory '\(directory)')")
  }
}

func directory(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// A name beside `path`, which is no link, that no other run uses. What gets it is said to ``TemporaryFiles``.
func temporaryName(for path: String) -> String {
  "\(path).tmp-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
}

/// A file open for writing at any place; closed when it goes.
struct OutputFile: ~Copyable {
  /// What errors call the file: its final name.
  private let name: String
  private let descriptor: Int32

  /// A new file; where there is one already, an error.
  init(creating path: String, for name: String) throws {
    self.name = name
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw DataError.system(name, "cannot create") }
  }

  /// A file that is there, as another rank has created it.
  init(opening path: String, for name: String) throws {
    self.name = name
    descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataError.system(name, "cannot open for writing") }
  }

  deinit { close(descriptor) }

  /// Makes the file so long; what is not written reads as zero.
  ///
  /// - Throws: ``DataError`` if the file system has too few bytes left, or refuses.
  func resize(to byteCount: Int) throws {
    try checkSpace(byteCount, in: descriptor, for: name)
    guard ftruncate(descriptor, byteCount) == 0 else {
      throw DataError.system(name, "cannot make \(byteCount) bytes long")
    }
  }

  func write(_ bytes: RawSpan, at offset: Int) throws {
    let failure: DataError? = unsafe bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = unsafe pwrite(
          descriptor, bytes.baseAddress! + done, min(bytes.count - done, 1 << 30), offset + done)
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return DataError.system(name, "cannot write at byte \(offset + done)") }
        done += count
      }
      return nil
    }
    if let failure { throw failure }
  }

  func write<Element: BitwiseCopyable>(_ elements: [Element], at offset: Int) throws {
    try unsafe write(elements.span.bytes, at: offset)
  }

  /// Writes `count` elements from byte `offset` on, made in blocks of whole runs of `multiple`.
  func write<Element: ArrayElement>(
    count: Int, at offset: Int, multiple: Int = 1, _ element: (Int) -> Element
  ) throws {
    let capacity = max((1 << 20) / MemoryLayout<Element>.stride / multiple, 1) * multiple
    for start in stride(from: 0, to: count, by: capacity) {
      let block = (start..<min(start + capacity, count)).map(element)
      try write(block, at: offset + start * MemoryLayout<Element>.stride)
    }
  }

  /// Returns when the bytes have reached the disk, or the server.
  func synchronize() throws {
    guard fsync(descriptor) == 0 else { throw DataError.system(name, "cannot write to disk") }
  }
}

/// Gives the finished file its name, or that of what the name is a link to.
private func finish(_ temporary: String, as path: String, overwrite: Bool) throws {
  let destination = destination(of: path)
  if !overwrite {
    // Unlike a renaming, a second name is never given to what exists.
    if unsafe link(temporary, destination) == 0 {
      remove(temporary)
      return synchronizeDirectory(of: destination)
    }
    // Where the file system knows no second names, the next best.
    let isThere = errno == EEXIST
    if try isThere || kind(of: destination) != nil {
      throw DataError(path: path, problem: existsAlready)
    }
  }
  guard unsafe rename(temporary, destination) == 0 else {
    throw DataError.system(path, "cannot rename to")
  }
  TemporaryFiles.forget(temporary)
  synchronizeDirectory(of: destination)
}

/// An empty file, or one whose space was reserved, under a temporary name.
private func createTemporary(for path: String) throws -> String {
  let temporary = temporaryName(for: destination(of: path))
  TemporaryFiles.add(temporary)
  do {
    if ReservedSpace.take(path, as: temporary) { return temporary }
    _ = try OutputFile(creating: temporary, for: path)
    return temporary
  } catch {
    TemporaryFiles.forget(temporary)
    throw error
  }
}

/// Removes a temporary file if it is there.
func remove(_ path: String) {
  unsafe unlink(path)
  TemporaryFiles.forget(path)
}

/// Makes a change of names last. Some file systems refuse; there is nothing to do about it.
func synchronizeDirectory(of path: String) {
  let descriptor = unsafe open(directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}

/// Writes a file by this rank alone; it appears when it is complete, or not at all.
func writeAtomically(
  to path: String, overwrite: Bool, _ body: (borrowing OutputFile) throws -> Void
) throws {
  try checkWritable(path, overwrite: overwrite)
  let temporary = try createTemporary(for: path)
  do {
    let file = try OutputFile(opening: temporary, for: path)
    try body(file)
    try file.synchronize()
    try finish(temporary, as: path, overwrite: overwrite)
  } catch {
    remove(temporary)
    throw error
  }
}

/// Writes a file by all ranks; it appears when it is complete, or not at all.
///
/// > Collective: five rounds: three of 1 byte per rank, and the broadcast of the temporary name.
///
/// - Parameters:
///   - header: On rank 0: the first bytes.
///   - byteCount: Replicated. The size of the file.
///   - body: Writes this rank's part; does not communicate.
func writeAtomically(
  to path: String, header: [UInt8], byteCount: Int, overwrite: Bool,
  on communicator: some Communicator, _ body: (borrowing OutputFile) throws -> Void
) throws {
  try communicator.assertReplicated(
    (path: path, byteCount: byteCount, overwrite: overwrite), from: .all)
  let isFirst = communicator.rank == Rank(0)
  let created = try communicator.agree { () -> String in
    guard isFirst else { return "" }
    try checkWritable(path, overwrite: overwrite)
    let temporary = try createTemporary(for: path)
    do {
      let file = try OutputFile(opening: temporary, for: path)
      try file.resize(to: byteCount)
      try file.write(header, at: 0)
    } catch {
      remove(temporary)
      throw error
    }
    return temporary
  }
  let temporary = String(
    decoding: try communicator.broadcast(Array(created.utf8)), as: UTF8.self)
  do {
    try communicator.agree {
      let file = try OutputFile(opening: temporary, for: path)
      try body(file)
      try file.synchronize()
    }
    try communicator.agree {
      if isFirst { try finish(temporary, as: path, overwrite: overwrite) }
    }
  } catch {
    if isFirst { remove(temporary) }
    throw error
  }
}

/// Writes a text by this rank alone; the file appears when it is complete, or not at all.
///
/// - Throws: ``DataError`` as ``checkWritable(_:overwrite:)`` does, or if writing fails.
public func writeText(_ text: String, to path: String, overwrite: Bool) throws {
  try writeAtomically(to: path, overwrite: overwrite) { try $0.write(Array(text.utf8), at: 0) }
}

/// Writes rank 0's text; the file appears when it is complete, or not at all.
///
/// > Collective: one round of 1 byte per rank.
///
/// - Throws: The same error on every rank: ``AgreedFailure`` with what a ``DataError`` says.
public func writeText(
  _ text: String, to path: String, overwrite: Bool, on communicator: some Communicator
) throws {
  try communicator.agree {
    if communicator.rank == Rank(0) { try writeText(text, to: path, overwrite: overwrite) }
  }
}

/// Writes a value as JSON by this rank alone: indented, keys sorted, one newline at the end.
///
/// - Throws: ``DataError`` as ``checkWritable(_:overwrite:)`` does, or if writing fails;
///   `EncodingError` for what JSON has no way to say, as infinity.
public func writeJSON(_ value: some Encodable, to path: String, overwrite: Bool) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  let bytes = try encoder.encode(value) + Data([UInt8(ascii: "\n")])
  try writeAtomically(to: path, overwrite: overwrite) { try $0.write(Array(bytes), at: 0) }
}

/// Writes rank 0's value as JSON: indented, keys sorted, one newline at the end.
///
/// > Collective: one round of 1 byte per rank.
///
/// - Throws: The same error on every rank: ``AgreedFailure`` with what a ``DataError`` says.
public func writeJSON(
  _ value: some Encodable, to path: String, overwrite: Bool, on communicator: some Communicator
) throws {
  try communicator.agree {
    if communicator.rank == Rank(0) { try writeJSON(value, to: path, overwrite: overwrite) }
  }
}
