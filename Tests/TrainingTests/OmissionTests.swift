import Communication
import Datasets
import Foundation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Parallelism
import RandomInputs
import SimilarityStructure
import Testing
import Training

/// What training can do without.
@Suite struct Omissions {
  /// 20 identities of 10 random points each, around random centres.
  private let set: LabelledRows = {
    let centres = Matrix(rows: 20, columns: 16, elements: randomFloats(20 * 16, seed: 1))
    var rows = Matrix(rows: 200, columns: 16, elements: randomFloats(200 * 16, seed: 2, scale: 0.5))
    for row in 0..<200 {
      for column in 0..<16 { rows[row, column] += centres[row % 20, column] }
    }
    return LabelledRows(rows: rows, labels: (0..<200).map { Int64($0 % 20) })
  }()
  private let settings = StructureNetwork.Settings(neighborCount: 6, contextLength: 10)

  private func options(epochs: Int) -> StructureTrainingOptions {
    StructureTrainingOptions(
      shape: StructureShape(width: 16), settings: settings, graphCount: 3, pointLimit: 150,
      levelCount: 2, epochCount: epochs, stepEdgeCount: 500, seed: 3, workers: Workers(1))
  }

  private func train(
    _ options: StructureTrainingOptions, from start: StructureNetwork? = nil
  ) throws -> StructureNetwork {
    try trainStructureNetwork(
      on: [LabelledEmbeddings(EmbeddingsInMemory(set.rows), labels: set.labels)],
      options: options, from: start, over: SingleRank()
    ).network
  }

  @Test func ofUnknownNamesListWhatIsKnown() throws {
    let error = #expect(throws: UnknownOmission.self) {
      try StructureOmissions(["overlap", "overlaps"])
    }
    let text = "\(try #require(error))"
    for known in ["'overlaps'", "augmentation", "balance", "point-edges", "node.logSize"] {
      #expect(text.contains(known), "\(text)")
    }
  }

  /// With any input of the first layers that is not seen, as if it were there.
  @Test func ofFeaturesAreNotSeenByTheNetwork() throws {
    var options = options(epochs: 2)
    options.omissions = try StructureOmissions(["overlap", "node.tightness"])
    let network = try train(options)
    let hidden = options.omissions.features
    #expect(hidden.nodes.count == 3 && hidden.edges.count == 7)
    for (scale, columns) in [
      (network.nodeScale, hidden.nodes.map(\.rawValue)),
      (network.edgeScale, hidden.edges.map(\.rawValue)),
    ] {
      let rows = Matrix(
        rows: 20, columns: scale.count, elements: randomFloats(20 * scale.count, seed: 8, scale: 8))
      var others = rows
      for row in 0..<20 {
        for column in columns { others[row, column] = row == 0 ? 8 : -1.5 * rows[row, column] }
      }
      #expect(others != rows)
      #expect(scale.applied(to: others) == scale.applied(to: rows))
      let seen = scale.applied(to: rows)
      for column in 0..<scale.count {
        #expect((0..<20).allSatisfy { seen[$0, column] == 0 } == columns.contains(column))
      }
    }
  }

  @Test func ofFeaturesSurviveAFileAndFurtherTraining() throws {
    var options = options(epochs: 1)
    options.omissions = try StructureOmissions(["linkage"])
    let network = try train(options)
    let path = FileManager.default.temporaryDirectory.appending(
      path: "without-\(UUID().uuidString).safetensors"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try TensorFile.write(network.tensors, metadata: network.metadata, to: path, overwrite: false)
    let read = try StructureNetwork(TensorFile(path: path))
    #expect(read.edgeScale == network.edgeScale && read.nodeScale == network.nodeScale)
    options.omissions = StructureOmissions()
    let further = try train(options, from: read)
    #expect(further.edgeScale == network.edgeScale && further.nodeScale == network.nodeScale)
  }

  @Test func ofModulesAreNotTried() throws {
    func train(_ names: [String]) throws -> StructureTraining {
      var options = options(epochs: 1)
      options.omissions = try StructureOmissions(names)
      return try trainStructureNetwork(
        on: [LabelledEmbeddings(EmbeddingsInMemory(set.rows), labels: set.labels)],
        options: options, over: SingleRank())
    }
    let (full, without) = (try train([]), try train(["modules"]))
    #expect(full.trials.contains { $0.resolution != nil })
    #expect(!without.trials.contains { $0.resolution != nil })
    #expect(without.losses == full.losses)
  }

  /// None of the changes that other indices make, whichever selection it is.
  @Test(arguments: 1..<8)
  func ofAugmentationLeaveRowsAsTheyAre(index: Int) {
    let points = Array(0..<set.count)
    func select(_ omitted: Set<StructureTrainingPart>) -> (LabelledRows, [Int]) {
      var taken: [Int] = []
      let selected = augmentedSelection(
        index, of: set.labels, among: points, limit: 150, seed: 5, workers: Workers(),
        without: omitted
      ) { indices in
        taken = indices
        return Matrix(
          rows: indices.count, columns: 16, elements: indices.flatMap { set.rows.row($0) })
      }
      return (selected, taken)
    }
    let (plain, taken) = select([.augmentation])
    #expect(plain.rows.elements == taken.flatMap { set.rows.row($0) })
    let (changed, same) = select([])
    #expect(same == taken && changed.labels == plain.labels)
    #expect(changed != plain)
    // Index 2 and 3 of four are moved towards each other, odd ones onto each other.
    #expect((select([.confusion]).0 != changed) == (index % 4 >= 2))
    #expect((select([.overlapping]).0 != changed) == (index % 2 == 1))
  }

  @Test func ofBalanceGiveEveryEdgeTheSameWeight() throws {
    var uneven = set
    uneven.labels = set.labels.map { $0 < 10 ? 0 : $0 }
    for isBalanced in [true, false] {
      let graph = try structureGraphs(
        of: uneven.rows, labels: uneven.labels, levelCount: 1, settings: settings,
        isBalanced: isBalanced, using: Workers(), on: SingleRank())[0]
      #expect(Set(graph.weights).count == (isBalanced ? 2 : 1))
      #expect(isBalanced || graph.weights[0] == 1)
    }
  }
}
