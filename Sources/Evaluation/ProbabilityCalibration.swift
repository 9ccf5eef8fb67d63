package import Communication

/// How right probabilities are: of the edges with a p in the same bin, the mean p beside the share that are true.
///
/// Bins are equal parts of 0 ... 1; each includes its lower edge, the last one both. Sums are of integers, so they have the
/// same bits in any order and on any number of ranks.
public struct ProbabilityCalibration: Equatable, Sendable {
  /// ``binCount`` of them, ascending.
  public private(set) var bins: [Bin]

  public static let binCount = 20

  /// The edges with a p in one part of 0 ... 1.
  public struct Bin: Equatable, Sendable {
    public internal(set) var edgeCount = 0
    public internal(set) var trueCount = 0
    /// Σ p, in units of 2⁻²⁴.
    var sum: Int64 = 0

    /// Nil without edges.
    public var meanProbability: Double? {
      edgeCount == 0 ? nil : Double(sum) / (Double(edgeCount) * Self.one)
    }
    /// Nil without edges.
    public var shareTrue: Double? {
      edgeCount == 0 ? nil : Double(trueCount) / Double(edgeCount)
    }

    /// A p of 1 in units of the sum.
    static let one = Double(1 << 24)
  }

  /// Of no edges.
  public init() { bins = Array(repeating: Bin(), count: Self.binCount) }

  init(bins: [Bin]) { self.bins = bins }
}

extension ProbabilityCalibration {
  /// Counts an edge.
  ///
  /// - Parameter p: What is below 0 or no number counts as 0, what is above 1 as 1.
  public mutating func count(_ p: Float, isTrue: Bool) {
    let p = p > 0 ? min(Double(p), 1) : 0
    let bin = min(Int(p * Double(Self.binCount)), Self.binCount - 1)
    bins[bin].edgeCount += 1
    bins[bin].trueCount += isTrue ? 1 : 0
    bins[bin].sum += Int64((p * Bin.one).rounded())
  }

  /// Over the edges of both.
  public static func + (a: Self, b: Self) -> Self {
    Self(
      bins: zip(a.bins, b.bins).map {
        Bin(
          edgeCount: $0.edgeCount + $1.edgeCount, trueCount: $0.trueCount + $1.trueCount,
          sum: $0.sum + $1.sum)
      })
  }

  /// Over the edges of all ranks.
  ///
  /// > Collective: over `communicator`, as `sums` of 60 numbers.
  package func summed(on communicator: some Communicator) throws -> Self {
    let sums = try communicator.sums(
      bins.flatMap { [Int64($0.edgeCount), Int64($0.trueCount), $0.sum] })
    return Self(
      bins: stride(from: 0, to: sums.count, by: 3).map {
        Bin(edgeCount: Int(sums[$0]), trueCount: Int(sums[$0 + 1]), sum: sums[$0 + 2])
      })
  }

  public var edgeCount: Int { bins.reduce(0) { $0 + $1.edgeCount } }
  public var trueCount: Int { bins.reduce(0) { $0 + $1.trueCount } }

  /// Nil without edges.
  public var shareTrue: Double? {
    edgeCount == 0 ? nil : Double(trueCount) / Double(edgeCount)
  }

  /// Nil without edges.
  public var meanProbability: Double? {
    edgeCount == 0
      ? nil : Double(bins.reduce(0) { $0 + $1.sum }) / (Double(edgeCount) * Bin.one)
  }

  /// How far p is from the share of true edges, as the mean over edges of what their bins are off.
  ///
  ///     Σ_b n_b / N · | mean p of b − share of b that is true |           [Naeini et al. 2015]
  ///
  /// - Returns: In 0 ... 1; nil without edges.
  public var expectedCalibrationError: Double? {
    guard edgeCount > 0 else { return nil }
    let off = bins.reduce(0) { $0 + abs($1.sum - Int64($1.trueCount) << 24) }
    return Double(off) / (Double(edgeCount) * Bin.one)
  }
}
