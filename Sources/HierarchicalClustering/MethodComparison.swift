/// Clustering by flow and by a network, whichever separates the clusters of the data at hand better.
public struct ComparingPlan: Sendable {
  public let flow: FlowPlan
  public let network: ClusteringPlan<LinkageModel>

  /// - Precondition: The network is one of structure, and searches neighbours as flow does.
  public init(flow: FlowPlan, network: ClusteringPlan<LinkageModel>) {
    precondition(
      network.judge.means == .ofDirections && network.mergesCopies,
      "flow is compared with a network of structure whose neighbours are searched")
    self.flow = flow
    self.network = network
  }
}

/// How flow and a network separate clusters. Replicated.
public struct MethodComparison: Codable, Equatable, Sendable {
  /// The scores of both, as ``ListLengthTrial/silhouette``.
  public var flow: Double
  public var network: Double

  /// How much better the network must separate clusters to be preferred.
  ///
  /// Where both do about as well, flow was nearer to the truth on sets that did not decide anything else
  /// here; where flow fails, because identities have two points or three, the scores lie far apart.
  public static let margin = 0.05

  public var prefersNetwork: Bool { network > flow + Self.margin }
}
