internal import Glibc

/// A file that grows by whole lines, each in the file as soon as it is written: a log.
public struct AppendingFile: ~Copyable {
  private let path: String
  private let descriptor: Int32

  /// - Throws: ``DataError`` if the file does not exist or cannot be written.
  public init(_ path: String) throws {
    self.path = path
    descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataError.system(path, "cannot open for writing") }
  }

  deinit { close(descriptor) }

  /// Adds a line; a newline is put behind it.
  ///
  /// - Throws: ``DataError`` if not all of it could be written.
  public func append(line: some Sequence<UInt8>) throws {
    let bytes = Array(line) + [UInt8(ascii: "\n")]
    let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    guard count == bytes.count else { throw DataError.system(path, "cannot write") }
  }
}
