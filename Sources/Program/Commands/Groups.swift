import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import HierarchicalClustering

/// The option by which groups of points are each taken for themselves.
struct GroupOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Take every group of points by itself, all at once: the group of each point.",
      discussion: """
        .npy of integers, or text with a line for each point: the name of its group, or a recording, start and \
        end, perhaps after a line of headings, or these after the name of a segment, as in Kaldi's segments.
        """))
  var groups: String?
}

/// This rank's share of a file of groups for the rows of another. Notes if each has a group of its own.
///
/// > Collective: over `communicator`. Rounds of some bytes.
func readGroups(
  _ path: String, of source: FeatureRows, _ progress: ProgressOptions,
  on communicator: some Communicator
) throws -> PointGroups {
  let count = source.rowCount
  let groups = try communicator.agree {
    PointGroups(
      firstPoint: try groupFile(path, count: count)
        .firstRows(ownShare(of: count, on: communicator)).map { GlobalNode($0) })
  }
  let points = NodePartition(sharing: count, among: communicator.size)
  if count > 1, try groups.count(in: points, on: communicator) == count {
    ProgressReporter(progress, on: communicator)
      .warn(
        "\(path): every point is a group of its own, and nothing merges. Are these lines the groups?"
      )
  }
  return groups
}

/// What the groups of this rank's share of rows are called.
///
/// > Collective: over `communicator`. A round of a byte per rank.
func readGroupNames(
  _ path: String, count: Int, on communicator: some Communicator
) throws -> [GroupName] {
  try communicator.agree {
    try groupFile(path, count: count).names(ownShare(of: count, on: communicator)) {
      GroupName($0)
    }
  }
}

/// This rank's share of a file of labels, of which equal ones are different in two groups.
///
/// - Complexity: O(count) on every rank, which reads up to its own share.
func readLabels(
  _ path: String, within groups: String, count: Int, _ communicator: some Communicator
) throws -> [Int64] {
  let own = ownShare(of: count, on: communicator)
  let groups = try groupFile(groups, count: count).firstRows(0..<own.upperBound)
  let labels = try LabelFile(path: path).labels(0..<own.upperBound)
  var identities = FirstRows<Identity>()
  let first = zip(groups, labels).enumerated().map { row, identity in
    identities.row(of: Identity(group: identity.0, label: identity.1), at: row)
  }
  return Array(first[own])
}

/// - Throws: ``DataError`` if it has not a row for every point; it names the row.
func groupFile(_ path: String, count: Int) throws -> GroupFile {
  let file = try GroupFile(path: path)
  guard file.count == count else { throw file.miscount(expected: count, "one per point") }
  return file
}

/// A label of a group.
private struct Identity: Hashable {
  let group: Int64
  let label: Int64
}
