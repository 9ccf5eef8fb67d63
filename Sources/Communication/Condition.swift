internal import Glibc

/// A lock, and a way to wait until another thread has changed what it guards.
///
/// Foundation has one too; this one keeps Foundation's seven megabytes out of every rank.
// @unchecked: the two primitives are made for use by several threads.
@safe final class Condition: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe changed.initialize(to: pthread_cond_t())
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(changed, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(mutex)
    unsafe changed.deallocate()
    unsafe mutex.deallocate()
  }

  func lock() { unsafe _ = pthread_mutex_lock(mutex) }
  func unlock() { unsafe _ = pthread_mutex_unlock(mutex) }

  /// Wakes all who wait. The lock must be held.
  func broadcast() { unsafe _ = pthread_cond_broadcast(changed) }

  /// Waits, with the lock released, for a broadcast.
  func wait() { unsafe _ = pthread_cond_wait(changed, mutex) }

  /// Waits, with the lock released, for a broadcast, at most until `limit`; returns whether one came.
  func wait(until limit: timespec) -> Bool {
    var limit = limit
    return unsafe pthread_cond_timedwait(changed, mutex, &limit) == 0
  }

  /// The time `seconds` from now, for ``wait(until:)``.
  static func time(inSeconds seconds: Double) -> timespec {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    let nanoseconds = Double(now.tv_nsec) + (seconds - seconds.rounded(.down)) * 1e9
    let carry = nanoseconds >= 1e9 ? 1 : 0
    return timespec(
      tv_sec: now.tv_sec + Int(seconds.rounded(.down)) + carry,
      tv_nsec: Int(nanoseconds) - carry * 1_000_000_000)
  }
}

/// Runs `body` on a thread of its own with a stack of the given size.
package func startThread(stackByteCount: Int = 256 << 10, _ body: @escaping @Sendable () -> Void) {
  final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var attributes = pthread_attr_t()
  unsafe pthread_attr_init(&attributes)
  unsafe pthread_attr_setstacksize(&attributes, stackByteCount)
  unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  defer { unsafe pthread_attr_destroy(&attributes) }
  var thread = pthread_t()
  let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
  let status = unsafe pthread_create(
    &thread, &attributes,
    { argument in
      unsafe Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
      return nil
    }, box)
  precondition(status == 0, "no thread for a rank: error \(status)")
}
