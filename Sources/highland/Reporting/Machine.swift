import Communication
import FoundationEssentials
import Glibc

/// What the operating system says about this process and its host.
enum Machine {
  /// Processors of the host.
  static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Processors that this process may run on.
  static var availableProcessorCount: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// The most memory that this process has had at a time, in bytes; 0 where nobody knows.
  static var peakMemoryBytes: Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return 0 }
    return kilobytes * 1024
  }
}

/// Memory of all ranks.
struct MemoryReport: Codable {
  /// Peak of the rank that had the most.
  var peakBytesOfLargestRank: Int
  /// Sum of the peaks of all ranks.
  var peakBytesOfAllRanks: Int

  /// > Collective: over `communicator`. Two rounds of 8 bytes per rank.
  init(on communicator: some Communicator) throws {
    let own = Machine.peakMemoryBytes
    peakBytesOfLargestRank = try communicator.maximum(own)
    peakBytesOfAllRanks = try communicator.sum(own)
  }
}
