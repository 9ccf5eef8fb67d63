internal import CKernels
internal import FoundationEssentials

/// What the operating system says about the memory of this process.
public enum ProcessMemory {
  /// The peak memory of this process, in bytes; 0 if unknown.
  public static var peakBytes: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return 0 }
    return kilobytes * 1024
  }

  /// From now on ``peakBytes`` is the peak of what follows.
  ///
  /// - Returns: Whether the system lets this process do so.
  public static func forgetPeak() -> Bool {
    (try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)) != nil
  }

  /// From now on arrays of 1 MiB and more get pages of their own, which return when they are freed.
  ///
  /// By itself the C library raises this limit to up to 32 MiB, and the arrays of one level leave holes that
  /// those of the next do not fit into: up to twice the memory.
  public static func returnFreedArrays() {
    highland_return_freed_blocks(1 << 20)
  }
}
