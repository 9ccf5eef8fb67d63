internal import CHighland
internal import Communication
internal import Datasets
internal import DistributedGraphs
@unsafe @preconcurrency internal import Glibc
internal import HierarchicalClustering
internal import MPICommunication

/// Runs `body` on the ranks of a communicator of the caller.
///
/// An error on one rank alone ends the job: the others wait for it.
///
/// - Parameter comm: An `MPI_Comm`.
/// - Throws: ``Failure`` if this process has no MPI of ours, before any rank waits; what all ranks agree on.
func withRanks<R>(of comm: Int, _ body: (MPICommunicator) throws -> R) throws -> R {
  guard MPICommunicator.isLoaded else {
    throw invalidArgument(
      "comm: this process has loaded neither Open MPI 4 or 5 (libmpi.so.40) nor the ABI of MPI 5 (libmpi_abi.so.1)"
    )
  }
  var place: (rank: Int, count: Int)?
  do {
    return try MPICommunicator.withDuplicate(of: MPICommunicator.Handle(raw: comm)) { ranks in
      place = (ranks.rank.index, ranks.size)
      return try body(ranks)
    }
  } catch {
    guard let place, place.count > 1, !(error is AgreedFailure) else { throw error }
    unsafe fputs(
      "error: rank \(place.rank) of \(place.count): \(Failure(error).message); the other ranks wait, "
        + "so the job ends\n", stderr)
    fflush(nil)
    MPICommunicator.abortJob(exitCode: 1)
    exit(1)
  }
}

extension FinishedClustering {
  /// Clusters rows of which every rank has some.
  ///
  /// > Collective: over `communicator`. As ``RowsOfRanks/init(_:on:)`` and ``cluster(_:by:observer:on:)``; then labels,
  /// > and those after every level that is kept, go back to the rank of each row.
  convenience init(
    _ own: ArrayInMemory, _ options: highland_options, on communicator: MPICommunicator
  ) throws {
    let start = ContinuousClock.now
    try communicator.agreeWithStatus {
      for (name, isGiven) in unsafe [
        ("groups", options.groups != nil), ("strengths", options.strengths != 0),
      ] where isGiven {
        throw invalidArgument("\(name): not over ranks")
      }
    }
    let rows = try RowsOfRanks(own, on: communicator)
    let share = try ProcessShare(of: rows, on: communicator)
    let task = try communicator.agreeWithStatus {
      unsafe try ClusteringTask(rows, options, of: rows.element, among: share)
    }
    let progress = unsafe Progress(options.progress, options.context)
    let clustering = try task.run(on: Interruptible(progress, communicator))
    unsafe try self.init(
      clustering, by: task, options, strengths: nil,
      elapsedSeconds: start.duration(to: .now) / .seconds(1), on: communicator
    ) { try clustering.points.hand($0, to: rows.given, on: communicator) }
  }
}

extension ProcessShare {
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  fileprivate init(of rows: RowsOfRanks, on communicator: MPICommunicator) throws {
    self.init(of: rows.shares.owned(by: communicator.rank).count)
    rankCount = communicator.size
    largestCount = communicator.ranks.map { rows.shares.owned(by: $0).count }.max()!
    let free = try communicator.minimum(
      (freeMemory ?? .max) / communicator.rankCountOnHost())
    freeMemory = free == .max ? nil : free
  }
}
