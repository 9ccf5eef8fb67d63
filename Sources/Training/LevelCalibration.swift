public import Evaluation

/// How right the probabilities of a network are at every level, on points that were clustered.
public struct LevelCalibration: Codable, Equatable, Sendable {
  /// Whether the edges are those into nodes of identities that were not learned from; otherwise of those that were.
  public let isOfHeldOut: Bool
  /// From level 0 on, over all sets.
  public let levels: [ProbabilityCalibration]

  /// - Parameter sets: The levels of each set.
  package init(isOfHeldOut: Bool, ofSets sets: [[ProbabilityCalibration]]) {
    self.isOfHeldOut = isOfHeldOut
    levels = (0..<(sets.map(\.count).max() ?? 0)).map { level in
      sets.filter { $0.count > level }.reduce(ProbabilityCalibration()) { $0 + $1[level] }
    }
  }
}
