import ArgumentParser
import Communication
import Evaluation
import MPICommunication

struct CompareCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Tell which clusters of one labelling split, merged or moved in another.",
    discussion: """
        highland compare labels.npy other-labels.npy

      Clusters that share points, directly or by others, are one change: split if one became several, merged if several \
      became one, rearranged if several became several others. Labels are compared by the points that they have, not by \
      their numbers. How well labels agree with a truth is what highland evaluate tells.
      """)

  @Argument(help: "Labels before: .npy of integers, or text, one per line.")
  var before: String

  @Argument(help: "Labels of the same points after.")
  var after: String

  @Option(help: "List so many changes, those that moved most points first.")
  var top = 10

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard top >= 0 else { throw ValidationError("--top \(top): expected 0 or more") }
  }

  func run(on communicator: MPICommunicator) throws {
    let old = try readAllLabels(before, on: communicator)
    let new = try readAllLabels(after, on: communicator)
    guard old.count == new.count else {  // on every rank
      throw AgreedFailure(
        reason: "\(after): \(new.count) labels; expected \(old.count), as in \(before)")
    }
    var changes = try clusterChanges(from: old.share, to: new.share, on: communicator)
    guard communicator.rank == Rank(0) else { return }
    changes.changes = Array(changes.changes.prefix(top))
    try show(changes, as: changes.account, inJSON: json)
  }
}

/// A number of things, for people.
func quantity(_ count: Int, _ name: String) -> String {
  "\(count) \(name)\(count == 1 ? "" : "s")"
}

extension ClusterChanges {
  /// What it says to people.
  var account: String {
    func sizes(_ clusters: [Cluster]) -> String {
      let shown = clusters.prefix(5).map { "\($0.label) (\($0.size))" }.joined(separator: ", ")
      return shown + (clusters.count > 5 ? ", and \(clusters.count - 5) more" : "")
    }
    let counts = totals.map { total in
      "\(total.kind.rawValue): \(quantity(total.clustersBefore, "cluster")) became "
        + "\(total.clustersAfter), \(quantity(total.pointCount, "point"))"
    }
    let lines = changes.map { change in
      "\(change.kind.rawValue), \(change.movedPointCount) of \(quantity(change.pointCount, "point")) moved: "
        + "\(sizes(change.before)) became \(sizes(change.after))"
    }
    let before = totals.reduce(0) { $0 + $1.clustersBefore }
    let after = totals.reduce(0) { $0 + $1.clustersAfter }
    return
      ([
        "\(quantity(pointCount, "point")): \(quantity(before, "cluster")) became \(after); \(movedPointCount) moved"
      ]
      + counts + lines).joined(separator: "\n")
  }
}
