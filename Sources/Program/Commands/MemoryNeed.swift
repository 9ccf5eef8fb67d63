import Communication
import Evaluation
import HierarchicalClustering
import MPICommunication

/// Memory that an option asks for, to be refused before it is allocated.
struct MemoryNeed {
  /// As the user gave it, such as `-k 100000`.
  let option: String
  /// What the memory is for.
  let purpose: String
  /// Of this rank. Not an integer: a product of sizes may be beyond any.
  let bytes: Double

  /// Lists of nearest neighbours while they are searched.
  ///
  /// - Parameters:
  ///   - ownedCount: The nodes of this rank.
  ///   - columnCount: Places of a list as it is handed out.
  ///   - isWritten: Whether they are written, too.
  init(
    neighbors option: String, ownedCount: Int, pointCount: Int, columnCount: Int, isWritten: Bool,
    rankCount: Int
  ) {
    let places = Double(ownedCount) * Double(min(columnCount, max(pointCount - 1, 0)))
    let given = Double(ownedCount) * Double(columnCount)
    // 12 bytes a place, of the lists of own and of two visiting blocks; then as they are handed out,
    // with all their places however few points there are, and, once more, as they are written.
    let search = (rankCount > 1 ? 3 : 1) * 12 * places
    self.init(
      option: option, purpose: "neighbour lists", bytes: search + (isWritten ? 28 : 12) * given)
  }

  init(option: String, purpose: String, bytes: Double) {
    self.option = option
    self.purpose = purpose
    self.bytes = bytes
  }

  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  ///
  /// - Throws: The same on every rank where a host has less than its ranks need together.
  func check(on communicator: MPICommunicator) throws {
    let largest = try communicator.maximum(bytes)
    let ranksHere = try communicator.rankCountOnHost()
    try communicator.agree {
      guard let available = AvailableMemory.bytes() else { return }
      let needed = largest * Double(ranksHere)
      guard needed > Double(available) else { return }
      throw AgreedFailure(
        reason: "\(option): \(purpose) of \(gigabytes(needed)) for the "
          + "\(ranksHere == 1 ? "rank" : "\(ranksHere) ranks") of a host; "
          + "\(gigabytes(Double(available))) of memory are free")
    }
  }
}

private func gigabytes(_ bytes: Double) -> String { "\(decimal(bytes / 1e9, places: 1)) GB" }
