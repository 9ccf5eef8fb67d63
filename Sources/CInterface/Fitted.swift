internal import CHighland
internal import Datasets
internal import FoundationEssentials
internal import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism

/// What `highland_fit` hands out.
final class Fitted: Sendable {
  private let clustering: FittedClustering

  /// What of a report says how rows were clustered.
  private struct Report: Decodable {
    let parameters: ClusteringAccount
    let clusterCount: Int
    let groups: GroupSummary?
  }

  /// - Throws: ``Failure`` for labels or a report of another clustering.
  init(
    _ features: ArrayInMemory, labels: [Int64], report: String, _ options: highland_options
  ) throws {
    guard let report = try? JSONDecoder().decode(Report.self, from: Data(report.utf8)),
      report.clusterCount >= 0,
      let settings = FittedClustering.Settings(
        report.parameters, dimensions: features.columnCount, clusterCount: report.clusterCount)
    else {
      throw invalidArgument("report: expected that of highland_clustering_report")
    }
    guard report.groups.map({ $0.groupCount < 2 }) ?? true else {
      throw invalidArgument("report: of rows in groups, to which new rows cannot be assigned")
    }
    if let label = labels.first(where: { !(0..<Int64(report.clusterCount)).contains($0) }) {
      throw invalidArgument(
        "labels: \(label); expected those of the report's \(report.clusterCount) clusters")
    }
    let workers = unsafe try CInterface.workers(options.threads)
    let progress = unsafe Progress(options.progress, options.context)
    let isOfNetwork = settings.method == .network
    let trained =
      isOfNetwork ? unsafe try model(options, dimensions: features.columnCount) : nil
    let listLength = FittedClustering.listLength(of: settings, trained)
    clustering = unsafe try FittedClustering(
      of: features, labels: labels, settings, model: trained,
      searching: dividedSearch(
        options, of: "neighbours of [\(features.rowCount) × \(features.columnCount)] points"
      ) {
        SearchMemory(
          rowCount: features.rowCount, nodeCount: features.rowCount,
          columnCount: features.columnCount, element: features.element, listLength: listLength,
          rankCount: 1
        ).bytes(by: $0)
      },
      using: workers, on: InterruptibleRank(progress)
    ) { try progress.show("neighbors", isDone: $0) }
  }

  /// The clusters of new rows.
  ///
  /// - Throws: ``Failure`` for rows of another dimension.
  func labels(of features: ArrayInMemory, _ options: highland_options) throws -> [Int64] {
    let settings = clustering.settings
    guard features.columnCount == settings.dimensions else {
      throw invalidArgument(
        "features: \(features.columnCount) columns; expected \(settings.dimensions), as the fit has"
      )
    }
    let invalidRows: InvalidRowPolicy =
      unsafe try word(options.invalid_rows, as: "invalid_rows") ?? .error
    let progress = unsafe Progress(options.progress, options.context)
    return unsafe try assign(
      features, to: clustering,
      by: AssigningOptions(
        search: dividedSearch(
          options, of: "clusters of [\(features.rowCount) × \(features.columnCount)] points"
        ) { clustering.bytes(toAssign: features.rowCount, by: $0) },
        invalidRows: invalidRows, workers: CInterface.workers(options.threads)),
      observer: progress, on: InterruptibleRank(progress)
    ).labels
  }
}

/// How neighbours are to be searched, in the memory that is free.
///
/// - Parameters:
///   - purpose: What the memory is for.
///   - need: What a search takes, in bytes.
/// - Throws: ``Failure`` if that is too little.
private func dividedSearch(
  _ options: highland_options, of purpose: String, _ need: (SearchOptions) -> Double
) throws -> SearchOptions {
  var search = unsafe try searchOptions(options)
  search.division = try leastDivision(for: purpose) {
    search.division = $0
    return need(search)
  }
  return search
}
