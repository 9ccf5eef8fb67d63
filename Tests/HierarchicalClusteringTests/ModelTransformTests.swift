import Communication
import Datasets
import DiscriminantTransforms
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import RandomInputs
import Testing

/// Models that transform rows before they cluster them.
@Suite struct ModelsThatTransformRows {
  private static let rows = EmbeddingsInMemory(randomMatrix(150, 4, seed: 5))
  /// The first of some random networks that merges neither nothing nor everything.
  private static let network = (1...100).lazy.map {
    StructureNetwork.random(
      width: 8, seed: 100 * $0,
      settings: .init(neighborCount: 6, contextLength: 11, threshold: 0.5, laterThreshold: 0.45))
  }.first {
    let found = try? cluster(rows, with: .structure($0), on: SingleRank())
    return (12..<100).contains(found?.clusterCount ?? 0)
  }!
  private static let transform = DiscriminantTransform(
    center: [0.1, 0, 0, 0.2], axes: randomMatrix(4, 4, seed: 3))

  private func contents(_ tensors: [Tensor]) throws -> [UInt8] {
    try TensorFile.contents(
      Self.network.tensors + tensors, metadata: Self.network.metadata)
  }

  @Test func clusterRowsAsTheyAreAfterIt() throws {
    let (rows, network) = (Self.rows, Self.network)
    let model = try TrainedModel(
      contents: contents(Self.transform.tensorsOfModel), dimensions: 4)
    #expect(model.transform == Self.transform)
    let found = try cluster(rows, with: model, on: SingleRank())
    let transformed = try TransformedEmbeddings(rows, by: Self.transform).rows(0..<150)
    let expected = try cluster(
      EmbeddingsInMemory(transformed), with: .structure(network), on: SingleRank())
    #expect(found.labels == expected.labels && found.clusterCount > 1)
    let untouched = try cluster(rows, with: .structure(network), on: SingleRank())
    #expect(found.labels != untouched.labels)
  }

  @Test func areForRowsOfTheirWidth() throws {
    let bytes = try contents(Self.transform.tensorsOfModel)
    let error = #expect(throws: ModelError.self) {
      try TrainedModel(contents: bytes, dimensions: 5)
    }
    #expect("\(try #require(error))".contains("rows of 4 columns, and the embeddings have 5"))
    #expect(try TrainedModel(contents: contents([]), dimensions: 5).transform == nil)
  }

  @Test func areRefusedWhereTheTransformIsDamaged() throws {
    let (center, axes) = (
      Tensor(name: "transform.center", shape: [4], elements: [0, 0, 0, 0]),
      Tensor(name: "transform.axes", randomMatrix(4, 4, seed: 3))
    )
    var broken = axes
    broken.elements[3] = .nan
    let lost = try TensorFile.contents(
      Self.network.tensors,
      metadata: Self.network.metadata.merging(["transform": "whitening"]) { $1 })
    #expect(throws: ModelError.self) { try TrainedModel(contents: lost, dimensions: 4) }
    for (tensors, words) in [
      ([center], "transform.axes"), ([axes], "transform.center"),
      ([center, broken], "'transform.axes', element 3"),
      ([center, Tensor(name: "transform.axes", randomMatrix(2, 4, seed: 3))], "2 columns of 4"),
      ([center, Tensor(name: "transform.axes", randomMatrix(4, 3, seed: 3))], "shape"),
    ] {
      let bytes = try contents(tensors)
      let error = #expect(throws: (any Error).self) {
        try TrainedModel(contents: bytes, dimensions: 4)
      }
      #expect("\(try #require(error))".contains(words), "\(error!)")
    }
  }
}
