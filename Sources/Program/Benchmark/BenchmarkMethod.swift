import ArgumentParser
import Communication
import HierarchicalClustering
import Training

/// A method that `highland benchmark` compares.
enum BenchmarkMethod: String, CaseIterable {
  case components, dbscan, hdbscan, finch
  case averageLinkage = "average-linkage"
  case infomap, flow, network, auto, trained

  /// - Throws: `ValidationError`, which says what was expected.
  static func list(_ argument: String) throws -> [BenchmarkMethod] {
    let found = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      BenchmarkMethod(rawValue: String($0))
    }
    guard Set(found).count == found.count, !found.contains(nil) else {
      throw ValidationError(
        "--methods \(argument): expected some of "
          + "\(allCases.map(\.rawValue).joined(separator: ", ")), each once, with commas")
    }
    return found.compactMap { $0 }
  }

  /// Places of the lists that hdbscan looks at, at most: its edges take 150 bytes each while they are sorted.
  static let treeListLength = 30

  /// Places of the lists that methods share, the point itself included, where nobody says another number.
  static let usualNeighborCount = 81

  /// What it takes on a rank beside rows and lists, where that is much.
  ///
  /// - Parameter option: As the user gave it.
  func memory(
    of source: some EmbeddingSource, listLength: Int, askedFor option: String,
    on communicator: some Communicator
  ) -> MemoryNeed? {
    let share = Double(equalShare(of: source.rowCount, on: communicator))
    let places = Double(min(listLength, Self.treeListLength))
    let need: (purpose: String, bytes: Double)? =
      switch self {
      case .averageLinkage: ("means", share * Double(source.dimensions) * 20)
      case .hdbscan: ("edges", share * places * 150 + Double(source.rowCount) * 100)
      default: nil
      }
    return need.map {
      MemoryNeed(option: option, purpose: "\($0.purpose) of \(source.name)", bytes: $0.bytes)
    }
  }

  /// What is taken where there are no labels to tune on; nil of a method that has no parameter.
  var usualSetting: BenchmarkSetting? {
    switch self {
    case .components: .components(distance: 0.25)
    case .dbscan: .dbscan(radius: 0.5, minimumPoints: 5)
    case .hdbscan: .hdbscan(minimumClusterSize: 5, minimumSamples: 5)
    case .finch: .finch(partition: 2)
    case .averageLinkage: .averageLinkage(distance: 0.5)
    case .infomap: .infomap(neighborCount: 20)
    case .flow, .network, .auto, .trained: nil
    }
  }

  /// Every setting that is tried, for lists of k places; empty of a method that has no parameter.
  func settings(neighborCount: Int) -> [BenchmarkSetting] {
    switch self {
    case .components: Self.distances.map { .components(distance: $0) }
    case .dbscan:
      [3, 5, 10, 20].filter { $0 <= neighborCount }.flatMap { points in
        Self.distances.map { .dbscan(radius: $0, minimumPoints: points) }
      }
    case .hdbscan:
      [1, 5, 10].filter { $0 < neighborCount }.flatMap { samples in
        [2, 3, 5, 10, 15, 20, 30, 60].map {
          .hdbscan(minimumClusterSize: $0, minimumSamples: samples)
        }
      }
    case .finch: (1...8).map { .finch(partition: $0) }
    case .averageLinkage: Self.distances.map { .averageLinkage(distance: $0) }
    case .infomap: ListLengthChoice.candidates.map { .infomap(neighborCount: $0) }
    case .flow, .network, .auto, .trained: []
    }
  }

  /// Cosine distances, each a tenth smaller than the one before: rows of any kind have their scale among them.
  private static let distances: [Double] = {
    var distance = 0.9
    return (0..<50).map { _ in
      defer { distance *= 0.9 }
      // Short enough to be typed.
      return (distance * 1e4).rounded() / 1e4
    }
  }()
}

/// The parameters of a method.
enum BenchmarkSetting: Hashable {
  case components(distance: Double)
  case dbscan(radius: Double, minimumPoints: Int)
  case hdbscan(minimumClusterSize: Int, minimumSamples: Int)
  case finch(partition: Int)
  case averageLinkage(distance: Double)
  case infomap(neighborCount: Int)

  /// By the names that reports have.
  var parameters: [String: Double] {
    switch self {
    case .components(let distance), .averageLinkage(let distance): ["distance": distance]
    case .dbscan(let radius, let points): ["eps": radius, "minPoints": Double(points)]
    case .hdbscan(let size, let samples):
      ["minClusterSize": Double(size), "minSamples": Double(samples)]
    case .finch(let partition): ["partition": Double(partition)]
    case .infomap(let neighborCount): ["k": Double(neighborCount)]
    }
  }

  /// For people.
  var text: String {
    switch self {
    case .components(let distance), .averageLinkage(let distance): "distance \(distance)"
    case .dbscan(let radius, let points): "eps \(radius), \(points) points"
    case .hdbscan(let size, let samples): "size \(size), \(samples) samples"
    case .finch(let partition): "partition \(partition)"
    case .infomap(let neighborCount): "k \(neighborCount)"
    }
  }
}
