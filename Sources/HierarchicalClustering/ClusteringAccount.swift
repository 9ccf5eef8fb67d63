/// What was asked for, and what was chosen on the data: `parameters` of a report. Replicated.
public struct ClusteringAccount: Codable, Sendable {
  /// Which method spoke.
  public var method: ClusteringMethod
  /// How flow and a network compared, where that decided.
  public var comparison: MethodComparison?
  public var k: Int
  public var invalidRows: String
  // Of networks.
  public var model: String?
  public var tau: Double?
  /// τ of the levels after level 0.
  public var tauLater: Double?
  /// γ, if level 0 merged by modules; τ is that of new points then.
  public var resolution: Double?
  public var maximumLevels: Int?
  public var earlyStop: Bool?
  /// `given`: by the options or the model; `withoutLabels`: chosen on the data.
  public var tauRule: String?
  public var granularity: Granularity?
  /// Whether points with the same direction were one node from the start.
  public var mergesCopies: Bool
  /// What τ was chosen by, where it was chosen without labels.
  public var tauTrials: [SilhouetteTrial]?
  public var tauDeciding: Double?
  /// How far the points are from those that the network learned from, in standard deviations.
  public var strangeness: Double?
  // Of flow.
  /// `given`, `allPoints`: there are fewer points than were given, or `withoutLabels`: chosen on the data.
  public var kRule: String?
  /// θ, where it was less than the usual.
  public var theta: Double?
  /// What k was chosen by, where it was chosen.
  public var kTrials: [ListLengthTrial]?
  // What only the program knows.
  /// The name of the input.
  public var features: String?
  /// The name of what its rows were transformed by.
  public var transform: String?
  /// Why that method, where neither an option named it nor a comparison decided.
  public var methodReason: String?
  /// The names of given lists.
  public var neighbors: String?
  public var similarities: String?

  /// - Parameter model: The network, if there is one.
  public init(of clustering: Clustering, by plan: MethodPlan, with model: TrainedModel?) {
    comparison = clustering.comparison
    switch clustering.choice {
    case .listLength(let choice):
      let plan = plan.flow!
      method = .flow
      k = choice.neighborCount
      invalidRows = plan.invalidRows.rawValue
      mergesCopies = true
      kRule = plan.neighborCount.map { $0 == k ? "given" : "allPoints" } ?? "withoutLabels"
      theta = choice.threshold
      kTrials = choice.trials.isEmpty ? nil : choice.trials
    case .thresholds(let choice):
      let plan = plan.network!
      method = .network
      self.model = model?.name
      transform = model?.transform == nil ? nil : model?.name
      k = plan.neighborCount
      tau = choice.thresholds.first
      tauLater = choice.thresholds.later
      resolution = choice.thresholds.resolution
      maximumLevels = plan.maximumLevels
      earlyStop = plan.stopsEarly
      invalidRows = plan.invalidRows.rawValue
      tauRule = choice.deciding == nil ? "given" : "withoutLabels"
      granularity = plan.granularity
      mergesCopies = plan.mergesCopies
      tauTrials = choice.trials.isEmpty ? nil : choice.trials
      tauDeciding = choice.deciding
      // A network that learned from rows as they were has seen no transformed ones.
      strangeness = model?.transform == nil ? choice.strangeness : nil
    }
  }
}
