import HierarchicalClustering

/// What it takes to compare all pairs of a set three times, as average linkage does, more or less.
struct PairWork {
  private let name: String
  private let flops: Double

  init(of source: some EmbeddingSource) {
    name = "\(source.name), \(source.rowCount) × \(source.dimensions),"
    flops = 6 * Double(source.rowCount) * Double(source.rowCount) * Double(source.dimensions)
  }

  /// In hours of a processor of 50 Gflop/s.
  private var processorHours: Double { flops / 50e9 / 3600 }

  /// Whether a method may do so: for an hour at most.
  var isBearable: Bool { processorHours <= 1 }

  /// For people.
  var account: String {
    "average-linkage compares all pairs of \(name) some times, about "
      + "\(Int(processorHours.rounded(.up))) hours of a processor"
  }
}
