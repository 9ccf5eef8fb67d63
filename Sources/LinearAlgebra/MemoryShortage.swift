internal import Synchronization

/// What happens where the system gives no memory for a matrix: there is nobody to throw to, as values of
/// matrices are made everywhere.
public enum MemoryShortage {
  private static let handler = Mutex<(@Sendable (_ byteCount: Int) -> Never)?>(nil)

  /// From now on `end` ends the process, with the bytes that were asked for, on the thread that asked.
  /// Without it the process traps.
  public static func handle(by end: @escaping @Sendable (_ byteCount: Int) -> Never) {
    handler.withLock { $0 = end }
  }

  static func end(_ byteCount: Int) -> Never {
    handler.withLock { $0 }?(byteCount)
    fatalError("no memory for a matrix of \(byteCount) bytes")
  }
}
