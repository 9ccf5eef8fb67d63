public import Parallelism

/// How to cluster: the parameters of the method.
public struct ClusteringOptions: Sendable {
  /// k: places of a point's neighbour list, the point itself included. At least 1.
  public let neighborCount: Int
  /// τ: a linkage must be more probable than this to merge. In 0 ... 1.
  public let threshold: Double
  /// τ of the levels after level 0. In 0 ... 1.
  public let laterThreshold: Double
  /// The loop ends after this many levels. At least 1.
  public let maximumLevels: Int
  /// Whether to stop once merges no longer fall by a factor of k − 1 from level to level.
  public let stopsEarly: Bool
  public let invalidRows: InvalidRowPolicy
  public let workers: Workers

  public init(
    neighborCount: Int = 10, threshold: Double = 0.8, laterThreshold: Double? = nil,
    maximumLevels: Int = 10,
    stopsEarly: Bool = false, invalidRows: InvalidRowPolicy = .error, workers: Workers = Workers()
  ) {
    precondition(neighborCount > 0, "k = \(neighborCount)")
    precondition((0...1).contains(threshold), "τ = \(threshold)")
    precondition(
      laterThreshold.map { (0...1).contains($0) } ?? true, "τ = \(laterThreshold ?? 0) later")
    precondition(maximumLevels > 0, "\(maximumLevels) levels")
    self.neighborCount = neighborCount
    self.threshold = threshold
    self.laterThreshold = laterThreshold ?? threshold
    self.maximumLevels = maximumLevels
    self.stopsEarly = stopsEarly
    self.invalidRows = invalidRows
    self.workers = workers
  }

  /// τ of a level.
  public func threshold(ofLevel level: Int) -> Double { level == 0 ? threshold : laterThreshold }

  /// Neighbours in a list, the point itself not counted.
  public var listLength: Int { neighborCount - 1 }
}
