import Communication
import DistributedGraphs
import HierarchicalClustering
import MPICommunication
import NeighborSearch
import Parallelism

/// The clusters that a method with parameters finds, and what finding them took.
struct BaselineClustering {
  let method: BenchmarkMethod
  /// With the partition of FINCH that was taken.
  private(set) var setting: BenchmarkSetting
  /// k of the lists, if it counts for the method.
  let neighborCount: Int?
  let input: BaselinePoints
  /// Owned. 0, 1, 2, … by first appearance.
  let labels: [Int64]
  let clusterCount: Int
  let singletonCount: Int
  /// By name: `read`, `neighbors` if they were searched, `cluster` and `label`.
  let phases: [String: PhaseCost]
  /// From the first row that is read to the labels.
  let elapsedSeconds: Double

  var points: NodePartition { input.points }

  /// > Collective: over `communicator`, as the search and the method.
  ///
  /// - Parameters:
  ///   - mayBeLast: Whether FINCH takes its last partition if it finds fewer.
  ///   - neighborCount: k; nil for the usual one. Only of methods that have it.
  /// - Throws: ``AgreedFailure`` on every rank if the method would take too much time or memory, rows cannot be read, or
  ///   there is no such partition.
  init(
    of source: FeatureRows, by method: BenchmarkMethod, _ setting: BenchmarkSetting,
    mayBeLast: Bool, neighborCount: Int?, searching search: SearchOptions,
    invalid invalidRows: InvalidRowPolicy, using workers: Workers, _ reporter: ProgressReporter,
    on communicator: MPICommunicator
  ) throws {
    let k =
      method.hasNeighborCount ? neighborCount ?? BenchmarkMethod.usualNeighborCount : nil
    let listLength = method.listLength(neighborCount: k)
    var search = search
    search.division = try Self.searchDivision(
      source, method, listLength: listLength, search, workers, on: communicator)
    let start = ContinuousClock.now
    reporter.show("read", isDone: 0)
    var input = try BaselinePoints(
      source, listLength: listLength, searching: search, invalid: invalidRows, using: workers,
      on: communicator
    ) { reporter.show("neighbors", isDone: $0) }
    reporter.show(method.rawValue, isDone: 0)
    var taken = setting
    let (clusterCost, found) = try PhaseCost.measuring(on: communicator) { communicator in
      var found = try input.clusters(by: taken, on: communicator)
      while found == nil, mayBeLast, case .finch(let partition) = taken, partition > 1 {
        taken = .finch(partition: partition - 1)
        found = try input.clusters(by: taken, on: communicator)
      }
      return found
    }
    guard let found else {  // on every rank
      throw AgreedFailure(
        reason: "--finch-partition: \(source.name) has no \(setting.text); expected a lower one")
    }
    reporter.show(method.rawValue, isDone: 1)
    let points = input.points
    let (labelCost, (numbered, singletonCount)) = try PhaseCost.measuring(on: communicator) {
      let numbered = try numberByFirstAppearance(
        found.map { GlobalNode($0) }, of: points, in: points, on: $0)
      return (
        numbered, try Self.singletonCount(of: numbered.labels, numbered.clusterCount, on: $0)
      )
    }
    (self.method, self.setting, self.neighborCount, self.input) = (method, taken, k, input)
    (labels, clusterCount) = numbered
    self.singletonCount = singletonCount
    var phases = ["read": input.readingCost, "cluster": clusterCost, "label": labelCost]
    phases["neighbors"] = input.neighbors?.cost
    self.phases = phases
    elapsedSeconds = try communicator.maximum(start.duration(to: .now) / .seconds(1))
  }

  /// How the search is divided to fit into memory; refuses what does not fit, or would take too long.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private static func searchDivision(
    _ source: FeatureRows, _ method: BenchmarkMethod, listLength: Int?, _ search: SearchOptions,
    _ workers: Workers, on communicator: MPICommunicator
  ) throws -> SearchDivision {
    let option = "--method \(method.rawValue)"
    let work = PairWork(of: source)
    if method == .averageLinkage, !work.isBearable {  // on every rank
      throw AgreedFailure(reason: "\(option): \(work.account)")
    }
    try method.memory(
      of: source, listLength: listLength ?? 0, askedFor: option, on: communicator
    )?.check(on: communicator)
    guard let listLength else { return search.division }
    try MemoryNeed(
      neighbors: method.hasNeighborCount ? "-k \(listLength + 1)" : option,
      ownedCount: ownShare(of: source.rowCount, on: communicator).count,
      pointCount: source.rowCount, columnCount: listLength, isWritten: false,
      rankCount: communicator.size
    ).check(on: communicator)
    let need = SearchMemory(
      rowCount: equalShare(of: source.rowCount, on: communicator), nodeCount: source.rowCount,
      columnCount: source.dimensions, element: source.storedElement, listLength: listLength,
      rankCount: communicator.size)
    var search = search
    return try MemoryOptions.planOfFreeMemory(
      of: "clusters of [\(source.rowCount) × \(source.dimensions)] points",
      threadCount: workers.count, on: communicator
    ) {
      search.division = $0
      return need.bytes(by: search)
    }.division
  }

  /// How many clusters have one point.
  ///
  /// > Collective: over `communicator`. Four rounds; 16 bytes per cluster and rank at most.
  private static func singletonCount(
    of labels: [Int64], _ clusterCount: Int, on communicator: some Communicator
  ) throws -> Int {
    let clusters = NodePartition(sharing: clusterCount, among: communicator.size)
    var here: [Int64: Int64] = [:]
    for label in labels { here[label, default: 0] += 1 }
    let present = here.keys.sorted()
    var sizes = Array(
      repeating: Int64(0), count: clusters.owned(by: communicator.rank).count)
    try clusters.scatter(
      present.map { here[$0]! }, to: present.map { GlobalNode($0) }, into: &sizes,
      on: communicator
    ) { $0 += $1 }
    return try communicator.sum(sizes.count { $0 == 1 })
  }
}

extension BenchmarkMethod {
  /// Whether its clusters depend on how long the lists are.
  var hasNeighborCount: Bool { self == .components || self == .dbscan }

  /// Places of the lists that it looks at alone; nil of a method that needs none.
  ///
  /// - Parameter k: Of a method that has it.
  func listLength(neighborCount k: Int?) -> Int? {
    switch self {
    case .components, .dbscan: (k ?? Self.usualNeighborCount) - 1
    case .hdbscan: Self.treeListLength
    case .finch: 1
    default: nil
    }
  }
}
