internal import Glibc

/// Processor time of this process so far, user and system, all threads together, in seconds.
///
/// Beside the elapsed time it shows what the work cost, also on a machine that does other things.
/// A rank that waits for a message polls, and polling counts.
public func processorSeconds() -> Double {
  Double(clock()) / 1e6  // POSIX fixes the unit to a microsecond.
}
