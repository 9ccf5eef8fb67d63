internal import Glibc

/// Processor time of this process so far, user and system, all threads together, in seconds.
///
/// Unlike the elapsed time, it shows the cost of the work even on a busy machine. A rank that waits for a
/// message polls, and polling counts.
public func processorSeconds() -> Double {
  Double(clock()) / 1e6  // POSIX fixes the unit to a microsecond.
}
