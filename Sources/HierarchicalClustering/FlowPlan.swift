public import NeighborSearch
public import Parallelism

/// What a clustering by flow will do.
///
/// Nothing is trained: edges are weighed by a random walk over lists of k places, and clusters are the modules
/// in which the walk stays long.
public struct FlowPlan: Sendable {
  /// k: places in a point's neighbour list, including the point itself. At least 2; of more than there are
  /// nodes, their number. Nil: chosen on the data,
  /// among ``ListLengthChoice/candidates``.
  public let neighborCount: Int?
  /// How neighbours are searched.
  public let search: SearchOptions
  /// What happens to rows without a direction.
  public let invalidRows: InvalidRowPolicy
  /// The threads of this rank. No result depends on them.
  public let workers: Workers

  public init(
    neighborCount: Int? = nil, search: SearchOptions = SearchOptions(),
    invalidRows: InvalidRowPolicy = .error, workers: Workers = Workers()
  ) {
    precondition(neighborCount.map { $0 > 1 } ?? true, "k = \(neighborCount ?? 0)")
    self.neighborCount = neighborCount
    self.search = search
    self.invalidRows = invalidRows
    self.workers = workers
  }

  /// Every k that is tried, of so many nodes, ascending.
  func neighborCounts(for nodeCount: Int) -> [Int] {
    if let neighborCount { return [min(neighborCount, max(nodeCount, 2))] }
    let possible = ListLengthChoice.candidates.filter { $0 <= nodeCount }
    return possible.isEmpty ? [max(nodeCount, 2)] : possible
  }

  /// Places of the lists that are searched, the point itself not included, if there are many points.
  public var longestList: Int { (neighborCount ?? ListLengthChoice.candidates.last!) - 1 }
}

/// The k by which a clustering by flow weighed edges, and how it was chosen. Replicated.
public struct ListLengthChoice: Codable, Equatable, Sendable {
  /// k, as it was given or chosen.
  public var neighborCount: Int
  /// θ: the weight below which a point's edges ended; nil for the usual 0.4.
  public var threshold: Double?
  /// The trials, ascending; empty if k was given, or if there was only one to try.
  public var trials: [ListLengthTrial]

  public init(neighborCount: Int, threshold: Double? = nil, trials: [ListLengthTrial] = []) {
    self.neighborCount = neighborCount
    self.threshold = threshold
    self.trials = trials
  }

  /// Every k that is tried, ascending.
  public static let candidates = [6, 8, 10, 15, 20, 30, 40, 60, 80, 120]

  /// The place of the trial with the highest score; of equal ones that of the smallest k.
  static func best(of trials: [ListLengthTrial]) -> Int {
    trials.indices.reduce(0) { trials[$1].score > trials[$0].score ? $1 : $0 }
  }
}

/// A k, and how good its clusters look without labels.
public struct ListLengthTrial: Codable, Equatable, Sendable {
  public var neighborCount: Int
  /// How many clusters there are, those of one point among them.
  public var clusterCount: Int
  /// The length of the code in bits. It falls with k, and does not tell which k is best.
  public var codeLength: Double
  /// S: how well they are separated, in −1 ... 1, once points that are alone have joined the nearest cluster:
  /// ``SilhouetteSample``.
  public let silhouette: Double
  /// T: how much they are like those of the k before and of the k after, the smaller of both, in 0 ... 1:
  /// ``agreement(of:and:on:)``. 0 if there is no other k.
  public let agreement: Double
  /// S + 0.2 T. The k with the highest score is taken.
  public let score: Double

  /// What T counts beside S.
  public static let agreementWeight = 0.2

  public init(
    neighborCount: Int, clusterCount: Int, codeLength: Double, silhouette: Double,
    agreement: Double
  ) {
    self.neighborCount = neighborCount
    self.clusterCount = clusterCount
    self.codeLength = codeLength
    self.silhouette = silhouette
    self.agreement = agreement
    score = silhouette + Self.agreementWeight * agreement
  }
}
