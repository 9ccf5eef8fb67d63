package import Communication
package import DistributedGraphs
internal import GraphNetworks
package import LinearAlgebra
internal import NeighborSearch
internal import Parallelism

/// The level that clustering has reached, and where every input point is in it.
package struct Hierarchy<Source: EmbeddingSource> {
  private let source: Source
  let options: ClusteringOptions
  private let averages: Averages
  /// Replicated. The largest absolute value of the input.
  private let largestValue: Float
  /// Replicated. For sums over the members of clusters.
  private let fixedPoint: FixedPoint
  /// Who owns which input points.
  package let points: NodePartition

  /// Replicated. 0 is the input.
  package private(set) var level = 0
  /// Who owns which nodes of the level.
  package private(set) var nodes: NodePartition
  /// Owned. f: the direction of each node's peak; nil once handed over, and above level 0 where
  /// averages of directions take its place. Shape `[ownedCount × D]`.
  private var identity: Matrix?
  /// Owned. g, or u: the mean of each node's members; nil at level 0, where it is f.
  private var average: Matrix?
  /// Owned. |u| of every node; 1 of a point.
  private(set) var meanLengths: [Float]
  /// Owned. How many points each node stands for.
  package private(set) var memberCounts: [Int64]
  /// Owned. The input point that each node is.
  package private(set) var inputPoint: [GlobalNode]
  /// Owned points. Whether each has a direction: not all zeros, no NaN, nothing infinite.
  let hasDirection: [Bool]
  /// Owned points. The node of the level that each point belongs to.
  package private(set) var nodeOfPoint: [GlobalNode]

  /// Reads this rank's share of the input as level 0.
  ///
  /// > Collective: over `communicator`. Rounds of a few bytes per rank.
  package init(
    _ source: Source, options: ClusteringOptions, averages: Averages,
    on communicator: some Communicator
  ) throws {
    self.source = source
    self.options = options
    self.averages = averages
    points = NodePartition(sharing: source.rowCount, among: communicator.size)
    nodes = points
    let owned = points.owned(by: communicator.rank)
    var rows = try source.load(
      owned, invalid: options.invalidRows, asStored: averages == .ofInputRows, on: communicator)
    _ = rows.matrix.normalizeRows()
    largestValue = try communicator.maximum(rows.largestValue)
    fixedPoint = FixedPoint(
      summing: source.rowCount, valuesUpTo: averages == .ofDirections ? 1 : largestValue)
    var hasDirection = Array(repeating: true, count: owned.count)
    for point in rows.invalid { hasDirection[point - owned.lowerBound] = false }
    self.hasDirection = hasDirection
    identity = rows.matrix
    memberCounts = Array(repeating: 1, count: owned.count)
    meanLengths = Array(repeating: 1, count: owned.count)
    inputPoint = owned.map { GlobalNode($0) }
    nodeOfPoint = inputPoint
  }

  /// With means of the input rows, or with none.
  ///
  /// > Collective: over `communicator`, as the other.
  package init(
    _ source: Source, options: ClusteringOptions, needsAverages: Bool,
    on communicator: some Communicator
  ) throws {
    try self.init(
      source, options: options, averages: needsAverages ? .ofInputRows : .nothing,
      on: communicator)
  }

  /// The nearest neighbours of every owned node; at level 0 the user's, where there are any.
  ///
  /// > Collective: over `communicator`, as the search is.
  package func neighborLists(
    initial: NeighborLists?, length: Int? = nil, on communicator: some Communicator,
    progress: (Double) -> Void
  ) throws -> NeighborLists {
    if level == 0, let initial {
      return try initial.among(hasDirection, in: nodes, on: communicator)
    }
    return try nearestNeighbors(
      of: directions, listLength: length ?? options.listLength, in: nodes, using: options.workers,
      on: communicator,
      progress: progress)
  }

  var workers: Workers { options.workers }

  /// Owned. What neighbours are searched by: f, or the directions of the means. Unit rows.
  var directions: Matrix {
    guard averages == .ofDirections, var rows = average else { return identity! }
    _ = rows.normalizeRows()
    return rows
  }

  /// Owned. u of every node; at level 0 its direction.
  var meanRows: Matrix { average ?? identity! }

  /// Makes one node of points with the same direction, before level 0 is built: the first of them,
  /// which stands for all.
  ///
  /// Copies would fill each other's neighbour lists, and nothing else could be learned from these.
  ///
  /// > Collective: over `communicator`. As ``duplicateRoots(of:where:in:on:)``; where there are
  /// > duplicates, also as ``contract(to:isLast:on:)``.
  package mutating func mergeDuplicates(on communicator: some Communicator) throws {
    precondition(level == 0 && nodes == points, "duplicates are of points")
    let roots = try duplicateRoots(
      of: identity!, where: hasDirection, in: nodes, on: communicator)
    guard try communicator.any(roots != inputPoint) else { return }
    try merge(to: roots, keeping: .nothing, on: communicator)
  }

  /// The number of every owned point's cluster, and how many clusters there are.
  ///
  /// > Collective: over `communicator`, as ``numberByFirstAppearance(_:of:in:on:)``.
  package func labels(on communicator: some Communicator) throws -> (
    labels: [Int64], clusterCount: Int
  ) {
    try numberByFirstAppearance(nodeOfPoint, of: points, in: nodes, on: communicator)
  }

  /// How many nodes of all ranks stand for one point.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank.
  func singletonCount(on communicator: some Communicator) throws -> Int {
    try communicator.sum(memberCounts.count { $0 == 1 })
  }

  /// The level's features, kept: f, and g where it differs from f and averages are needed.
  package var features: (identity: Matrix, average: Matrix?) {
    guard let identity else { preconditionFailure("the features of level 0 were handed over") }
    return (identity, average)
  }

  /// What the network sees of the level.
  ///
  /// At level 0 this hands over the only reference to the rows, so that the network can give their
  /// memory back as it goes: the input can be read again.
  mutating func takeNetworkInput() -> NodeInput {
    let rows = identity!
    if level == 0 { identity = nil }
    return NodeInput(identity: rows, average: average, usesAverage: averages != .nothing)
  }

  /// Merges every node into the root of its tree: the peaks become the nodes of the next level.
  ///
  /// - Returns: Owned. The coarse node of every node.
  ///
  /// > Collective: over `communicator`. A fetch per node and one per point; then, unless this was
  /// > the last level, every peak's row travels to its new owner, and the sums of members once per
  /// > rank, cluster and 4096 rows.
  ///
  /// - Parameters:
  ///   - root: Owned. The peak of every node.
  ///   - isLast: Replicated. Whether the features of the next level are not wanted.
  @discardableResult
  package mutating func contract(
    to root: [GlobalNode], isLast: Bool, on communicator: some Communicator
  ) throws -> [GlobalNode] {
    let coarse = try merge(to: root, keeping: isLast ? nil : averages, on: communicator)
    level += 1
    return coarse
  }

  /// - Parameter kept: Replicated. Which means the coarse nodes get; nil for no features at all.
  @discardableResult
  private mutating func merge(
    to root: [GlobalNode], keeping kept: Averages?, on communicator: some Communicator
  ) throws -> [GlobalNode] {
    let owned = nodes.owned(by: communicator.rank)
    let peaks = root.indices.filter { root[$0] == GlobalNode(owned.lowerBound + $0) }
    let firstCoarse = try communicator.exclusivePrefixSum(peaks.count)
    var coarseOfPeak = root
    for (place, peak) in peaks.enumerated() { coarseOfPeak[peak] = GlobalNode(firstCoarse + place) }
    let coarse = try nodes.fetch(coarseOfPeak, at: root, on: communicator)
    let coarseNodes = NodePartition(
      sharing: try communicator.sum(peaks.count), among: communicator.size)

    nodeOfPoint = try nodes.fetch(coarse, at: nodeOfPoint, on: communicator)
    let peakNames = peaks.map { coarse[$0] }
    let coarsePoints = try coarseNodes.deliver(
      peaks.map { inputPoint[$0] }, width: 1, to: peakNames, on: communicator)
    var coarseCounts = Array(
      repeating: Int64(0), count: coarseNodes.owned(by: communicator.rank).count)
    try coarseNodes.scatter(memberCounts, to: coarse, into: &coarseCounts, on: communicator) {
      $0 += $1
    }
    if let kept {
      try coarsenFeatures(
        coarse, peaks: peaks, into: coarseNodes, counts: coarseCounts, keeping: kept,
        on: communicator)
    }
    memberCounts = coarseCounts
    // Peaks leave in ascending order from ranks in ascending order, so they arrive in order.
    inputPoint = coarsePoints.rows
    nodes = coarseNodes
    return coarse
  }

  /// Moves the peaks' rows to their new owners and averages the members' rows there.
  private mutating func coarsenFeatures(
    _ coarse: [GlobalNode], peaks: [Int], into coarseNodes: NodePartition,
    counts coarseCounts: [Int64], keeping kept: Averages, on communicator: some Communicator
  ) throws {
    let owned = nodes.owned(by: communicator.rank)
    let coarseOwned = coarseNodes.owned(by: communicator.rank)
    let dimensions = source.dimensions
    let movesPeaks = kept != .ofDirections
    var newIdentity = Matrix(
      rows: movesPeaks ? coarseOwned.count : 0, columns: dimensions)
    var sums = FixedPointSums(
      rowCount: kept == .nothing ? 0 : coarseOwned.count, width: dimensions, fixedPoint)

    let tileLength = 4096
    let tileCount = try communicator.maximum((owned.count + tileLength - 1) / tileLength)
    var nextPeak = 0
    for tile in 0..<tileCount {
      let places = min(tile * tileLength, owned.count)..<min((tile + 1) * tileLength, owned.count)
      let firstPeak = nextPeak
      while nextPeak < peaks.count, peaks[nextPeak] < places.upperBound { nextPeak += 1 }
      let tilePeaks = movesPeaks ? peaks[firstPeak..<nextPeak] : []
      let rows = try communicator.agree {
        try self.rows(places, peaks: tilePeaks, of: owned, keeping: kept)
      }
      if movesPeaks {
        let moved = try coarseNodes.deliver(
          rows.peakDirections.elements, width: dimensions, to: tilePeaks.map { coarse[$0] },
          on: communicator)
        newIdentity.replaceRows(
          moved.nodes.map { Int($0.index) - coarseOwned.lowerBound }, by: moved.rows)
      }
      if let members = rows.members {  // on all ranks or on none
        try sums.addMembers(
          members, times: Array(memberCounts[places]), of: Array(coarse[places]),
          in: coarseNodes, on: communicator)
      }
    }
    identity = movesPeaks ? newIdentity : nil
    average = kept == .nothing ? nil : sums.means(over: coarseCounts)
    meanLengths = Array(repeating: 1, count: coarseOwned.count)
    if kept == .ofDirections, var rows = average { meanLengths = rows.normalizeRows() }
  }

  /// The rows of some owned nodes that are averaged, nil where nothing is, and the directions of
  /// those that are peaks; read from the input again where the network has consumed them.
  private func rows(
    _ places: Range<Int>, peaks: ArraySlice<Int>, of owned: Range<Int>, keeping kept: Averages
  ) throws -> (members: Matrix?, peakDirections: Matrix) {
    if level > 0 || averages == .ofDirections {
      let members = average ?? (kept == .ofDirections ? identity : nil)
      return (
        kept == .nothing ? nil : members?.copy(ofRows: Array(places)),
        identity?.copy(ofRows: Array(peaks)) ?? Matrix(rows: 0, columns: source.dimensions)
      )
    }
    let input = owned.lowerBound + places.lowerBound..<owned.lowerBound + places.upperBound
    let rows = try source.validRows(input)
    guard rows.largestValue <= largestValue else {
      throw AgreedFailure(reason: "\(source.name): changed while it was being clustered")
    }
    var directions = rows.matrix.copy(ofRows: peaks.map { $0 - places.lowerBound })
    _ = directions.normalizeRows()
    return (kept == .nothing ? nil : rows.matrix, directions)
  }
}

/// Which means of the members the nodes of a level carry.
package enum Averages: Equatable, Sendable {
  case nothing
  /// Of rows as they are stored, beside the peak's direction: the average feature of coordinates.
  case ofInputRows
  /// Of directions, in place of the peak's: what average linkage is about.
  case ofDirections
}

extension FixedPointSums {
  /// Adds every row to the sum of its cluster: here if this rank owns the cluster; at the owner
  /// otherwise, rows of one cluster added up before they travel.
  ///
  /// > Collective: over `communicator`. Three rounds; 8 bytes per column for each cluster of
  /// > another rank that occurs.
  fileprivate mutating func addMembers(
    _ rows: Matrix, times weights: [Int64], of clusters: [GlobalNode], in nodes: NodePartition,
    on communicator: some Communicator
  ) throws {
    let owned = nodes.owned(by: communicator.rank)
    let own = clusters.indices.filter { owned.contains(Int(clusters[$0].index)) }
    add(
      rows, own, times: own.map { weights[$0] },
      to: own.map { Int(clusters[$0].index) - owned.lowerBound })

    let away = clusters.indices.filter { !owned.contains(Int(clusters[$0].index)) }
    let names = Set(away.map { clusters[$0] }).sorted()
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    var partial = FixedPointSums(rowCount: names.count, width: rows.columnCount, fixedPoint)
    partial.add(
      rows, away, times: away.map { weights[$0] }, to: away.map { places[clusters[$0]]! })
    let arrived = try nodes.deliver(
      partial.sums, width: rows.columnCount, to: names, on: communicator)
    add(arrived.rows, to: arrived.nodes.map { Int($0.index) - owned.lowerBound })
  }
}

extension Matrix {
  /// Overwrites some rows.
  ///
  /// - Parameter elements: One row for each of `places`, row after row.
  fileprivate mutating func replaceRows(_ places: [Int], by elements: [Float]) {
    precondition(
      elements.count == places.count * columnCount
        && places.allSatisfy { $0 >= 0 && $0 < rowCount }, "rows past the end")
    let width = columnCount
    unsafe withUnsafeMutableBufferPointer { target in
      for (source, place) in places.enumerated() {
        for column in 0..<width {
          unsafe target[place * width + column] = elements[source * width + column]
        }
      }
    }
  }
}
