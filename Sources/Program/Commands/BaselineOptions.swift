import ArgumentParser
import HierarchicalClustering

/// What `highland cluster --method` takes.
enum ClusterMethod: ExpressibleByArgument {
  /// One that chooses its parameters.
  case own(ClusteringMethod)
  /// One whose parameters are options.
  case baseline(BenchmarkMethod)

  private static let baselines: [BenchmarkMethod] = [
    .components, .dbscan, .hdbscan, .finch, .averageLinkage,
  ]

  init?(argument: String) {
    if let method = ClusteringMethod(rawValue: argument) {
      self = .own(method)
    } else if let method = Self.baselines.first(where: { $0.rawValue == argument }) {
      self = .baseline(method)
    } else {
      return nil
    }
  }

  static var allValueStrings: [String] {
    ClusteringMethod.allCases.map(\.rawValue) + baselines.map(\.rawValue)
  }

  static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

/// The parameters of methods that `highland benchmark` compares; their defaults are what is usual there.
struct BaselineOptions: ParsableArguments {
  @Option(
    help: """
      Of components and average-linkage: clusters merge below this cosine distance, 1 − similarity. Default: 0.25 and \
      0.5.
      """)
  var distance: Double?

  @Option(help: "Of dbscan: points within this cosine distance are near. Default: 0.5.")
  var eps: Double?

  @Option(help: "Of dbscan: so many points near a core, itself included. Default: 5.")
  var minPoints: Int?

  @Option(help: "Of hdbscan: points of the smallest cluster. Default: 5.")
  var minClusterSize: Int?

  @Option(
    help: "Of hdbscan: neighbours up to the core distance, without the point itself. Default: 5.")
  var minSamples: Int?

  @Option(help: "Of finch: which of its partitions, of which the finest is 1. Default: 2.")
  var finchPartition: Int?

  /// The options that are given, and the methods that have them.
  private var given: [(name: String, methods: [BenchmarkMethod])] {
    let all: [(isGiven: Bool, name: String, methods: [BenchmarkMethod])] = [
      (distance != nil, "--distance", [.components, .averageLinkage]),
      (eps != nil, "--eps", [.dbscan]), (minPoints != nil, "--min-points", [.dbscan]),
      (minClusterSize != nil, "--min-cluster-size", [.hdbscan]),
      (minSamples != nil, "--min-samples", [.hdbscan]),
      (finchPartition != nil, "--finch-partition", [.finch]),
    ]
    return all.filter(\.isGiven).map { ($0.name, $0.methods) }
  }

  /// - Throws: `ValidationError` for parameters of other methods, and values that mean nothing.
  func check(for method: ClusterMethod?, neighborCount: Int?) throws {
    for option in given {
      if case .baseline(let method) = method, option.methods.contains(method) { continue }
      let methods = option.methods.map(\.rawValue).joined(separator: " or ")
      throw ValidationError("\(option.name) needs --method \(methods)")
    }
    if let distance, !(0...2).contains(distance) {
      throw ValidationError("--distance \(distance): expected 0 ... 2")
    }
    if let eps, !(0..<1).contains(eps) {
      throw ValidationError("--eps \(eps): expected 0 or more, below 1")
    }
    let places = neighborCount ?? BenchmarkMethod.usualNeighborCount
    let longest = BenchmarkMethod.treeListLength
    for (number, name, range, reason) in [
      (minPoints, "--min-points", 1...max(places, 1), ", the places of a list (-k)"),
      (minClusterSize, "--min-cluster-size", 2...Int.max, ""),
      (minSamples, "--min-samples", 1...longest, ", the others that hdbscan looks at"),
      (finchPartition, "--finch-partition", 1...Int.max, ""),
    ] {
      guard let number, !range.contains(number) else { continue }
      let expected =
        range.upperBound == .max ? "\(range.lowerBound) or more" : "1 ... \(range.upperBound)"
      throw ValidationError("\(name) \(number): expected \(expected)\(reason)")
    }
  }

  /// What a method is run with: what was given, and what is usual.
  func setting(of method: BenchmarkMethod) -> BenchmarkSetting {
    guard let usual = method.usualSetting else {
      preconditionFailure("\(method.rawValue) has no parameters")
    }
    return switch usual {
    case .components(let usual): .components(distance: distance ?? usual)
    case .dbscan(let radius, let points):
      .dbscan(radius: eps ?? radius, minimumPoints: minPoints ?? points)
    case .hdbscan(let size, let samples):
      .hdbscan(
        minimumClusterSize: minClusterSize ?? size, minimumSamples: minSamples ?? samples)
    case .finch(let partition): .finch(partition: finchPartition ?? partition)
    case .averageLinkage(let usual): .averageLinkage(distance: distance ?? usual)
    case .infomap: usual
    }
  }
}
