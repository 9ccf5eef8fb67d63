import Datasets
import Differentiation
import Foundation
import GraphClassification
import GraphCollections
import LinearAlgebra
import Optimization

/// A case of PyTorch Geometric's numbers.
struct GoldenPool {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/pool").path

  let name: String
  let graphs: String

  static let flat = GoldenPool(name: "gcn", graphs: "graphs_ragged")
  static let pooling = GoldenPool(name: "diffpool", graphs: "graphs_equal")

  func matrix(_ file: String) throws -> Matrix {
    let array = try ArrayFile(path: "\(Self.folder)/\(name)/\(file).npy")
    return try array.floats(rows: 0..<array.rowCount)
  }

  func vector(_ file: String) throws -> [Float] { try matrix(file).elements }

  private func integers(_ file: String) throws -> [Int] {
    let array = try ArrayFile(path: "\(Self.folder)/\(graphs)/\(file).npy")
    return try array.integers(rows: 0..<array.rowCount).map { Int($0) }
  }

  var batch: GraphBatch {
    get throws {
      let features = try ArrayFile(path: "\(Self.folder)/\(graphs)/features.npy")
      let offsets = try integers("offsets")
      let ends = try integers("edges")
      var rows = Array(repeating: [Int32](), count: offsets[offsets.count - 1])
      for edge in 0..<ends.count / 2 { rows[ends[2 * edge]].append(Int32(ends[2 * edge + 1])) }
      return GraphBatch(
        nodeOffsets: offsets, rowOffsets: rows.reduce(into: [0]) { $0.append($0.last! + $1.count) },
        columns: rows.flatMap { $0.sorted() },
        features: try features.floats(rows: 0..<features.rowCount),
        classes: try integers("labels"))
    }
  }

  var losses: [String: Double] {
    get throws {
      let data = try Data(contentsOf: URL(filePath: "\(Self.folder)/\(name)/case.json"))
      let object = try JSONSerialization.jsonObject(with: data) as! [String: Any]
      return object.compactMapValues { $0 as? Double }
    }
  }

  var architecture: GraphArchitecture {
    name == "gcn"
      ? GraphArchitecture(kind: .gcn, inputWidth: 5, hidden: 8, classCount: 3)
      : GraphArchitecture(
        kind: .diffpool, inputWidth: 5, hidden: 8, clusterCounts: [4], classCount: 3)
  }

  var network: GraphNetwork<Float> {
    get throws {
      var network = GraphNetwork<Float>(architecture, seed: 0)
      for index in network.parameters.all.indices {
        let parameter = network.parameters.all[index]
        network.parameters.all[index].value = Matrix(
          rows: parameter.value.rowCount, columns: parameter.value.columnCount,
          elements: try vector("parameter.\(parameter.name)"))
      }
      return network
    }
  }
}

func largestDifference<Scalar: MatrixScalar>(
  _ a: DenseMatrix<Scalar>, _ b: DenseMatrix<Scalar>
) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a.elements, b.elements).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
}

/// Random connected graphs of both classes: cycles and stars with noise in their rows.
func smallCollection(graphCount: Int = 60) -> GraphCollection {
  MotifTask(
    graphCount: graphCount, motifSizes: 4...7, motifsPerKind: 2...3, seed: 5
  ).collection(name: "motifs")
}
