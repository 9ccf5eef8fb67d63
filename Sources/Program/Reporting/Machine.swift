import Communication
import FoundationEssentials
import Glibc
import HierarchicalClustering

/// What the operating system says about this process and its host.
enum Machine {
  /// Processors of the host.
  static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// The name that the system gives the first processor; nil where it gives none.
  static var processorName: String? {
    let lines =
      FileManager.default.contents(atPath: "/proc/cpuinfo")
      .map { String(decoding: $0, as: UTF8.self).split(separator: "\n") } ?? []
    let line = lines.first { $0.hasPrefix("model name") }
    return line?.split(separator: ":", maxSplits: 1).last.map {
      String($0.drop { $0 == " " })
    }
  }

  /// The most memory that this process had before it did anything: libraries and MPI.
  ///
  /// To be asked for first when the program starts.
  static let startMemoryBytes = ProcessMemory.peakBytes
}

/// Memory of all ranks.
struct MemoryReport: Codable {
  /// Peak of the rank that had the most.
  var peakBytesOfLargestRank: Int
  /// Sum of the peaks of all ranks; what ranks of a host share counts for each.
  var peakBytesOfAllRanks: Int
  /// The part of that sum that was there before anything was read: libraries and MPI.
  var startBytesOfAllRanks: Int
  /// What was predicted for the rank that takes most; nil where nothing was.
  var plannedBytesOfLargestRank: Int?
  /// What each rank may take, if that was said.
  var limitBytes: Int?

  /// > Collective: over `communicator`. Three rounds of 8 bytes per rank.
  init(_ plan: MemoryOptions.Plan? = nil, on communicator: some Communicator) throws {
    plannedBytesOfLargestRank = plan.map { Int($0.bytes) }
    limitBytes = plan?.limit
    let own = ProcessMemory.peakBytes
    peakBytesOfLargestRank = try communicator.maximum(own)
    peakBytesOfAllRanks = try communicator.sum(own)
    startBytesOfAllRanks = try communicator.sum(Machine.startMemoryBytes)
  }
}
