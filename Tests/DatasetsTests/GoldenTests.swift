import Datasets
import Foundation
import LinearAlgebra
import Testing

/// The directory of real files that are not part of the repository, where there is one; see
/// Tests/Fixtures/README.md.
private let shared: String? = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  let path =
    ProcessInfo.processInfo.environment["HIGHLAND_SHARED"]
    ?? root.appendingPathComponent("../shared").standardized.path
  return FileManager.default.fileExists(atPath: path + "/data") ? path : nil
}()

/// Files that NumPy and PyTorch wrote.
@Suite struct GoldenTests {
  private let tiny = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/tiny").path

  @Test func readsWhatNumPyWrote() throws {
    let features = try FeatureFile(path: "\(tiny)/features.npy")
    #expect((features.rowCount, features.columnCount) == (300, 16))
    let labels = try LabelFile(path: "\(tiny)/labels.npy")
    #expect(labels.count == 300)
    let sources = try ArrayFile(path: "\(tiny)/sage_cf/level0/src.npy")
    #expect(Set(try sources.integers(rows: 0..<sources.rowCount)).isSubset(of: 0..<300))
    let neighbors = try ArrayFile(path: "\(tiny)/sage_cf/level0/nbrs.npy")
    #expect(neighbors.rowCount == 300)
    // The nearest to a node is the node.
    let first = try neighbors.integers(rows: 0..<300)
    #expect((0..<300).allSatisfy { first[$0 * neighbors.columnCount] == $0 })
  }

  @Test(
    .enabled(if: shared != nil, "no data under HIGHLAND_SHARED or ../shared"),
    arguments: ["clinc150", "omniglot", "inventors", "glyphs"])
  func realFeaturesHaveUnitLength(name: String) throws {
    let root = try #require(shared)
    let features = try FeatureFile(path: "\(root)/data/\(name)/features_test.npy")
    let labels = try LabelFile(path: "\(root)/data/\(name)/labels_test.npy")
    #expect(labels.count == features.rowCount)
    let last = features.rowCount - 100..<features.rowCount
    let rows = try features.rows(last)
    for row in 0..<100 {
      let square = rows.row(row).reduce(0) { $0 + $1 * $1 }
      #expect(abs(square - 1) < 0.01)
    }
    #expect(try labels.labels(last).allSatisfy { $0 >= 0 })
  }

  @Test func readsParametersOfAReferenceModel() throws {
    let file = try TensorFile(path: "\(tiny)/sage_cf/model.safetensors")
    #expect(file.names.contains("conv.0.gcn_layer.mlp.weight"))
    #expect(try file.shape(of: "classifier_conn.0.weight") == [16])
    let weight = try file.matrix("conv.0.gcn_layer.mlp.weight")
    #expect((weight.rowCount, weight.columnCount) == (32, 64))
    #expect(weight.elements.allSatisfy { abs($0) < 10 })
    for name in file.names { #expect(try !file.tensor(name).elements.isEmpty) }
  }
}
