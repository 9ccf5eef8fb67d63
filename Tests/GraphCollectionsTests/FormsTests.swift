import Datasets
import Foundation
import GraphCollections
import LinearAlgebra
import Testing

/// The forms in which others write collections.
@Suite struct FormsTests {
  private func collection(_ files: [String: String?]) throws -> GraphCollection {
    let owner = try Scratch()
    return try GraphCollection(directory: owner.collection(replacing: files))
  }

  @Test func eachColumnOfNodeLabelsIsOneHot() throws {
    let found = try collection([
      "node_labels": "0, 7\n3, 7\n3, -1\n0, 7\n9, 8\n9, 7\n3, 8\n", "node_attributes": nil,
    ])
    #expect(found.nodeLabelValues == [[0, 3, 9], [-1, 7, 8]])
    #expect(found.nodeLabels == [0, 1, 1, 1, 1, 0, 0, 1, 2, 2, 2, 1, 1, 2])
    #expect(found.statistics.nodeLabels == 6 && found.statistics.nodeLabelColumns == 2)
    let encoder = NodeEncoder([.labels, .degree], of: found, fittedTo: [])
    #expect(encoder.width == 7)
    let rows = try encoder.rows(of: found)
    #expect(rows.row(0)[..<6] == [1, 0, 0, 0, 1, 0])
    #expect(rows.row(2)[..<6] == [0, 1, 0, 1, 0, 0])
    #expect(rows.row(4)[..<6] == [0, 0, 1, 0, 0, 1])
    // A model knows its columns again.
    let stored = try JSONEncoder().encode(encoder)
    #expect(try JSONDecoder().decode(NodeEncoder.self, from: stored) == encoder)
    let other = try collection(["node_labels": "0\n3\n3\n0\n9\n9\n3\n"])
    #expect(throws: DataError.self) { try encoder.rows(of: other) }
    // What is written is read again.
    let scratch = try Scratch()
    try found.write(toDirectory: scratch.path)
    let again = try GraphCollection(directory: scratch.path)
    #expect(again.nodeLabels == found.nodeLabels && again.nodeLabelValues == found.nodeLabelValues)
  }

  @Test func modelsOfOneColumnAreStoredAsBefore() throws {
    let stored =
      #"{"attributeDeviations":[],"attributeMeans":[],"labels":[0,3,9],"usesDegree":false}"#
    let encoder = try JSONDecoder().decode(NodeEncoder.self, from: Data(stored.utf8))
    #expect(encoder.labels == [[0, 3, 9]])
    let writer = JSONEncoder()
    writer.outputFormatting = .sortedKeys
    #expect(String(decoding: try writer.encode(encoder), as: UTF8.self) == stored)
  }

  @Test(arguments: [
    "1, 2\n2, 3\n1, 3\n3, 4\n5, 6\n", "2, 1\n3, 2\n3, 1\n4, 3\n6, 5\n",
    "1, 2\n2, 1\n3, 2\n1, 3\n4, 3\n5, 6\n6, 5\n",
  ])
  func oneWayEdgesAreMadeUndirectedAndCounted(text: String) throws {
    let expected = try collection(["edge_labels": nil, "edge_attributes": nil])
    let found = try collection(["A": text, "edge_labels": nil, "edge_attributes": nil])
    #expect(found.rowOffsets == expected.rowOffsets)
    #expect(found.columns == expected.columns)
    #expect(found.ignored == .init())
    let lineCount = text.count { $0 == "\n" }
    #expect(found.oneWayEdges == 10 - lineCount)
    #expect(found.statistics.oneWayEdges == found.oneWayEdges)
  }

  @Test func theOtherDirectionHasTheLabelsAndAttributesOfTheOne() throws {
    let found = try collection([
      "A": "3, 1\n1, 2\n2, 1\n", "edge_labels": "5 1\n6 2\n7 3\n", "edge_attributes": "1\n2\n3\n",
    ])
    #expect(found.columns == [1, 2, 0, 0] && found.oneWayEdges == 1)
    #expect(found.edgeLabels == [6, 2, 5, 1, 7, 3, 5, 1] && found.edgeLabelCount == 2)
    #expect(found.edgeAttributes == [2, 1, 3, 1])
    #expect(found.unusedFiles == ["edge_labels", "edge_attributes"])
  }

  @Test func separatorsAndEndsOfLinesMayBeOthers() throws {
    let expected = try collection([:])
    let found = try collection([
      "A":
        "1 2\r\n2 1\r\n2\t3\r\n3 , 2  \r\n  1,3\r\n3,1\r\n3   4\r\n4, 3\r\n5, 6\r\n6, 5\r\n\r\n  \r\n",
      "graph_labels": "5.0\r\n-1.0\r\n5\r\n", "node_labels": " 0\n3.0\n3 \n0\n9\n9\n3",
      "node_attributes": "1.5 2\n 0.0\t-1\n1,1\n2 2\n3,3\n4,4\n5,5\n",
    ])
    #expect(found.columns == expected.columns)
    #expect(found.classLabels == [-1, 5] && found.classes == expected.classes)
    #expect(found.nodeLabels == expected.nodeLabels)
    #expect(found.attributes == expected.attributes)
  }

  @Test func numbersToBePredictedAreSaidToBeNone() throws {
    let owner = try Scratch()
    let path = try owner.collection(replacing: [
      "graph_labels": nil, "graph_attributes": "0.5\n1.5\n2.5\n",
    ])
    #expect(
      problem(path) { _ = try GraphCollection(directory: path) }
        == "DIR/small_graph_labels.txt: there is no such file; DIR/small_graph_attributes.txt has "
        + "numbers to predict, but networks here tell classes: an integer per graph is expected")
    let both = try collection(["graph_attributes": "0.5\n1.5\n2.5\n"])
    #expect(both.unusedFiles == ["edge_labels", "edge_attributes", "graph_attributes"])
  }

  @Test func graphsToBePredictedNeedNoClasses() throws {
    let owner = try Scratch()
    for attributes in [nil, "0.5\n1.5\n2.5\n"] {
      let path = try owner.collection(replacing: [
        "graph_labels": nil, "graph_attributes": attributes,
      ])
      try? FileManager.default.removeItem(atPath: "\(path)/small_graph_labels.txt")
      let found = try GraphCollection(directory: path, needsClasses: false)
      #expect(found.graphCount == 3 && found.classes == [0, 0, 0] && found.classLabels == [0])
      #expect(try found.columns == collection([:]).columns)
    }
    let path = try owner.collection(replacing: [
      "graph_labels": nil, "graph_indicator": "0\n0\n1\n",
    ])
    #expect(
      problem(path) { _ = try GraphCollection(directory: path, needsClasses: false) }
        == "DIR/small_graph_indicator.txt: line 1: graph 0; expected numbers from 1")
  }

  /// As if every graph had nodes 1, 2, …
  @Test func nodesThatAreCountedAnewInEveryGraphAreRefused() throws {
    let owner = try Scratch()
    let path = try owner.collection(replacing: [
      "A": "1, 2\n2, 1\n2, 3\n3, 2\n3, 4\n4, 3\n1, 2\n2, 1\n", "edge_labels": nil,
      "edge_attributes": nil,
    ])
    for name in ["edge_labels", "edge_attributes"] {
      try? FileManager.default.removeItem(atPath: "\(path)/small_\(name).txt")
    }
    #expect(
      problem(path) { _ = try GraphCollection(directory: path) }
        == "DIR/small_A.txt: line 7: edge 1, 2 again, and no edge has a node above 4, the nodes of the "
        + "largest graph; expected nodes 1 ... 7, counted on from graph to graph")
  }

  /// They cannot be those of the next graphs, which have one node each, or the same line twice.
  @Test func linesThatComeAgainWithinTheFirstGraphAreDropped() throws {
    let lines = "1, 2\n2, 1\n2, 3\n3, 2\n1, 2\n"
    for (text, nodes, classes) in [
      (lines, "1\n1\n1\n2\n3\n", "0\n1\n0\n"), (lines + "1, 2\n", "1\n1\n1\n2\n2\n", "0\n1\n"),
    ] {
      let found = try collection([
        "A": text, "graph_indicator": nodes, "graph_labels": classes, "node_labels": nil,
        "node_attributes": nil, "edge_labels": nil, "edge_attributes": nil,
      ])
      #expect(found.rowOffsets == [0, 1, 3, 4, 4, 4] && found.columns == [1, 0, 2, 1])
      #expect(found.ignored.duplicates == (text == lines ? 1 : 2))
    }
  }

  /// Columns of any scale, and far from 0.
  @Test func attributesAreStandardised() throws {
    let found = try collection([
      "node_attributes":
        "1e-9, 1000.5, 7\n2e-9, 1001.5, 7\n1e-9, 1000.5, 7\n2e-9, 1001.5, 7\n1e-9, 1000.5, 7\n"
        + "2e-9, 1001.5, 7\n9, 9, 9\n"
    ])
    let encoder = NodeEncoder(.attributes, of: found, fittedTo: [0, 1])
    let rows = try encoder.rows(of: found)
    for node in 0..<6 {
      let sign: Float = node % 2 == 0 ? -1 : 1
      #expect(abs(rows[node, 0] - sign) < 1e-3 && abs(rows[node, 1] - sign) < 1e-3)
      #expect(rows[node, 2] == 0)
    }
    #expect(rows[6, 2] == 2)
  }

  @Test func nodesThatHaveNothingAreSeenByTheirDegree() throws {
    let plain = try collection(["node_labels": nil, "node_attributes": nil])
    #expect(NodeEncoder.Columns.standard(for: plain) == .degree)
    #expect(NodeEncoder(.degree, of: plain, fittedTo: []).description == "degree")
    #expect(NodeEncoder([], of: plain, fittedTo: []).description == "a constant")
    let whole = try collection([:])
    #expect(NodeEncoder.Columns.standard(for: whole) == [.labels, .attributes])
    #expect(
      NodeEncoder([.labels, .attributes], of: whole, fittedTo: []).description
        == "labels (3, one-hot), attributes (2)")
  }
}
