import Communication
import Foundation
import HierarchicalClustering
import LinearAlgebra

/// What clusters a fit.
enum FittedMethod: String, CaseIterable {
  case flow, structure, modules, coordinates

  func model(dimensions: Int) throws -> TrainedModel? {
    switch self {
    case .flow: nil
    case .structure, .modules: try TrainedModel(path: nil, dimensions: dimensions)
    case .coordinates:
      try TrainedModel(
        path: Material.fixtures.appending(path: "tiny/sage_cf_k5_tau05/model.safetensors").path,
        dimensions: dimensions)
    }
  }

  func plan(dimensions: Int, _ policy: InvalidRowPolicy = .error) throws -> MethodPlan {
    guard let model = try model(dimensions: dimensions) else {
      return .flow(FlowPlan(neighborCount: 7, invalidRows: policy))
    }
    return .network(
      try ClusteringPlan(
        ClusteringOptions(
          threshold: 0.5, resolution: self == .modules ? 0.1 : nil, invalidRows: policy),
        with: model))
  }

  /// A clustering of some rows, with the lists that it found.
  func fit(
    _ rows: Matrix, _ policy: InvalidRowPolicy = .error, on communicator: some Communicator
  ) throws -> FittedClustering {
    let source = EmbeddingsInMemory(rows)
    let plan = try plan(dimensions: rows.columnCount, policy)
    let lists = RememberedLists(length: nil, passingOnTo: nil)
    let found = try cluster(
      source, by: plan, observer: ListKeeper(store: lists), on: communicator)
    return try FittedClustering(
      of: source, labels: found.labels,
      FittedClustering.Settings(
        ClusteringAccount(of: found, by: plan, with: nil), dimensions: rows.columnCount,
        clusterCount: found.clusterCount)!,
      model: model(dimensions: rows.columnCount), along: lists.lists, on: communicator)
  }
}

/// Has the lists of level 0 kept.
private struct ListKeeper: ClusteringObserver {
  let store: (any ListStore)?

  func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}
}
