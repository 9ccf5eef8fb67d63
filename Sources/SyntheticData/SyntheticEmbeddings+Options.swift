extension SyntheticEmbeddings {
  /// What to make. Values are checked when they are put together, and stay as they are.
  public struct Options: Equatable, Sendable {
    /// Rows of both splits together.
    public let points: Int
    /// Columns.
    public let dimensions: Int
    public let seed: UInt64
    /// The mean size of all clusters, singletons included; met within the noise of a long tail.
    public let meanClusterSize: Double
    /// The spread of the tightest and of the loosest neighbourhood of clusters. About 0.3 to 1.2
    /// is like real embeddings; larger values make clusters harder to tell apart.
    public let spread: ClosedRange<Double>
    /// The probability of a cluster to have one point.
    public let singletonShare: Double
    /// The share of the points in the test split.
    public let testShare: Double

    /// - Throws: ``InvalidOption`` for a value outside the range that its message names.
    public init(
      points: Int, dimensions: Int = 128, seed: UInt64 = 0, meanClusterSize: Double = 20,
      spread: ClosedRange<Double> = 0.3...1.2, singletonShare: Double = 0.05,
      testShare: Double = 0.5
    ) throws {
      func require(_ holds: Bool, _ option: String, _ value: Any, _ requirement: String) throws {
        if !holds {
          throw InvalidOption(option: option, value: "\(value)", requirement: requirement)
        }
      }
      try require((0...1 << 40).contains(points), "points", points, "from 0 to 2⁴⁰")
      try require((1...1 << 20).contains(dimensions), "dimensions", dimensions, "from 1 to 2²⁰")
      try require(
        (3...1e9).contains(meanClusterSize), "meanClusterSize", meanClusterSize, "from 3 to 10⁹")
      try require(
        spread.lowerBound >= 0 && spread.upperBound <= 100, "spread", spread, "from 0 to 100")
      try require(
        (0..<1).contains(singletonShare), "singletonShare", singletonShare, "from 0 to below 1")
      try require((0...1).contains(testShare), "testShare", testShare, "from 0 to 1")
      self.points = points
      self.dimensions = dimensions
      self.seed = seed
      self.meanClusterSize = meanClusterSize
      self.spread = spread
      self.singletonShare = singletonShare
      self.testShare = testShare
    }
  }

  /// An option that cannot be.
  public struct InvalidOption: Error, Equatable, CustomStringConvertible {
    public var option: String
    public var value: String
    public var requirement: String

    public var description: String { "\(option) is \(value), but must be \(requirement)" }
  }
}
