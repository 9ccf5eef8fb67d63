public import Communication
public import GraphNetworks
public import LinearAlgebra
public import NeighborSearch

/// What is to be run, as far as its cost depends on it: sizes and options without any data.
public struct ClusteringJob: Sendable {
  /// N and D.
  public var pointCount: Int
  public var columnCount: Int
  /// How rows are stored.
  public var element: StoredElement
  /// The ranks, and the threads of each.
  public var ranks: ExpectedRanks
  public var threadCount: Int
  public var search: SearchOptions
  public var goal: Goal
  /// Places of a list, the point itself included.
  public var neighborCount: Int

  /// What is done with the neighbours.
  public enum Goal: Sendable {
    /// They are written: `highland knn`.
    case neighbors
    /// A network of structure clusters: `highland cluster --method network`.
    case network(StructureNetwork, NetworkGoal)
  }

  /// How a network clusters.
  public struct NetworkGoal: Sendable {
    /// Whether τ is chosen on the data, by trials.
    public var choosesThreshold: Bool
    /// Whether nodes near each other get the same owner.
    public var movesNodes: Bool
    public var maximumLevels: Int

    public init(choosesThreshold: Bool = true, movesNodes: Bool = true, maximumLevels: Int = 10) {
      precondition(maximumLevels > 0, "\(maximumLevels) levels")
      self.choosesThreshold = choosesThreshold
      self.movesNodes = movesNodes
      self.maximumLevels = maximumLevels
    }
  }

  /// - Precondition: At least a point, a column, a thread and two places.
  public init(
    _ goal: Goal, pointCount: Int, columnCount: Int, element: StoredElement, ranks: ExpectedRanks,
    threadCount: Int, neighborCount: Int, search: SearchOptions = SearchOptions()
  ) {
    precondition(
      pointCount > 0 && columnCount > 0 && threadCount > 0 && neighborCount > 1,
      "[\(pointCount) × \(columnCount)], \(threadCount) threads, k = \(neighborCount)")
    self.goal = goal
    self.pointCount = pointCount
    self.columnCount = columnCount
    self.element = element
    self.ranks = ranks
    self.threadCount = threadCount
    self.neighborCount = neighborCount
    self.search = search
  }

  /// Nil where neighbours are only written.
  var network: (model: StructureNetwork, goal: NetworkGoal)? {
    if case .network(let model, let goal) = goal { (model, goal) } else { nil }
  }

  /// Places in the lists that are searched.
  var listLength: Int { network?.model.settings.contextLength ?? neighborCount - 1 }

  /// The search of a level of so many nodes, on the rank with the most.
  func searchShape(nodeCount: Int, level: Int) -> SearchMemory {
    SearchMemory(
      rowCount: (nodeCount + ranks.count - 1) / ranks.count, nodeCount: nodeCount,
      columnCount: columnCount, element: level == 0 ? element : .float32WithNorm,
      listLength: listLength, rankCount: ranks.count)
  }
}

/// What a run's cost depends on and only the data tell. The defaults are of what `highland generate` makes.
public struct ExpectedData: Equatable, Sendable {
  /// Of the nodes of level 0, 1, … those that stay apart, as a share. The level after the last one merges nothing.
  public var sharesApart: [Double]
  /// Of the edges of level 0 those between ranks, as a share, by that of ranks that own nodes by chance.
  public var cutByChance: Double
  /// How many thresholds are tried, if τ is chosen on the data.
  public var trialCount: Int
  /// Whether neighbourhoods at level 0 have so many dimensions that a few cells hold few of the neighbours. Nodes of later
  /// levels lie apart, and are always taken to be so.
  public var isDiffuse: Bool
  /// Partitions of an approximate search at level 0; nil for two, or for diffuse data what their recall takes.
  public var partitionCount: Int?

  public init(
    sharesApart: [Double] = [0.08, 0.65], cutByChance: Double = 0.03, trialCount: Int = 3,
    isDiffuse: Bool = false, partitionCount: Int? = nil
  ) {
    precondition(
      sharesApart.allSatisfy { $0 > 0 && $0 <= 1 } && (0...1).contains(cutByChance)
        && trialCount >= 0, "\(sharesApart), \(cutByChance), \(trialCount) trials")
    self.sharesApart = sharesApart
    self.cutByChance = cutByChance
    self.trialCount = trialCount
    self.isDiffuse = isDiffuse
    self.partitionCount = partitionCount
  }

  /// How many nodes every level has, if it begins with so many.
  func nodeCounts(from pointCount: Int, fewNodes: Int, maximumLevels: Int) -> [Int] {
    var counts = [pointCount]
    for share in sharesApart where counts.count < maximumLevels {
      let next = max(1, Int((Double(counts.last!) * share).rounded()))
      guard next > fewNodes else { break }
      counts.append(next)
    }
    return counts
  }
}
