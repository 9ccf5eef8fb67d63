import Communication
import FoundationEssentials
import HierarchicalClustering
import MPICommunication

/// Reads a saved run.
///
/// > Collective: over `communicator`. A few rounds of some bytes per rank, and as ``FittedClustering/init(reading:on:)``.
///
/// - Throws: ``AgreedFailure`` on every rank if it has no room here or cannot be read.
func readRun(
  _ directory: String, _ reporter: ProgressReporter, on communicator: MPICommunicator
) throws -> FittedClustering {
  let files = FittedClustering.files(in: directory).map { path in
    let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64
    return Double(size ?? 0)
  }
  // Its arrays, and once more the largest of them while it is read.
  try MemoryNeed(
    option: "--to \(directory)", purpose: "a clustering",
    bytes: (files.reduce(0, +) + files.max()!) / Double(communicator.size)
  ).check(on: communicator)
  reporter.show("run", isDone: 0)
  let fit = try FittedClustering(reading: directory, on: communicator)
  reporter.show("run", isDone: 1)
  return fit
}

/// How many points of all ranks have each label.
///
/// > Collective: over `communicator`, as the sum of 8 bytes per cluster.
func clusterSizes(
  _ labels: [Int64], count: Int, on communicator: some Communicator
) throws -> [Int64] {
  var sizes = Array(repeating: Int64(0), count: count)
  for label in labels { sizes[Int(label)] += 1 }
  return try communicator.sums(sizes)
}

extension FittedClustering {
  /// Refuses a run whose groups were clustered each by itself.
  ///
  /// - Parameters:
  ///   - directory: What the run was called.
  ///   - reason: What cannot be done with it.
  /// - Throws: The same on every rank.
  func requireNoGroups(_ directory: String, _ reason: String) throws {
    guard hasGroups else { return }
    throw AgreedFailure(reason: "\(directory): a run of --groups, \(reason)")
  }

  /// Refuses points of another width than the run's.
  ///
  /// - Parameters:
  ///   - path: What the points were called.
  ///   - directory: What the run was called.
  /// - Throws: The same on every rank.
  func check(dimensions: Int, of path: String, besideRun directory: String) throws {
    guard dimensions == settings.dimensions else {
      throw AgreedFailure(
        reason:
          "\(path): \(dimensions) columns; expected \(settings.dimensions), as \(directory) has")
    }
  }
}
