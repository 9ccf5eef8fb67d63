// What is not finished when a process is told to end.

internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// The files and directories of this process that have not got their names yet.
///
/// Each is removed by whoever made it, if the work fails. After a signal nobody gets to do so: a program
/// that wants them removed then as well says ``removeOnSignals(ending:)``.
public enum TemporaryFiles {
  private static let paths = Mutex<Set<String>>([])

  /// To be said before the file is created.
  static func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }

  /// Whether a file is there that has not got its name.
  static func contains(_ path: String) -> Bool { paths.withLock { $0.contains(path) } }

  /// Removes all of them: to be called when the program ends by an error.
  public static func removeAll() {
    paths.withLock { paths in
      remove(paths)
      paths = []
    }
  }

  /// Removes all of them for the last time: nothing new is begun, and nothing half removed gets its name.
  ///
  /// - Parameter end: Ends the process.
  public static func removeAll(thenEnding end: () -> Never) -> Never {
    paths.withLock { paths in
      remove(paths)
      // The lock is kept.
      end()
    }
  }

  private static func remove(_ paths: Set<String>) {
    for path in paths {
      if unsafe unlink(path) != 0 { try? FileManager.default.removeItem(atPath: path) }
    }
  }

  /// To be said after it has been renamed or removed.
  static func forget(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// From now on SIGHUP, SIGINT, SIGTERM and SIGUSR1 end the process after what is temporary is removed. Signals
  /// that are ignored stay so.
  ///
  /// A handler may do next to nothing, so it only wakes a thread, by a byte in a pipe.
  ///
  /// - Parameter ending: Ends the process, on that thread. Of two calls the first counts.
  public static func removeOnSignals(ending: @escaping @Sendable (_ signal: Int32) -> Never) {
    guard writingEnd >= 0 else { return }
    end.withLock { if $0 == nil { $0 = ending } }
    for number in [SIGHUP, SIGINT, SIGTERM, SIGUSR1] where handler(of: number) == 0 {
      removeOnSignal(number)
    }
  }

  /// Whether whoever started this process wanted a signal to be ignored.
  public static func isIgnored(_ number: Int32) -> Bool {
    unsafe handler(of: number) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// The address of what a signal runs: 0 for the default, negative if it cannot be told.
  private static func handler(of number: Int32) -> Int {
    var action = sigaction()
    guard unsafe sigaction(number, nil, &action) == 0 else { return -1 }
    return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
  }

  /// The same for one signal, whatever it did; may be said by a handler of that signal.
  public static func removeOnSignal(_ number: Int32) {
    guard writingEnd >= 0 else {
      _ = signal(number, SIG_DFL)
      return
    }
    _ = signal(number) { number in
      let code = errno
      var byte = UInt8(truncatingIfNeeded: number)
      _ = unsafe write(TemporaryFiles.writingEnd, &byte, 1)
      // A second one ends the process at once, even if removing hangs.
      _ = signal(number, SIG_DFL)
      errno = code
    }
  }

  /// Of the pipe whose other end a thread waits at, which is made with it; negative if there is none.
  private static let writingEnd: Int32 = {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { return -1 }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    readingEnd.store(ends[0], ordering: .releasing)
    var thread = pthread_t()
    let status = unsafe pthread_create(
      &thread, nil,
      { _ in
        TemporaryFiles.removeWhenTold()
        return nil
      }, nil)
    guard status == 0 else { return -1 }
    pthread_detach(thread)
    return ends[1]
  }()

  private static let readingEnd = Atomic<Int32>(-1)
  private static let end = Mutex<(@Sendable (Int32) -> Never)?>(nil)

  private static func removeWhenTold() {
    var number: UInt8 = 0
    while true {
      let count = unsafe read(readingEnd.load(ordering: .acquiring), &number, 1)
      if count < 0, errno == EINTR { continue }
      guard count == 1 else { return }
      break
    }
    removeAll {
      end.withLock { $0 }?(Int32(number))
      _ = signal(Int32(number), SIG_DFL)
      kill(getpid(), Int32(number))
      while true { pause() }
    }
  }
}
