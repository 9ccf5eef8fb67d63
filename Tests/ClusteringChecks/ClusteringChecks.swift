public import Communication
internal import GraphNetworks
internal import HierarchicalClustering
internal import LinearAlgebra
internal import Parallelism
internal import RandomInputs

/// What a clustering on these ranks has otherwise than one rank alone has it; empty if nothing.
///
/// Whole clusterings of random points by a random network of structure, of more points than ranks and of
/// fewer: the same body for ranks as threads and as processes.
///
/// > Collective: over `communicator`, what ``cluster(_:with:options:initialNeighbors:observer:on:)`` sends.
///
/// - Returns: Replicated.
public func differencesFromOneRank(_ communicator: some Communicator) throws -> [String] {
  var differences: [String] = []
  for pointCount in [203, 2, 0] {
    let points = EmbeddingsInMemory(randomPoints(pointCount))
    let network = try mergingNetwork()
    let alone = try cluster(points, with: network, threads: 1, on: SingleRank())
    for (threads, nodesPerRank) in [(1, 1), (2, 1), (1, 30), (1, 1000)] {
      let name = "\(pointCount) points, \(threads) threads, \(nodesPerRank) nodes per rank: "
      let share = try cluster(
        points, with: network, threads: threads, nodesPerRank: nodesPerRank, on: communicator)
      let labels = try communicator.allGather(share.labels).values
      if labels != alone.labels { differences.append(name + "other labels") }
      if share.levels.map(\.mergedCount) != alone.levels.map(\.mergedCount) {
        differences.append(name + "other levels")
      }
      if share.stopReason != alone.stopReason { differences.append(name + "another end") }
    }
  }
  return try communicator.any(!differences.isEmpty) && differences.isEmpty
    ? ["differences on another rank"] : differences
}

/// The first of some random networks that merges neither nothing nor everything.
private func mergingNetwork() throws -> StructureNetwork {
  let points = EmbeddingsInMemory(randomPoints(203))
  let settings = StructureNetwork.Settings(
    neighborCount: 6, contextLength: 11, threshold: 0.5, laterThreshold: 0.45)
  for seed in 1...100 {
    let network = StructureNetwork.random(width: 16, seed: 100 * seed, settings: settings)
    let found = try cluster(points, with: network, threads: 1, on: SingleRank())
    if found.levels.count > 2, found.clusterCount > 12 { return network }
  }
  preconditionFailure("no network that merges some points")
}

private func cluster(
  _ points: EmbeddingsInMemory, with network: StructureNetwork, threads: Int,
  nodesPerRank: Int = 1, on communicator: some Communicator
) throws -> Clustering {
  let settings = network.settings
  return try cluster(
    points, with: .structure(network),
    options: ClusteringOptions(
      neighborCount: settings.neighborCount, threshold: settings.threshold,
      laterThreshold: settings.laterThreshold, nodesPerRank: nodesPerRank,
      workers: Workers(threads)),
    on: communicator)
}

/// Points round centres, one for eight of them.
private func randomPoints(_ count: Int) -> Matrix {
  let centres = randomMatrix(count / 8 + 1, 12, seed: 3)
  var rows = randomMatrix(count, 12, seed: 2)
  for row in 0..<count {
    for column in 0..<12 {
      rows[row, column] = centres[row % centres.rowCount, column] + 0.5 * rows[row, column]
    }
  }
  return rows
}
