import Datasets
import GraphCollections
import LinearAlgebra
import Testing

@Suite struct BatchTests {
  private func small() throws -> GraphCollection {
    let owner = try Scratch()
    return try GraphCollection(directory: owner.collection())
  }

  @Test func aBatchIsItsGraphsOneAfterTheOther() throws {
    let collection = try small()
    let rows = Matrix(rows: 7, columns: 1, elements: (0..<7).map { Float($0) })
    let batch = GraphBatch([2, 1, 0], of: collection, rows: rows)
    #expect(batch.nodeOffsets == [0, 1, 3, 7])
    #expect(batch.rowOffsets == [0, 0, 1, 2, 4, 6, 9, 10])
    #expect(batch.columns == [2, 1, 4, 5, 3, 5, 3, 4, 6, 5])
    #expect(batch.features.elements == [6, 4, 5, 0, 1, 2, 3])
    #expect(batch.classes == [1, 0, 1])
  }

  @Test func anEmptyBatchIsOrdinary() throws {
    let batch = GraphBatch([], of: try small(), rows: Matrix(rows: 7, columns: 2))
    #expect(batch.nodeCount == 0 && batch.graphCount == 0)
  }

  @Test func rowsAreLabelsThenAttributesThenDegree() throws {
    let collection = try small()
    let encoder = NodeEncoder(
      [.labels, .attributes, .degree], of: collection, fittedTo: [0])
    #expect(encoder.labels == [[0, 3, 9]])
    #expect(encoder.width == 6)
    let rows = try encoder.rows(of: collection)
    #expect(rows.row(0)[..<3] == [1, 0, 0])
    #expect(rows.row(4)[..<3] == [0, 0, 1])
    // Attributes of the nodes of graph 0: 1.5, 0, 1, 2 and 2, −1, 1, 2.
    let first = (0..<4).map { rows[$0, 3] }
    #expect(abs(first.reduce(0, +)) < 1e-6)
    #expect(abs(first.reduce(0) { $0 + $1 * $1 } - 4) < 1e-5)
    #expect(abs(rows[2, 5] - 1.3862944) < 1e-6)
    #expect(rows[6, 5] == 0)
  }

  @Test func nodesWithoutAnythingHaveAConstant() throws {
    let collection = MotifTask(graphCount: 2).collection(name: "m")
    let encoder = NodeEncoder([.labels, .attributes], of: collection, fittedTo: [0])
    #expect(encoder.width == 1)
    #expect(try encoder.rows(of: collection).elements.allSatisfy { $0 == 1 })
  }

  @Test func anotherNumberOfAttributesOrAnUnknownLabelIsAnError() throws {
    let collection = try small()
    let encoder = NodeEncoder([.labels, .attributes], of: collection, fittedTo: [0, 1, 2])
    func message(_ files: [String: String?]) -> String? {
      problem("") {
        let owner = try Scratch()
        let other = try GraphCollection(directory: owner.collection(replacing: files))
        _ = try encoder.rows(of: other)
      }
    }
    #expect(
      message(["node_attributes": nil]) == "small: nodes have 0 attributes; the model expects 2")
    #expect(
      message(["node_labels": nil]) == "small: nodes have no labels; the model expects 3 of them")
    #expect(
      message(["node_labels": "0\n0\n0\n4\n0\n0\n0\n"])
        == "small: node 4 has the label 4, which is not among the 3 that the model knows")
  }

  @Test func motifsHaveTheSameNumbersInBothClassesButOtherNeighbors() {
    let task = MotifTask(graphCount: 200, seed: 1)
    let collection = task.collection(name: "m")
    func mean(_ place: Int, _ value: (Int) -> Int) -> Double {
      let graphs = (0..<200).filter { collection.classes[$0] == place }
      return Double(graphs.reduce(0) { $0 + value($1) }) / Double(graphs.count)
    }
    let nodes = [0, 1].map { mean($0) { collection.nodes(of: $0).count } }
    let edges = [0, 1].map { mean($0) { collection.edges(of: $0).count } }
    #expect(abs(nodes[0] - nodes[1]) < 4 && abs(edges[0] - edges[1]) < 14)
    #expect(collection.statistics.graphsWithoutEdges == 0)
    #expect(
      MotifTask(graphCount: 200, seed: 1).collection(name: "m").columns == collection.columns)
    #expect(
      MotifTask(graphCount: 200, seed: 2).collection(name: "m").columns != collection.columns)
  }

  @Test(arguments: 4...11)
  func motifsAreConnectedAndSimple(count: Int) {
    for kind in [MotifTask.Kind.wheel, .ladder] {
      let edges = MotifTask.edges(of: kind, count: count)
      #expect(Set(edges.map { [min($0, $1), max($0, $1)] }).count == edges.count)
      #expect(edges.allSatisfy { $0 != $1 && max($0, $1) < count })
      var reached: Set<Int> = [0]
      for _ in 0..<count {
        for (i, j) in edges where reached.contains(i) || reached.contains(j) {
          reached.formUnion([i, j])
        }
      }
      #expect(reached.count == count, "\(kind) of \(count)")
    }
  }
}
