import ArgumentParser
import Communication
import Evaluation
import GraphCollections
import MPICommunication

struct GraphsInfoCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Describe a collection of graphs with the figures of TUDataset's own table.",
    discussion: """
        highland graphs info PROTEINS/
      """)

  @Argument(help: "The directory of the collection.")
  var directory: String

  @Flag(help: "Print JSON.")
  var json = false

  func run(on communicator: MPICommunicator) throws {
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      let collection = try GraphCollection(directory: directory)
      let statistics = collection.statistics
      if json {
        try printJSON(statistics)
      } else {
        let encoder = NodeEncoder(.standard(for: collection), of: collection, fittedTo: [])
        print(statistics.table(features: encoder.description))
      }
    }
  }
}

extension CollectionStatistics {
  /// A line per number, those without anything to say left out.
  fileprivate func table(features: String) -> String {
    func labels(_ count: Int, _ columns: Int) -> String {
      columns > 1 ? "\(count) in \(columns) columns" : "\(count)"
    }
    var rows: [(String, String)] = [
      ("name", name), ("graphs", "\(graphs)"), ("classes", "\(classes)"),
      ("mean nodes", decimal(meanNodes, places: 2)), ("mean edges", decimal(meanEdges, places: 2)),
      ("nodes", "\(smallestGraph) ... \(largestGraph)"),
      ("node labels", labels(nodeLabels, nodeLabelColumns)),
      ("node attributes", "\(nodeAttributes)"),
      ("edge labels", labels(edgeLabels, edgeLabelColumns)),
      ("edge attributes", "\(edgeAttributes)"),
      (
        "graphs of class",
        graphsOfClass.map { "\($0.label): \($0.graphs)" }.joined(separator: ", ")
      ),
      ("isolated nodes", "\(isolatedNodes)"), ("graphs without edges", "\(graphsWithoutEdges)"),
    ]
    if ignored.selfLoops > 0 { rows.append(("self loops, left out", "\(ignored.selfLoops)")) }
    if ignored.duplicates > 0 { rows.append(("repeated edges, left out", "\(ignored.duplicates)")) }
    if oneWayEdges > 0 { rows.append(("one-way edges, made undirected", "\(oneWayEdges)")) }
    if !unusedFiles.isEmpty {
      rows.append(("not used by networks", unusedFiles.joined(separator: ", ")))
    }
    rows.append(("nodes are seen by", features))
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { name, value in
      name + String(repeating: " ", count: width + 2 - name.count) + value
    }.joined(separator: "\n")
  }
}
