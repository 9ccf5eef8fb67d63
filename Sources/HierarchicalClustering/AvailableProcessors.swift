internal import FoundationEssentials
internal import Glibc

/// The processors that this process may use.
public enum AvailableProcessors {
  /// Fewer than the host's where the process is bound to some, as `mpirun`, `taskset` and containers do.
  ///
  /// Not `ProcessInfo.activeProcessorCount`, which does not look at binding.
  public static var count: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") }),
      let mask = line.split(whereSeparator: \.isWhitespace).last
    else { return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
    // A bit per processor, in hexadecimal digits.
    return max(1, mask.reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount })
  }
}
