import Communication
@unsafe @preconcurrency import Glibc

/// Says on stderr, once, what labels below 0 are taken for: other programs write -1 for points in no
/// cluster.
///
/// > Collective: over `communicator`. One round of 8 bytes per rank.
///
/// - Parameters:
///   - labels: This rank's share of those of a file.
///   - path: That file.
func noteNegativeLabels(
  _ labels: [Int64], of path: String, on communicator: some Communicator
) throws {
  let count = try communicator.sum(labels.count { $0 < 0 })
  guard count > 0, communicator.rank == Rank(0) else { return }
  unsafe fputs(
    "note: \(path): \(count) \(count == 1 ? "label is" : "labels are") below 0; points with the same one "
      + "count as one cluster, not as noise\n", stderr)
}
