import Communication
import Datasets
@unsafe @preconcurrency import Glibc

/// Says on stderr, once, what is odd about labels: some are below 0, or only some are integers.
///
/// > Collective: over `communicator`. One round of 8 bytes per rank.
///
/// - Parameter labels: This rank's share of those that count.
func noteLabels(
  _ labels: [Int64], of file: LabelFile, on communicator: some Communicator
) throws {
  noteOddity(of: file, on: communicator)
  try noteNegativeLabels(labels, of: file.path, on: communicator)
}

/// Says on stderr, once, that a text of labels is taken for names though it has integers, too. Does not communicate.
func noteOddity(of file: LabelFile, on communicator: some Communicator) {
  guard let oddity = file.oddity, communicator.rank == Rank(0) else { return }
  unsafe fputs("note: \(file.path): \(oddity), so all lines are taken for names\n", stderr)
}

/// Says on stderr, once, how many points a label of noise leaves out. Does not communicate.
///
/// - Parameter count: Replicated.
func noteNoise(
  _ count: Int, of all: Int, label: String, _ path: String, on communicator: some Communicator
) {
  guard communicator.rank == Rank(0) else { return }
  let points =
    count == 0
    ? "no point has the label '\(label)'"
    : "\(count) of \(all) points have the label '\(label)' and are left out"
  unsafe fputs("note: \(path): \(points)\n", stderr)
}

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
