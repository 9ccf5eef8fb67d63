/// The data of a level from which features of structure are computed.
public struct StructureLevel: Sendable {
  /// Replicated. 0 is the input.
  public var level: Int
  /// Owned. s: how many points each node stands for. Shape `[ownedCount]`.
  public var memberCounts: [Int64]
  /// Owned. |u|: the length of the mean of the members' directions. Shape `[ownedCount]`.
  public var meanLengths: [Float]
  /// Owned. The edges between members at level 0.
  public var pointEdges: PointEdges
  /// Measured at level 0.
  public var scales: ClosenessScales

  public init(
    level: Int, memberCounts: [Int64], meanLengths: [Float], pointEdges: PointEdges,
    scales: ClosenessScales
  ) {
    precondition(
      memberCounts.count == meanLengths.count,
      "\(memberCounts.count) counts, \(meanLengths.count) lengths")
    self.level = level
    self.memberCounts = memberCounts
    self.meanLengths = meanLengths
    self.pointEdges = pointEdges
    self.scales = scales
  }

  /// A level whose nodes have all the same scale.
  ///
  /// - Parameter scale: Replicated.
  public init(
    level: Int, memberCounts: [Int64], meanLengths: [Float], pointEdges: PointEdges,
    scale: ClosenessScale
  ) {
    self.init(
      level: level, memberCounts: memberCounts, meanLengths: meanLengths, pointEdges: pointEdges,
      scales: .ofAll(scale))
  }
}
