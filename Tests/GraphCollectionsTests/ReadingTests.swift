import Datasets
import Foundation
import GraphCollections
import Testing

@Suite struct ReadingTests {
  @Test func readsAllFilesOfTheFormat() throws {
    let collection = try small()
    #expect(collection.name == "small")
    #expect(collection.nodeOffsets == [0, 4, 6, 7])
    #expect(collection.rowOffsets == [0, 2, 4, 7, 8, 9, 10, 10])
    #expect(collection.columns == [1, 2, 0, 2, 0, 1, 3, 2, 1, 0])
    #expect(collection.classes == [1, 0, 1])
    #expect(collection.classLabels == [-1, 5])
    #expect(collection.nodeLabels == [0, 1, 1, 0, 2, 2, 1])
    #expect(collection.nodeLabelValues == [[0, 3, 9]])
    #expect(collection.attributeCount == 2)
    #expect(collection.attributes[..<6] == [1.5, 2, 0, -1, 1, 1])
    // Of node 3: the lines of 3, 1 and 3, 2 and 3, 4.
    #expect(collection.edgeLabels[4..<7] == [3, 2, 4])
    #expect(collection.edgeAttributeCount == 1)
    #expect(collection.edgeAttributes[4..<7] == [2, 1, 3])
    #expect(collection.ignored == .init())
    #expect(collection.degrees(of: 0) == [2, 2, 3, 1])
  }

  @Test func countsWhatTheTableOfTheCollectionCounts() throws {
    let statistics = try small().statistics
    #expect(statistics.graphs == 3)
    #expect(statistics.meanNodes == 7.0 / 3)
    #expect(statistics.meanEdges == 5.0 / 3)
    #expect(statistics.nodeLabels == 3)
    #expect(statistics.edgeLabels == 5)
    #expect(statistics.isolatedNodes == 1)
    #expect(statistics.graphsWithoutEdges == 1)
    #expect(statistics.graphsOfClass.map(\.graphs) == [1, 2])
    #expect(statistics.smallestGraph == 1)
    #expect(statistics.largestGraph == 4)
  }

  @Test func leavesOutSelfLoopsAndRepeatedEdges() throws {
    let text = "1, 2\n2, 1\n1, 1\n1, 2\n 2 ,1\r\n5,6\n6,5\n\n"
    let collection = try small(
      replacing: ["A": text, "edge_labels": "7\n8\n9\n9\n9\n6\n6\n", "edge_attributes": nil])
    #expect(collection.ignored == .init(selfLoops: 1, duplicates: 2))
    #expect(collection.rowOffsets == [0, 1, 2, 2, 2, 3, 4, 4])
    #expect(collection.edgeLabels == [7, 8, 6, 6])
  }

  @Test func acceptsACollectionWithoutEdges() throws {
    let collection = try small(replacing: ["A": "", "edge_labels": "", "edge_attributes": ""])
    #expect(collection.columns.isEmpty)
    #expect(collection.statistics.graphsWithoutEdges == 3)
  }

  @Test(arguments: [
    ("A", "1, 2\n2, 1\n2, 8\n", "line 3: edge 2, 8; nodes are 1 ... 7"),
    ("A", "1, 2\n2, 1\n4, 5\n5, 4\n", "line 3: edge 4, 5 joins graph 1 with graph 2"),
    ("A", "1, 2\n2\n", "line 2: expected 2 integers separated by commas or spaces, found '2'"),
    (
      "A", "1, 2\n2, 1,\n",
      "line 2: expected 2 integers separated by commas or spaces, found '2, 1,'"
    ),
    ("A", "1, 2\n\n2, 1\n", "line 2: expected 2 integers separated by commas or spaces, found ''"),
    ("A", "1,, 2\n", "line 1: expected 2 integers separated by commas or spaces, found '1,, 2'"),
    (
      "graph_indicator", "1\n1\n1\n1\n3\n3\n3\n", "line 5: graph 3 follows; graph 2 has no nodes"
    ),
    (
      "graph_indicator", "1\n1\n1\n1\n2\n1\n3\n",
      "line 6: graph 1 after graph 2; expected ascending numbers"
    ),
    (
      "graph_indicator", "1\n1\n1\n1\n2\n2\n4\n",
      "line 7: graph 4; DIR/small_graph_labels.txt has labels of the graphs 1 ... 3"
    ),
    (
      "graph_indicator", "1\n1\n1\n1\n2\n2\n2\n",
      "ends with graph 2; graph 3 of DIR/small_graph_labels.txt has no nodes"
    ),
    ("graph_indicator", "1\n1\n1.5\n", "line 3: expected an integer, found '1.5'"),
    ("graph_labels", "", "is empty; expected a label per graph"),
    ("graph_labels", "1\n0.5\n1\n", "line 2: expected an integer, found '0.5'"),
    ("graph_labels", "1\n\n1\n", "line 2: expected an integer, found ''"),
    ("graph_labels", "1\nnan\n1\n", "line 2: expected an integer, found 'nan'"),
    ("graph_labels", "0 1\n1 1\n1 0\n", "line 1: 2 labels; expected one, the class of the graph"),
    ("node_labels", "0, 1\n1\n", "line 2: 1 integers; expected 2, as on line 1"),
    ("node_labels", "0, 1\n1, x\n", "line 2: expected 2 integers, found '1, x'"),
    ("node_labels", "0\n1\n", "2 lines for 7 nodes; expected one line for each"),
    (
      "node_attributes", "1, 2\n1\n",
      "line 2: 1 numbers; expected 2, as on line 1"
    ),
    (
      "node_attributes", "1, nan\n",
      "line 1: expected finite numbers separated by commas or spaces, found '1, nan'"
    ),
    ("edge_labels", "0\n1\n", "2 lines for 10 edges; expected one line for each"),
    ("edge_attributes", "0\n", "1 lines for 10 edges; expected one line for each"),
  ])
  func namesTheFileAndTheLineOfAFault(file: String, text: String, message: String) throws {
    let owner = try Scratch()
    let path = try owner.collection(replacing: [file: text])
    #expect(
      problem(path) { _ = try GraphCollection(directory: path) }
        == "DIR/small_\(file).txt: \(message)")
  }

  @Test(arguments: ["A", "graph_indicator", "graph_labels"])
  func saysWhichFileIsMissing(file: String) throws {
    let owner = try Scratch()
    let path = try owner.collection(replacing: [file: nil])
    let message = problem(path) { _ = try GraphCollection(directory: path) }
    #expect(
      message
        == (file == "A"
          ? "DIR: holds no file …_A.txt: not a collection of graphs in TUDataset format"
          : "DIR/small_\(file).txt: cannot open: No such file or directory"))
  }

  @Test func saysWhatADirectoryOfTwoCollectionsHolds() throws {
    let owner = try Scratch()
    let path = try owner.collection()
    try owner.write("", as: "other_A.txt")
    #expect(
      problem(path) { _ = try GraphCollection(directory: path) }
        == "DIR: holds other_A.txt and small_A.txt; expected one file …_A.txt")
    #expect(
      problem(path) { _ = try GraphCollection(directory: path + "/none") }
        == "DIR/none: there is no such directory")
  }

  @Test func readsWhatItWrites() throws {
    let owner = try Scratch()
    let collection = MotifTask(graphCount: 6, seed: 3).collection(name: "MOTIFS")
    try collection.write(toDirectory: owner.path)
    let read = try GraphCollection(directory: owner.path)
    #expect(read.nodeOffsets == collection.nodeOffsets)
    #expect(read.rowOffsets == collection.rowOffsets)
    #expect(read.columns == collection.columns)
    #expect(read.classes == collection.classes)

    let other = try Scratch()
    let first = try small()
    try first.write(toDirectory: other.path)
    let again = try GraphCollection(directory: other.path)
    #expect(again.statistics == first.statistics)
    #expect(again.attributes == first.attributes)
    #expect(again.nodeLabels == first.nodeLabels)
    #expect(again.edgeLabels == first.edgeLabels)
    #expect(again.edgeAttributes == first.edgeAttributes)
  }

  @Test(
    .enabled(if: Material.directory != nil, "the collections are not here"),
    arguments: [
      ("DD", 1178, 2, "284.32", "715.66"), ("ENZYMES", 600, 6, "32.63", "62.14"),
      ("KKI", 83, 2, "26.96", "48.42"), ("OHSU", 79, 2, "82.01", "199.66"),
      ("Peking_1", 85, 2, "39.31", "77.35"), ("PROTEINS", 1113, 2, "39.06", "72.82"),
    ])
  func hasTheStatisticsThatTheCollectionStates(
    name: String, graphs: Int, classes: Int, nodes: String, edges: String
  ) throws {
    let scratch = try Scratch()
    let found = try GraphCollection(directory: Material.unpack(name, into: scratch)).statistics
    #expect(found.name == name)
    #expect(found.graphs == graphs)
    #expect(found.classes == classes)
    #expect(String(format: "%.2f", found.meanNodes) == nodes)
    #expect(String(format: "%.2f", found.meanEdges) == edges)
    #expect(found.ignored == .init())
  }
}

/// The small collection, some of its files replaced.
private func small(replacing files: [String: String?] = [:]) throws -> GraphCollection {
  let owner = try Scratch()
  return try GraphCollection(directory: owner.collection(replacing: files))
}
