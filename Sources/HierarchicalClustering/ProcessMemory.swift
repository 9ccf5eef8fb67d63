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
}
