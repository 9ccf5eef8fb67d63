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

  /// - Throws: ``Failure`` for labels, groups or a report of another clustering.
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
    let names = unsafe groupNames(options, count: features.rowCount)
    let groupCount = report.groups?.groupCount ?? 1
    guard names != nil || groupCount < 2 else {
      throw invalidArgument(
        "groups: NULL; expected those of the \(groupCount) groups of the report")
    }
    if let names {
      let count = Set(names).count
      guard let summary = report.groups, summary.groupCount == count else {
        throw invalidArgument(
          "groups: \(count) groups; expected those of the report, which is of \(groupCount)")
      }
    }
    let groups = try names.map { names in
      (points: unsafe try pointGroups(options, count: features.rowCount)!, names: names)
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
      of: features.transformed(for: trained, using: workers), labels: labels, settings,
      model: trained,
      within: groups,
      searching: dividedSearch(
        options, of: "neighbours of [\(features.rowCount) × \(features.columnCount)] points"
      ) {
        SearchMemory(
          rowCount: features.rowCount, nodeCount: features.rowCount,
          columnCount: features.columnCount,
          element: trained?.transform == nil ? features.element : .float32, listLength: listLength,
          rankCount: 1
        ).bytes(by: $0)
      },
      using: workers, on: InterruptibleRank(progress)
    ) { try progress.show("neighbors", isDone: $0) }
  }

  /// The clusters of new rows.
  ///
  /// - Throws: ``Failure`` for rows of another dimension, and where either these or those of the fit have groups.
  func labels(of features: ArrayInMemory, _ options: highland_options) throws -> [Int64] {
    let settings = clustering.settings
    guard features.columnCount == settings.dimensions else {
      throw invalidArgument(
        "features: \(features.columnCount) columns; expected \(settings.dimensions), as the fit has"
      )
    }
    let names = unsafe groupNames(options, count: features.rowCount)
    guard (names != nil) == clustering.hasGroups else {
      throw invalidArgument(
        names == nil
          ? "groups: NULL; expected those of the rows, as the rows of the fit have groups"
          : "groups: expected NULL, as the rows of the fit have no groups")
    }
    let invalidRows: InvalidRowPolicy =
      unsafe try word(options.invalid_rows, as: "invalid_rows") ?? .error
    let progress = unsafe Progress(options.progress, options.context)
    let rank = InterruptibleRank(progress)
    let share = try names.map { try clustering.largestShare(of: $0, on: rank) }
    return unsafe try assign(
      features.transformed(
        for: clustering.model, using: CInterface.workers(options.threads)), within: names,
      to: clustering,
      by: AssigningOptions(
        search: dividedSearch(
          options, of: "clusters of [\(features.rowCount) × \(features.columnCount)] points"
        ) { clustering.bytes(toAssign: features.rowCount, within: share, by: $0) },
        invalidRows: invalidRows, workers: CInterface.workers(options.threads)),
      observer: progress, on: rank
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
