// A program that clusters, searches, trains and evaluates by itself, on one rank or many:
//
//   swift run grouping
//   mpirun -n 2 .build/debug/grouping
import Communication
import Datasets
import DistributedGraphs
import Evaluation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import MPICommunication
import NeighborSearch
import Training

/// 16 points round each of some centres, and which it is; every rank makes all of them.
func points(centres: Int, seed: UInt64) -> (rows: Matrix, labels: [Int64]) {
  var state = seed
  func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }
  let middles = (0..<centres).map { _ in (0..<12).map { _ in next() } }
  let labels = (0..<16 * centres).map { Int64($0 % centres) }
  let elements = labels.flatMap { label in middles[Int(label)].map { $0 + 0.3 * next() } }
  return (Matrix(rows: labels.count, columns: 12, elements: elements), labels)
}

/// The F-scores of a model's clusters.
func score(
  _ model: TrainedModel, _ rows: Matrix, _ labels: [Int64], on communicator: some Communicator
) throws -> ClusteringMetrics {
  let clustering = try cluster(EmbeddingsInMemory(rows), with: model, on: communicator)
  return try compareLabels(
    truth: Array(labels[clustering.points.owned(by: communicator.rank)]),
    predicted: clustering.labels, on: communicator)
}

// MPI is initialised before and finalised afterwards; the program goes on. One that uses MPI itself says
// `withDuplicate(of:)` and its own communicator.
let lines = try MPICommunicator.withAllRanks { communicator -> [String] in
  var (rows, labels) = points(centres: 12, seed: 1)
  _ = rows.normalizeRows()

  let nodes = NodePartition(sharing: rows.rowCount, among: communicator.size)
  let owned = nodes.owned(by: communicator.rank)
  let lists = try nearestNeighbors(
    of: EmbeddingsInMemory(rows).rows(owned), listLength: 5, in: nodes, on: communicator)
  let same = zip(owned, stride(from: 0, to: lists.neighbors.count, by: 5)).reduce(0) {
    $0 + (labels[$1.0] == labels[Int(lists.neighbors[$1.1].index)] ? 1 : 0)
  }

  // As `highland cluster` does without a model: τ is chosen on the data.
  let builtIn = try TrainedModel(path: nil, dimensions: rows.columnCount)
  let byDefault = try score(builtIn, rows, labels, on: communicator)

  let known = points(centres: 12, seed: 2)
  let training = try trainStructureNetwork(
    on: [LabelledEmbeddings(EmbeddingsInMemory(known.rows), labels: known.labels)],
    options: StructureTrainingOptions(
      shape: StructureShape(width: 16), settings: .init(neighborCount: 6, contextLength: 10),
      graphCount: 8, pointLimit: 200, epochCount: 20),
    over: communicator)
  let trained = try score(
    training.model(), rows, labels, on: communicator)

  let found = try communicator.sum(same)
  guard communicator.rank == Rank(0) else { return [] }
  return [
    "\(found) of \(rows.rowCount) points have a neighbour of their own group",
    "default model: \(byDefault.predicted.clusterCount) groups, F \(byDefault.bcubed.f)",
    "own model: \(trained.predicted.clusterCount) groups, F \(trained.bcubed.f)",
  ]
}
for line in lines { print(line) }
