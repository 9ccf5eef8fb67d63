// Blocks of the disk that are an output's from the start.

internal import CFiles
internal import Glibc
internal import Synchronization

/// The space that this process has reserved for outputs which it has not begun to write.
///
/// Each is a file without a name, which the system removes with the process, however that ends; where file
/// systems have no such files, one with a temporary name. What writes the output takes it over.
public enum ReservedSpace {
  private static let files = Mutex<[String: ReservedFile]>([:])

  /// Reserves what an output will take: to be called before the work, when its size is known.
  ///
  /// Some file systems cannot reserve; there only a lack of space at this time is noticed. (The fallocate of Linux, as
  /// that of POSIX would write to every block instead.)
  ///
  /// - Parameter byteCount: What will be written at least.
  /// - Throws: ``DataError`` if the file system has fewer bytes left.
  public static func reserve(_ byteCount: Int, for path: String) throws {
    guard byteCount > 0 else { return }
    let file = try ReservedFile(beside: path)
    try checkSpace(byteCount, in: file.descriptor, for: path)
    if cfiles_allocate(file.descriptor, Int64(byteCount)) != 0 {
      let problem: String? =
        switch errno {
        case ENOSPC: "there is no space for them"
        case EDQUOT: "the quota leaves no space for them"
        case EFBIG: "the limit of a file's size is lower"
        default: nil
        }
      if let problem {
        throw DataError(path: path, problem: "\(byteCount) bytes are to be written; \(problem)")
      }
    }
    files.withLock { $0[path] = file }
  }

  /// The same for an array of a shape, with its header.
  ///
  /// - Throws: ``DataError`` if the file system has fewer bytes left, or no file can hold it.
  public static func reserve(ofShape shape: [Int], elementByteCount: Int, for path: String) throws {
    let count = byteCount(ofShape: shape, elementByteCount: elementByteCount)
    guard let count else { return try checkSpace(.max, for: path) }
    try reserve(count == 0 ? 0 : count + ArrayHeader.usualByteCount, for: path)
  }

  /// Gives what was reserved for an output a name.
  ///
  /// - Returns: False if nothing was, or if it cannot be named.
  static func take(_ path: String, as temporary: String) -> Bool {
    files.withLock { $0.removeValue(forKey: path) }?.move(to: temporary) ?? false
  }
}

/// An empty file; removed, if it has a name, and closed when it goes.
private final class ReservedFile: Sendable {
  let descriptor: Int32
  /// Nil for a file without a name.
  private let name: String?

  /// A file on the file system of an output.
  init(beside path: String) throws {
    let place = destination(of: path)
    let unnamed = unsafe open(
      directory(of: place), O_WRONLY | O_CLOEXEC | Self.temporaryFile, 0o666)
    if unnamed >= 0 {
      (descriptor, name) = (unnamed, nil)
      return
    }
    let temporary = temporaryName(for: place)
    TemporaryFiles.add(temporary)
    let named = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard named >= 0 else {
      TemporaryFiles.forget(temporary)
      throw DataError.system(path, "cannot create")
    }
    (descriptor, name) = (named, temporary)
  }

  deinit {
    if let name, TemporaryFiles.contains(name) { remove(name) }
    close(descriptor)
  }

  /// O_TMPFILE, which is no plain number in C.
  private static let temporaryFile: Int32 = 0o20_000_000 | O_DIRECTORY

  func move(to temporary: String) -> Bool {
    guard let name else {
      return unsafe linkat(
        AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) == 0
    }
    guard unsafe rename(name, temporary) == 0 else { return false }
    TemporaryFiles.forget(name)
    return true
  }
}
