package import Communication
package import DistributedGraphs
internal import GraphNetworks

/// The thresholds of a run, and how they were chosen. Replicated.
public struct ThresholdChoice: Codable, Equatable, Sendable {
  /// The thresholds that the run used.
  public var thresholds: Thresholds
  /// The trials, ascending; empty if thresholds were given.
  public var trials: [SilhouetteTrial] = []
  /// The threshold above which 96 % of the nodes of level 0 with denser neighbours merge with one, or
  /// 0.6 if that is less; nil if thresholds were given.
  public var deciding: Double?
  /// How far the points are from those that the network learned from, in standard deviations of these:
  /// ``GraphNetworks/Linkage/strangeness``.
  public var strangeness: Double?

  /// Most data have less: with the built-in model 0.25 to 0.86 other identities of four kinds that it learned from,
  /// 0.33 to 0.61 kinds that it has not seen (faces, speakers, descriptors), noise 1.6.
  public static let familiarStrangeness = 1.0

  /// The threshold that separates clusters best.
  public var bestSeparating: Double? {
    trials.max { $0.silhouette < $1.silhouette }?.threshold
  }
}

extension ThresholdChoice {
  /// Whether the last two trials were no better than the best before them.
  fileprivate var isPastTheBest: Bool {
    guard trials.count > 2 else { return false }
    let before = trials.dropLast(2).map(\.silhouette).max()!
    return trials.suffix(2).allSatisfy { $0.silhouette <= before }
  }
}

/// A threshold, and how well it separates clusters.
public struct SilhouetteTrial: Codable, Equatable, Sendable {
  /// τ of level 0.
  public var threshold: Double
  /// How many clusters the run above it ended with.
  public var clusterCount: Int
  /// Their silhouette, in −1 ... 1.
  public var silhouette: Double
}

/// The thresholds that are tried on data without labels, ascending.
public let silhouetteThresholds = [
  0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98,
]

extension ClusteringRun {
  /// Takes the thresholds of a plan: given, or chosen on the data without labels.
  ///
  /// On a kind of data that a network has not seen, the order of its probabilities is more or less
  /// right, but their values are not. So this takes the threshold that separates clusters best. If
  /// identities are close to each other, a silhouette alone prefers to merge them and leaves too few
  /// clusters. Hence thresholds are tried upwards from the last of ``silhouetteThresholds`` that is not above
  /// ``ThresholdChoice/deciding``, until two in a row are no better, and the best of them is raised to
  /// `deciding` if it is below. Of no more than k nodes, 0 and all of these are tried. Of fewer than 25
  /// nodes, 4 % are less than a node: 0 and all thresholds that differ in a merge are tried.
  ///
  /// > Collective: over `communicator`. Nothing if thresholds are given; otherwise for every trial
  /// > what clustering from level 0's linkage on and ``Level/silhouette(of:over:using:on:)`` send.
  ///
  /// - Parameter edges: Of level 0; nil if the run has ended with it.
  /// - Complexity: One pass over the later levels for each trial.
  mutating func chooseThresholds(
    along edges: JudgedEdges?, of source: some EmbeddingSource,
    by plan: ClusteringPlan<some LinkageJudge>,
    measuredBy clock: PhaseClock<some Communicator, some ClusteringObserver>,
    on communicator: some Communicator
  ) throws -> ThresholdChoice {
    switch plan.thresholds {
    case .ofEachRun: preconditionFailure("thresholds come with each run")
    case .given(let given):
      thresholds = given
      return ThresholdChoice(thresholds: given, strangeness: edges?.linkage.strangeness)
    case .withoutLabels(let later):
      var choice = ThresholdChoice(
        thresholds: Thresholds(0), deciding: 0, strangeness: edges?.linkage.strangeness)
      // Of so few nodes 4 % are less than one: every merge is tried, and the best trial is the answer.
      let triesEveryMerge = level.nodes.nodeCount <= 24
      if let edges {
        try clock.measure(.thresholds) { progress in
          let deciding = min(
            try edges.decidingProbability(below: 0.04, named: level.names, on: communicator), 0.6)
          choice.deciding = deciding
          // Networks learn from larger graphs than tiny ones, whose probabilities may all be low or
          // high. There all trials cost nothing, and silhouettes of a few nodes rise and fall.
          let isTiny = triesEveryMerge || level.nodes.nodeCount <= plan.neighborCount
          let candidates =
            triesEveryMerge
            ? [0]
              + Set(try edges.decidingProbabilities(named: level.names, on: communicator)).sorted()
            : ((isTiny ? [0] : []) + silhouetteThresholds).drop(from: deciding)
          let plan = plan.ofTrials
          for threshold in candidates {
            choice.trials.append(
              try trial(
                Thresholds(threshold, later: later), along: edges, of: source, by: plan,
                on: communicator))
            try progress(Double(choice.trials.count) / Double(candidates.count))
            if !isTiny, choice.isPastTheBest { break }
          }
        }
      }
      let floor = triesEveryMerge ? 0 : choice.deciding ?? 0
      let threshold = plan.granularity.moved(max(choice.bestSeparating ?? 0, floor))
      choice.thresholds = Thresholds(threshold, later: later)
      thresholds = choice.thresholds
      return choice
    }
  }

  /// The result of the run above some thresholds; the run itself does not change. It ends before levels in
  /// which 20,000 nodes or more hardly merge.
  ///
  /// > Collective: over `communicator`.
  func trial(
    _ thresholds: Thresholds, along edges: JudgedEdges, of source: some EmbeddingSource,
    by plan: ClusteringPlan<some LinkageJudge>, on communicator: some Communicator
  ) throws -> SilhouetteTrial {
    let communicator = CountingCommunicator(communicator)
    var run = self
    run.thresholds = thresholds
    run.truth = nil
    try run.finish(
      along: edges, of: source, by: plan.asTrial, keepingRows: true,
      measuredBy: PhaseClock(communicator, NoObserver()), on: communicator)
    return SilhouetteTrial(
      threshold: thresholds.first, clusterCount: run.level.nodes.nodeCount,
      silhouette: try level.silhouette(
        of: run, over: edges.graph, using: plan.workers, on: communicator))
  }
}

extension JudgedEdges {
  /// Into how many steps probabilities are counted.
  static let probabilityBinCount = 10_000

  /// A quantile of the probabilities that decide level 0: for every node with denser neighbours, the p of
  /// the most probable of these.
  ///
  /// Counted in 10,000 bins: the same bits on any number of ranks.
  ///
  /// > Collective: over `communicator`. As ``DensityOrder``, and a round of 80 kB per rank.
  ///
  /// - Parameters:
  ///   - share: Replicated. How many of the nodes are below.
  ///   - names: Owned. As of ``bestDenserNeighbor(_:above:in:breakingTies:named:on:)``.
  /// - Returns: The upper end of the bin, or the lower one where the share is less than one node; 0 if
  ///   no node has a denser neighbour.
  package func decidingProbability(
    below share: Double, named names: [GlobalNode]? = nil, on communicator: some Communicator
  ) throws -> Double {
    let binCount = Self.probabilityBinCount
    var bins = Array(repeating: 0.0, count: binCount)
    for probability in try ownedDecidingProbabilities(named: names, on: communicator) {
      bins[min(max(Int(probability * Double(binCount)), 0), binCount - 1)] += 1
    }
    let counts = try communicator.sums(bins)
    let all = counts.reduce(0, +)
    var below = 0.0
    for (bin, count) in counts.enumerated() where all > 0 {
      below += count
      guard below >= share * all else { continue }
      // The nodes of the bin are left out, unless not even one may be.
      return Double(share * all < 1 ? bin : bin + 1) / Double(binCount)
    }
    return 0
  }

  /// The probabilities that decide level 0, of the nodes of all ranks: for small levels.
  ///
  /// > Collective: over `communicator`. As ``DensityOrder``, and a round of 8 bytes per node to every rank.
  func decidingProbabilities(
    named names: [GlobalNode]?, on communicator: some Communicator
  ) throws -> [Double] {
    try communicator.allGather(ownedDecidingProbabilities(named: names, on: communicator)).values
  }

  /// The p of the most probable denser neighbour of every owned node that has one.
  private func ownedDecidingProbabilities(
    named names: [GlobalNode]?, on communicator: some Communicator
  ) throws -> [Double] {
    let order = try DensityOrder(
      of: linkage, over: graph, breakingTies: true, named: names, on: communicator)
    return (0..<graph.ownedCount).compactMap { node in
      order.edges(into: node, of: graph).map { linkage.distance[$0] }.min()
        .map { Double(1 - $0) }
    }
  }
}

extension [Double] {
  /// Those from the last that is no larger than a bound.
  fileprivate func drop(from bound: Double) -> ArraySlice<Double> {
    self[(lastIndex { $0 <= bound } ?? startIndex)...]
  }
}
