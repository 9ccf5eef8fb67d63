// Who writes into a directory that several jobs may name.

internal import Glibc

/// What a process holds that alone may write files of a kind into a directory: until it ends, however it does, or lets
/// go of this.
///
/// The lock is of a file, which stays. Where file systems have no locks, everybody gets one.
public final class DirectoryLock: Sendable {
  private let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Takes the lock of a file, which is made if it is not there.
  ///
  /// - Returns: Nil if another process holds it.
  /// - Throws: ``DataError`` if the file cannot be opened.
  public static func take(_ path: String) throws -> DirectoryLock? {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw DataError.system(path, "cannot create") }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      return nil
    }
    return DirectoryLock(descriptor)
  }
}
