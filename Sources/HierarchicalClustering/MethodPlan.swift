public import Communication

/// What clusters: flow, a network, or both, of which the one is taken that separates clusters better.
public enum MethodPlan: Sendable {
  case flow(FlowPlan)
  case network(ClusteringPlan<LinkageModel>)
  case both(ComparingPlan)

  /// The plan of each method that takes part.
  ///
  /// - Precondition: There is one.
  public init(flow: FlowPlan?, network: ClusteringPlan<LinkageModel>?) {
    switch (flow, network) {
    case (let flow?, let network?): self = .both(ComparingPlan(flow: flow, network: network))
    case (let flow?, nil): self = .flow(flow)
    case (nil, let network?): self = .network(network)
    case (nil, nil): preconditionFailure("no method")
    }
  }

  /// Nil if only a network clusters.
  public var flow: FlowPlan? {
    switch self {
    case .flow(let plan): plan
    case .network: nil
    case .both(let plans): plans.flow
    }
  }

  /// Nil if only flow clusters.
  public var network: ClusteringPlan<LinkageModel>? {
    switch self {
    case .flow: nil
    case .network(let plan): plan
    case .both(let plans): plans.network
    }
  }
}

/// Clusters embeddings by flow, by a network, or by both.
///
/// > Collective: over `communicator`, as the methods that take part.
///
/// - Parameter source: Replicated. The embeddings; every rank reads only its own rows.
/// - Throws: ``AgreedFailure`` on every rank if there is an error in the input.
public func cluster(
  _ source: some EmbeddingSource, by plan: MethodPlan,
  observer: some ClusteringObserver = NoObserver(), on communicator: some Communicator
) throws -> Clustering {
  switch plan {
  case .flow(let plan): try cluster(source, by: plan, observer: observer, on: communicator)
  case .network(let plan): try cluster(source, by: plan, observer: observer, on: communicator)
  case .both(let plans): try cluster(source, by: plans, observer: observer, on: communicator)
  }
}
