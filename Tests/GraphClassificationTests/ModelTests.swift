import Communication
import Datasets
import Differentiation
import Foundation
import GraphClassification
import GraphCollections
import LinearAlgebra
import Optimization
import RandomInputs
import Testing

@Suite struct ModelTests {
  private func model(_ architecture: GraphArchitecture, labels: [Int] = [-1, 7]) -> GraphModel {
    let collection = smallCollection(graphCount: 4)
    let encoder = NodeEncoder([.degree], of: collection, fittedTo: [0])
    var network = GraphNetwork<Float>(architecture, seed: 6)
    for name in network.running.keys {
      network.running[name]!.mean = Matrix(
        rows: 1, columns: network.running[name]!.mean.columnCount,
        elements: randomFloats(network.running[name]!.mean.columnCount, seed: 3))
    }
    return GraphModel(network: network, encoder: encoder, classLabels: labels)
  }

  private let architecture = GraphArchitecture(
    kind: .diffpool, inputWidth: 1, hidden: 8, clusterCounts: [5, 2], classCount: 2)

  private func path() -> String {
    NSTemporaryDirectory() + "/model-\(UUID().uuidString).safetensors"
  }

  @Test func aModelIsReadAsItWasWritten() throws {
    let path = path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let written = model(architecture)
    try written.write(to: path, metadata: ["collection": "motifs"], overwrite: false)
    let read = try GraphModel(path: path)
    #expect(read.network.architecture == architecture)
    #expect(read.network.parameters == written.network.parameters)
    #expect(read.network.running.keys.sorted() == written.network.running.keys.sorted())
    for (name, statistics) in written.network.running {
      #expect(read.network.running[name]?.mean == statistics.mean)
      #expect(read.network.running[name]?.variance == statistics.variance)
    }
    #expect(read.encoder == written.encoder)
    #expect(read.classLabels == [-1, 7])
    #expect(try TensorFile(path: path).metadata["collection"] == "motifs")
  }

  @Test func filesThatAreNoModelsAreErrors() throws {
    let path = path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    func message() -> String {
      do {
        _ = try GraphModel(path: path)
        return "none"
      } catch {
        return "\(error)".replacingOccurrences(of: path, with: "FILE")
      }
    }
    try TensorFile.write([], metadata: [:], to: path, overwrite: false)
    #expect(
      message()
        == "FILE: is no graph classifier: its metadata has the format ''; expected "
        + "'highland graph classifier 1'")
    try model(architecture).write(to: path, overwrite: true)
    var metadata = try TensorFile(path: path).metadata
    let tensors = try TensorFile(path: path).names.map { try TensorFile(path: path).tensor($0) }
    metadata["architecture"] = metadata["architecture"]!.replacingOccurrences(
      of: "\"hidden\":8", with: "\"hidden\":9")
    try TensorFile.write(tensors, metadata: metadata, to: path, overwrite: true)
    #expect(
      message()
        == "FILE: tensor 'gnn1_pool.conv1.lin_rel.weight' has the shape [8, 1]; its architecture "
        + "expects [9, 1]")
    metadata["architecture"] = "{}"
    try TensorFile.write(tensors, metadata: metadata, to: path, overwrite: true)
    #expect(
      message()
        == "FILE: its metadata say '{}' of 'architecture'; expected JSON as highland graphs train writes it"
    )
    metadata["architecture"] = try TensorFile(path: path).metadata["architecture"]
  }

  @Test func classesThatTheModelDoesNotKnowAreAnError() throws {
    let collection = smallCollection(graphCount: 4)
    let model = model(architecture)
    #expect(throws: DataError.self) { try model.classes(of: collection) }
    do {
      _ = try model.classes(of: collection)
    } catch {
      #expect("\(error)" == "motifs: graph 1 has the class 0; the model knows -1, 7")
    }
  }

  /// The one idea of both hierarchies: with the members' means and no map it is the level change of
  /// Hi-LANDER, with soft members and sums it is DiffPool's.
  @Test func coarseningByHardAssignmentsIsPoolingByOnesAndZeros() {
    let rows = randomMatrix(6, 3, seed: 1)
    let cluster = [0, 1, 0, 2, 2, 2]
    let members = Adjacency(
      SparsePattern(rowOffsets: [0, 2, 3, 6], columns: [0, 2, 1, 3, 4, 5], columnCount: 6))
    let tape = Tape<Float>()
    let x = tape.constant(rows)
    let assignment = Matrix(
      rows: 6, columns: 3,
      elements: cluster.flatMap { place in (0..<3).map { $0 == place ? 1 : 0 } })
    let soft = tape.constant(assignment).transposedProduct(
      with: x, blocks: RowBlocks(count: 1, length: 6))
    let hard = x.coarsened(by: members, .sum, isRectified: false)
    #expect(largestDifference(soft.value, hard.value) < 1e-6)

    let mean = x.coarsened(by: members, .mean, isRectified: false).value
    for column in 0..<3 {
      #expect(abs(mean[0, column] - (rows[0, column] + rows[2, column]) / 2) < 1e-6)
      #expect(mean[1, column] == rows[1, column])
    }
    let most = x.coarsened(by: members, .max, isRectified: false).value
    #expect(most[2, 1] == max(rows[3, 1], rows[4, 1], rows[5, 1]))

    let weight = randomMatrix(2, 3, seed: 2)
    let mapped = x.coarsened(by: members, .mean, weight: tape.constant(weight)).value
    let expected = referenceProduct(mean, weight)
    for row in 0..<3 {
      for column in 0..<2 {
        #expect(abs(mapped[row, column] - max(expected[row, column], 0)) < 1e-5)
      }
    }
  }

  /// Why the network of one pooling level does not use its hierarchy for the class: the mean of the
  /// clusters is the sum of the nodes by the number of clusters, whatever the assignment.
  @Test func theMeanOfClustersIsTheSumOfNodesWhateverTheAssignment() throws {
    let collection = smallCollection(graphCount: 5)
    let encoder = NodeEncoder([.degree], of: collection, fittedTo: [])
    let input = GraphInput<Double>(
      GraphBatch(
        Array(0..<5), of: collection, rows: try encoder.rows(of: collection)))
    let output = GraphNetwork<Double>(
      GraphArchitecture(
        kind: .diffpool, inputWidth: 1, hidden: 8, clusterCounts: [5], classCount: 2), seed: 1
    ).output(of: input, looksInside: true)
    for graph in 0..<5 {
      for column in 0..<8 {
        let sum = input.blocks[graph].reduce(0.0) { $0 + output.embeddings[0][$1, column] }
        #expect(abs(output.readout[graph, column] - sum / 5) < 1e-9)
      }
    }
  }

  @Test func smoothingIsTheMeanCosineDistanceOfPairs() throws {
    let collection = smallCollection(graphCount: 6)
    let encoder = NodeEncoder([.degree], of: collection, fittedTo: [])
    let rows = try encoder.rows(of: collection)
    let network = GraphNetwork<Float>(
      GraphArchitecture(kind: .gcn, inputWidth: 1, hidden: 8, layerCount: 2, classCount: 2),
      seed: 2)
    let found = try smoothing(
      of: network, on: Array(0..<6), of: collection, rows: rows, on: SingleRank())
    let output = network.output(
      of: GraphInput<Float>(GraphBatch(Array(0..<6), of: collection, rows: rows)),
      looksInside: true)
    for layer in 0..<2 {
      var sum = 0.0
      for graph in 0..<6 {
        let nodes = Array(collection.nodes(of: graph))
        var distances: [Double] = []
        for i in nodes {
          for j in nodes where j != i {
            let (a, b) = (output.embeddings[layer].row(i), output.embeddings[layer].row(j))
            func dot(_ x: [Float], _ y: [Float]) -> Double {
              zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            }
            let norm = (dot(a, a) * dot(b, b)).squareRoot()
            distances.append(1 - (norm > 0 ? dot(a, b) / norm : 0))
          }
        }
        sum += distances.reduce(0, +) / Double(distances.count)
      }
      #expect(abs(found.nodeDistances[layer] - sum / 6) < 1e-6)
    }
  }
}
