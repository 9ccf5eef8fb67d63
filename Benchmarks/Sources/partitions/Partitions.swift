import Communication
import Datasets
import DistributedGraphs
import GraphPartitioning
import LinearAlgebra

/// Divides the graph of neighbour lists into parts, and says how good these parts are, and those of others.
///
///     partitions NEIGHBORS SIMILARITIES PARTS [LABELS ...]
///
/// prints a line of JSON for consecutive nodes ("input"), for the partition by locality, and for every file
/// of labels. Benchmarks/partition-quality calls it.
@main struct Partitions {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 3, let partCount = Int(arguments[2]), partCount > 0 else {
      fatalError("expected NEIGHBORS SIMILARITIES PARTS [LABELS ...]")
    }
    let neighbors = try ArrayFile(path: arguments[0])
    let count = neighbors.rowCount
    let lists = NeighborLists(
      listLength: neighbors.columnCount,
      neighbors: try neighbors.integers(rows: 0..<count).map { GlobalNode($0) },
      similarities: try ArrayFile(path: arguments[1]).floats(rows: 0..<count).elements)
    let nodes = NodePartition(sharing: count, among: 1)
    func show(_ name: String, _ parts: [Int], _ more: String = "") throws {
      let quality = try quality(
        of: parts, count: partCount, along: lists, in: nodes, on: SingleRank())
      print(
        """
        {"partition": "\(name)", "nodes": \(count), "parts": \(partCount), \
        "cut": \(quality.cutShare), "ghostsPerNode": \(quality.ghostsPerNode), \
        "imbalance": \(quality.imbalance)\(more)}
        """)
    }

    try show("input", (0..<count).map { $0 * partCount / count })
    let communicator = CountingCommunicator(SingleRank())
    let start = ContinuousClock.now
    let found = try partition(
      WeightedGraph(lists, in: nodes, on: communicator), into: partCount, on: communicator)
    let seconds = start.duration(to: .now) / .seconds(1)
    try show(
      "locality", found.parts,
      ", \"seconds\": \(seconds), \"rounds\": \(communicator.traffic.rounds)")
    for path in arguments.dropFirst(3) {
      try show(path, LabelFile(path: path).labels(0..<count).map { Int($0) })
    }
  }
}
