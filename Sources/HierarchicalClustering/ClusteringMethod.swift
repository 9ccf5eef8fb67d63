/// What clusters.
public enum ClusteringMethod: String, CaseIterable, Codable, Sendable {
  case flow, network
  /// Both; the one whose clusters are separated better is taken.
  case auto

  /// Points up to which both methods are tried unless one is asked for: the long lists of flow take some
  /// 13 KB a point.
  public static let mostPointsForBoth = 200_000

  /// What is done with so many points where nobody asks for a method.
  ///
  /// - Parameters:
  ///   - hasNetworkOptions: Whether there is an option that only networks have.
  ///   - hasNeighborCount: Whether k is given, which is of one method.
  public static func usual(
    for pointCount: Int, hasNetworkOptions: Bool, hasNeighborCount: Bool
  ) -> ClusteringMethod {
    if hasNetworkOptions { return .network }
    if hasNeighborCount { return .flow }
    return pointCount <= mostPointsForBoth ? .auto : .network
  }
}
