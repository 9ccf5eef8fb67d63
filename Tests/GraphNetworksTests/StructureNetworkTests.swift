import Communication
import Datasets
import DistributedGraphs
import Foundation
import GraphNetworks
import LinearAlgebra
import Parallelism
import RandomInputs
import SimilarityStructure
import TestTags
import Testing

/// Linkages of random lists, all ranks' shares together.
private func linkage(
  of lists: NeighborLists, nodeCount: Int, with network: StructureNetwork, ranks: Int,
  threads: Int = 1, level: Int = 1, nodes: NodePartition? = nil
) throws -> Linkage {
  let nodes = nodes ?? NodePartition(sharing: nodeCount, among: ranks)
  let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
    let features = try structure(
      of: lists.slice(nodes.owned(by: communicator.rank)), in: nodes, level: level,
      network.settings,
      on: communicator)
    return try network.linkage(of: features, using: Workers(threads), on: communicator)
  }
  return Linkage(
    distance: shares.flatMap(\.distance), density: shares.flatMap(\.density))
}

private func structure(
  of lists: NeighborLists, in nodes: NodePartition, level: Int = 1,
  _ settings: StructureNetwork.Settings,
  on communicator: some Communicator
) throws -> StructureFeatures {
  let graph = try NeighborGraph(lists.prefix(settings.nearLength), in: nodes, on: communicator)
  return try StructureFeatures(
    lists, graph: graph,
    of: StructureLevel(
      level: level, memberCounts: (0..<graph.ownedCount).map { Int64($0 % 3 + 1) },
      meanLengths: (0..<graph.ownedCount).map { $0 % 3 == 0 ? 1 : 0.8 },
      pointEdges: PointEdges(graph), scale: ClosenessScale(mean: 0.1)),
    nearLength: settings.nearLength, on: communicator)
}

@Suite struct StructureNetworks {
  private static let settings = StructureNetwork.Settings(
    neighborCount: 6, contextLength: 9, threshold: 0.5, laterThreshold: 0.25)

  /// The formula, with plain products, in place of tiles, kernels and halos.
  @Test(arguments: [1, 5, 16, 24, 64])
  func agreeWithThePlainFormulaBitForBit(width: Int) throws {
    let network = StructureNetwork.random(width: width, seed: 1, settings: Self.settings)
    let lists = NeighborLists.random(nodeCount: 131, listLength: 9, seed: 4)
    let nodes = NodePartition(sharing: 131, among: 1)
    let features = try structure(of: lists, in: nodes, Self.settings, on: SingleRank())
    let graph = features.graph
    let x = network.nodeScale.applied(to: features.nodeFeatures)
    let e = network.edgeScale.applied(to: features.edgeFeatures)

    func map(_ rows: [[Float]], _ map: LinearMap, rectified: Bool) -> [[Float]] {
      let a = Matrix(
        rows: rows.count, columns: map.inputWidth, elements: rows.flatMap { $0 })
      let product = referenceProduct(a, map.weight, bias: map.bias)
      return (0..<rows.count).map { row in
        product.row(row).map { rectified ? max($0, 0) : $0 }
      }
    }
    let inputs = (0..<graph.ownedCount).map { node in
      let edges = graph.edges(into: node)
      let means = (0..<x.columnCount).map { column in
        edges.reduce(Float(0)) {
          $0.addingProduct(1 / Float(edges.count), x[Int(graph.columns[$1].index), column])
        }
      }
      return x.row(node) + means
    }
    let h = map(
      map(inputs, network.nodeHidden, rectified: true), network.nodeOutput, rectified: false)
    var ends: [[Float]] = []
    for node in 0..<graph.ownedCount {
      for edge in graph.edges(into: node) {
        let (a, b) = (h[node], h[Int(graph.columns[edge].index)])
        ends.append(zip(a, b).map(+) + zip(a, b).map { abs($0 - $1) } + e.row(edge))
      }
    }
    let u = map(map(ends, network.edgeFirst, rectified: true), network.edgeSecond, rectified: true)
    let v = zip(u, map(u, network.edgeThird, rectified: true)).map { zip($0, $1).map { $1 + $0 } }
    let expected = v.map { row in
      let logit =
        sixteenLaneSum(of: row, times: network.output.weight.row(0)) + network.output.bias[0]
      return Float(1 / (1 + exp(Double(logit))))
    }
    let found = try linkage(of: lists, nodeCount: 131, with: network, ranks: 1)
    #expect(found.distance.map(\.bitPattern) == expected.map(\.bitPattern))
    #expect(found.density == density(distance: expected, over: graph))
    // The inputs must not have saturated everything.
    #expect(Set(expected).count > expected.count / 3)
  }

  /// Ranks without nodes, without edges and with nothing but boundary nodes among them.
  @Test(.tags(.threads), arguments: [1, 2, 3, 5, 8], [1, 2])
  func haveTheSameBits(ranks: Int, threads: Int) throws {
    let network = StructureNetwork.random(width: 24, seed: 5, settings: Self.settings)
    // Sizes and lengths follow from places in the share in `structure`, so shares begin at multiples of 3.
    let lists = NeighborLists.random(nodeCount: 90, listLength: 9, seed: 6)
    let alone = try linkage(of: lists, nodeCount: 90, with: network, ranks: 1)
    var cuts = NodePartition.random(nodeCount: 30, ranks: ranks, seed: 7).firstNode
    for place in cuts.indices { cuts[place] *= 3 }
    let many = try linkage(
      of: lists, nodeCount: 90, with: network, ranks: ranks, threads: threads,
      nodes: NodePartition(firstNode: cuts))
    #expect(many.distance.map(\.bitPattern) == alone.distance.map(\.bitPattern))
    #expect(many.density.map(\.bitPattern) == alone.density.map(\.bitPattern))
  }

  /// Of the edges into some nodes they say what they say among all.
  @Test(arguments: [0, 1, 50, 90])
  func judgeTheEdgesIntoSomeNodesAlone(targetCount: Int) throws {
    let network = StructureNetwork.random(width: 24, seed: 5, settings: Self.settings)
    let features = try structure(
      of: .random(nodeCount: 90, listLength: 9, seed: 6), in: NodePartition(sharing: 90, among: 1),
      Self.settings, on: SingleRank())
    let all = try network.linkage(of: features, on: SingleRank())
    let some = try network.linkage(of: features, intoFirst: targetCount, on: SingleRank())
    let edgeCount = features.graph.rowOffsets[targetCount]
    #expect(some.distance.prefix(edgeCount) == all.distance.prefix(edgeCount))
    #expect(some.distance.dropFirst(edgeCount).allSatisfy { $0 == 1 })
    #expect(some.density.prefix(targetCount) == all.density.prefix(targetCount))
  }

  /// The same random network, but for what it does not see.
  private func network(without names: [String]) throws -> StructureNetwork {
    var hidden = FeatureSelection()
    for name in names { hidden.formUnion(try #require(FeatureSelection(named: name))) }
    let network = StructureNetwork.random(width: 16, seed: 11, settings: Self.settings)
    return StructureNetwork(
      nodeScale: network.nodeScale.hiding(hidden.nodes.map(\.rawValue)),
      edgeScale: network.edgeScale.hiding(hidden.edges.map(\.rawValue)),
      nodeHidden: network.nodeHidden, nodeOutput: network.nodeOutput,
      edgeFirst: network.edgeFirst, edgeSecond: network.edgeSecond, edgeThird: network.edgeThird,
      output: network.output, settings: network.settings)
  }

  @Test func haveTheSameBitsWhateverAFeatureIsThatTheyDoNotSee() throws {
    let lists = NeighborLists.random(nodeCount: 60, listLength: 9, seed: 12)
    func bits(without names: [String], level: Int) throws -> [UInt32] {
      try linkage(of: lists, nodeCount: 60, with: network(without: names), ranks: 1, level: level)
        .distance.map(\.bitPattern)
    }
    #expect(try bits(without: [], level: 1) != bits(without: [], level: 3))
    #expect(try bits(without: ["level"], level: 1) == bits(without: ["level"], level: 3))
  }

  @Test func areBlindWithoutAllFeaturesAndOnlyThen() throws {
    let lists = NeighborLists.random(nodeCount: 60, listLength: 9, seed: 13)
    func count(without names: [String]) throws -> Int {
      let found = try linkage(
        of: lists, nodeCount: 60, with: network(without: names), ranks: 1)
      return Set(found.distance.map(\.bitPattern)).count
    }
    #expect(try count(without: FeatureGroup.allCases.map(\.rawValue)) == 1)
    #expect(try count(without: ["nodes"]) > 100)
    #expect(try count(without: ["edges"]) > 100)
  }

  @Test func comeBackFromAFile() throws {
    let network = StructureNetwork.random(width: 8, seed: 8, settings: Self.settings)
    let path = try write(network.metadata, network.tensors)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let read = try StructureNetwork(TensorFile(path: path))
    #expect(read.tensors == network.tensors && read.settings == network.settings)
    #expect(try ModelInput(TensorFile(path: path)) == .structure)
  }

  @Test(arguments: [
    ("input", "shape", "its input is 'shape'; expected 'coordinates' or 'structure'"),
    ("input", nil, "lost its metadata"),
    ("tau", "1.5", "its metadata say '1.5' of 'tau'; expected 0 ... 1"),
    ("k", nil, "its metadata say 'nothing' of 'k'"),
    ("context", "3", "expected 5 ... 1000"),
    ("node_features", "colour", "it has 'colour', which is unknown here"),
    ("edge_features", "", "it has no 'closeness'"),
  ])
  func areRefusedWhereTheFileSaysSomethingElse(key: String, value: String?, message: String) throws
  {
    let network = StructureNetwork.random(width: 8, seed: 9, settings: Self.settings)
    var metadata = network.metadata
    metadata[key] = value
    let path = try write(metadata, network.tensors)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let error = try #require(throws: ModelError.self) {
      try StructureNetwork(TensorFile(path: path))
    }
    #expect(error.description.contains(message), "\(error)")
  }

  @Test(arguments: [
    ("edge.third.weight", [7, 8]), ("node.scale.mean", [3]), ("edge.output.bias", [2]),
  ])
  func areRefusedWhereATensorHasAnotherShape(name: String, shape: [Int]) throws {
    let network = StructureNetwork.random(width: 8, seed: 10, settings: Self.settings)
    let tensors = network.tensors.map { tensor in
      tensor.name == name
        ? Tensor(
          name: name, shape: shape,
          elements: Array(repeating: 1, count: shape.reduce(1, *))) : tensor
    }
    let path = try write(network.metadata, tensors)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let error = try #require(throws: ModelError.self) {
      try StructureNetwork(TensorFile(path: path))
    }
    #expect(error.description.contains("tensor '\(name)' has shape \(shape)"), "\(error)")
  }

  private func write(_ metadata: [String: String], _ tensors: [Tensor]) throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(
      path: "structure-\(UUID().uuidString).safetensors"
    ).path
    try TensorFile.write(tensors, metadata: metadata, to: path, overwrite: false)
    return path
  }
}

/// Σ x y in the order of the kernels: lane l takes places l, l + 16, …; then lanes are added
/// pairwise, 0 with 8, 1 with 9, …, then 0 with 4, …
private func sixteenLaneSum(of x: [Float], times y: [Float]) -> Float {
  var lanes = Array(repeating: Float(0), count: 16)
  for place in x.indices {
    lanes[place % 16] = lanes[place % 16].addingProduct(x[place], y[place])
  }
  while lanes.count > 1 {
    let half = lanes.count / 2
    lanes = (0..<half).map { lanes[$0] + lanes[half + $0] }
  }
  return lanes[0]
}
