internal import CHighland
internal import Communication
internal import Datasets
internal import FoundationEssentials
internal import HierarchicalClustering
internal import HierarchyReports
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism

/// What `highland_cluster` hands out.
final class FinishedClustering {
  let rowCount: Int
  let clusterCount: Int
  let labels: FixedArray<Int64>
  /// After every level that merged something; the last are ``labels``.
  let levels: [FixedArray<Int64>]
  let strengths: FixedArray<Float>?
  let report: FixedArray<CChar>
  /// Nil if no network took part.
  let model: FixedArray<UInt8>?

  /// Clusters rows that this process has all of.
  convenience init(_ features: ArrayInMemory, _ options: highland_options) throws {
    let task = unsafe try ClusteringTask(
      features, options, of: features.element, among: ProcessShare(of: features.rowCount))
    let progress = unsafe Progress(options.progress, options.context)
    let start = ContinuousClock.now
    let clustering = try task.run(on: InterruptibleRank(progress))
    let elapsed = start.duration(to: .now) / .seconds(1)
    let strengths =
      unsafe options.strengths == 0
      ? nil
      : try membershipStrengths(
        of: clustering.labels, clusterCount: clustering.clusterCount, in: task.features,
        using: task.workers)
    unsafe try self.init(
      clustering, by: task, options, strengths: strengths, elapsedSeconds: elapsed,
      on: SingleRank()
    ) { $0 }
  }

  /// > Collective: over `communicator`. A round of a byte per level that is kept, and what `handBack` does.
  ///
  /// - Parameters:
  ///   - strengths: Of this rank's rows, or nil.
  ///   - handBack: Labels of this rank's share of the points become those of its own rows.
  init<Source>(
    _ clustering: Clustering, by task: ClusteringTask<Source>, _ options: highland_options,
    strengths: [Float]?, elapsedSeconds: Double, on communicator: some Communicator,
    handBack: ([Int64]) throws -> [Int64]
  ) throws {
    let own = try handBack(clustering.labels)
    let labels = FixedArray(own)
    self.labels = labels
    rowCount = own.count
    clusterCount = clustering.clusterCount
    if unsafe options.keep_levels == 0 || clusterCount == 0 {
      levels = []
    } else if task.hasGroups {
      levels = [labels]
    } else {
      // The loop ends with a level that merges nothing.
      let finer = try clustering.layers.filter { try communicator.any($0 != clustering.labels) }
      levels = try finer.map { FixedArray(try handBack($0)) } + [labels]
    }
    self.strengths = strengths.map { FixedArray($0) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let report = ClusteringReport(task, clustering, elapsedSeconds: elapsedSeconds)
    model = task.model?.contents.map { FixedArray($0) }
    self.report = FixedArray(try encoder.encode(report).map { CChar(bitPattern: $0) } + [0])
  }
}

/// What one of several processes has of the points, and what it may take.
struct ProcessShare {
  var rankCount = 1
  /// Points of this rank.
  var ownCount: Int
  /// Points of the rank that has most.
  var largestCount: Int
  /// Replicated. In bytes; nil if that is unknown.
  var freeMemory: Int?

  /// Of one that is alone.
  init(of rowCount: Int) {
    ownCount = rowCount
    largestCount = rowCount
    freeMemory = AvailableMemory.bytes()
  }
}

/// What to cluster, and how, once everything is known and checked.
struct ClusteringTask<Source: EmbeddingSource> {
  /// As the model wants them.
  let features: TransformedEmbeddings<Source>
  let plan: MethodPlan
  /// The network, if one takes part.
  let model: TrainedModel?
  let hasGroups: Bool
  /// Where every level is written, if anywhere.
  let hierarchy: String?
  let rankCount: Int
  let workers: Workers

  /// - Parameters:
  ///   - features: The rows of all processes.
  ///   - element: How rows are kept in memory.
  /// - Throws: ``Failure``.
  init(
    _ features: Source, _ given: highland_options, of element: StoredElement,
    among share: ProcessShare
  ) throws {
    rankCount = share.rankCount
    workers = unsafe try CInterface.workers(given.threads)
    let k = unsafe try count(given.k, as: "k")
    let granularity: Granularity? = unsafe try word(given.granularity, as: "granularity")
    let tau = unsafe try probability(given.tau, as: "tau")
    let tauLater = unsafe try probability(given.tau_later, as: "tau_later")
    let levels = unsafe try count(given.max_levels, as: "max_levels")
    let groups = unsafe try pointGroups(given, count: share.ownCount)
    let clusterCounts = unsafe try CInterface.clusterCounts(given)
    hasGroups = groups != nil
    hierarchy = unsafe given.hierarchy.map { unsafe String(cString: $0) }
    guard hierarchy == nil || !hasGroups else {
      throw invalidArgument(
        "hierarchy and groups or numbers of clusters: expected one of them, as groups have levels of their own"
      )
    }
    let networkOptions = unsafe [
      ("model", given.model_path != nil || given.model_data != nil),
      ("granularity", granularity != nil), ("tau", tau != nil), ("tau_later", tauLater != nil),
      ("tau_by_silhouette", given.tau_by_silhouette != 0), ("max_levels", levels != nil),
      ("hierarchy", hierarchy != nil), ("groups", given.groups != nil),
      ("min_clusters, max_clusters", clusterCounts != nil),
    ].filter(\.1).map(\.0)
    let asked: ClusteringMethod? = unsafe try word(given.method, as: "method")
    if let asked, asked != .network, let option = networkOptions.first {
      throw invalidArgument("\(option) is of networks; not with method '\(asked.rawValue)'")
    }
    if let k, asked == .auto {
      throw invalidArgument(
        "k = \(k) is of one method; with method 'auto' each has its own: expected 'flow' or 'network'"
      )
    }
    let method =
      asked
      ?? .usual(
        for: features.rowCount, hasNetworkOptions: !networkOptions.isEmpty,
        hasNeighborCount: k != nil)
    if method == .flow, k == 1 {
      throw invalidArgument("k = 1: expected 2 or more, as flow goes to other points")
    }
    let trained =
      method == .flow ? nil : unsafe try CInterface.model(given, dimensions: features.dimensions)
    self.features = features.transformed(for: trained, using: workers)
    var search = unsafe try searchOptions(given)
    search.division = try Self.division(
      method, k, trained, features, of: trained?.transform == nil ? element : .float32,
      among: share,
      // A group has one rank.
      largestShare: hasGroups ? features.rowCount : share.largestCount,
      keepingLayers: unsafe given.keep_levels != 0, writingLevels: hierarchy != nil, search)
    let invalidRows: InvalidRowPolicy =
      unsafe try word(given.invalid_rows, as: "invalid_rows") ?? .error
    let flow =
      method == .network
      ? nil
      : FlowPlan(neighborCount: k, search: search, invalidRows: invalidRows, workers: workers)
    let options = ClusteringOptions(
      neighborCount: k, threshold: tau, laterThreshold: tauLater,
      choosesThreshold: unsafe given.tau_by_silhouette != 0,
      granularity: granularity ?? .asTrained, maximumLevels: levels ?? 10,
      clusterCounts: clusterCounts,
      keepsLayers: unsafe given.keep_levels != 0 && !hasGroups, search: search,
      invalidRows: invalidRows, workers: workers)
    plan = MethodPlan(
      flow: flow, network: try trained.map { try ClusteringPlan(options, with: $0, within: groups) }
    )
    model = trained
  }

  /// Clusters, and writes the levels where that is wanted.
  ///
  /// > Collective: over `ranks`.
  ///
  /// - Throws: Before the work begins, if the directory of the levels is neither new nor empty.
  func run(on ranks: Interruptible<some Communicator>) throws -> Clustering {
    guard let hierarchy else {
      return try cluster(features, by: plan, observer: ranks.progress, on: ranks)
    }
    try ranks.agreeWithStatus {
      guard ranks.rank == Rank(0), let names = try? namesInDirectory(hierarchy), !names.isEmpty
      else { return }
      throw invalidArgument("hierarchy: \(hierarchy): is not empty; expected a new directory")
    }
    return try writeDirectory(
      to: hierarchy, marker: StoredHierarchy.marker, overwrite: false, on: ranks
    ) { directory in
      let writer = HierarchyWriter(in: directory)
      let clustering = try cluster(
        features, by: plan, observer: LevelKeeper(progress: ranks.progress, hierarchy: writer),
        on: ranks)
      var account = ClusteringAccount(of: clustering, by: plan, with: model)
      account.features = features.name
      try writer.finish(
        clustering, account, dimensions: features.dimensions, version: HIGHLAND_VERSION, on: ranks)
      return clustering
    }
  }

  /// How the search is divided so that everything fits into memory.
  private static func division(
    _ method: ClusteringMethod, _ k: Int?, _ model: TrainedModel?, _ features: Source,
    of element: StoredElement, among share: ProcessShare, largestShare: Int,
    keepingLayers: Bool, writingLevels: Bool, _ search: SearchOptions
  ) throws -> SearchDivision {
    let (rows, columns) = (features.rowCount, features.dimensions)
    var needs: [(SearchOptions) -> Double] = []
    if let model {
      let need = ClusteringMemory(
        rowCount: largestShare, pointCount: rows, columnCount: columns, element: element,
        rankCount: share.rankCount, neighborCount: model.neighborCount(k),
        keepsLists: writingLevels,
        model: model.linkage)
      needs.append { need.bytes(by: $0) }
    }
    if method != .network {
      let need = SearchMemory(
        rowCount: largestShare, nodeCount: rows, columnCount: columns, element: element,
        listLength: min(FlowPlan(neighborCount: k).longestList, max(rows - 1, 0)),
        rankCount: share.rankCount)
      let flow = FlowMemory(need)
      needs.append { max(need.bytes(by: $0), flow.bytes) }
    }
    // Labels, and those after every level.
    let answer = Double(largestShare) * (keepingLayers ? 80 : 16)
    var options = search
    return try leastDivision(
      for: "clusters of [\(rows) × \(columns)] points", in: share.freeMemory
    ) { division in
      options.division = division
      return needs.map { $0(options) }.max()! + answer
    }
  }
}
