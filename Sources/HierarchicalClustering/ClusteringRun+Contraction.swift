package import Communication
package import DistributedGraphs
internal import LinearAlgebra
internal import NeighborSearch
package import Parallelism
internal import SimilarityStructure

extension ClusteringRun {
  /// Merges every node into the root of its tree: the peaks become the nodes of the next level.
  ///
  /// > Collective: over `communicator`. A fetch per node and one per point; then, unless no rows are
  /// > kept, every peak's row travels to its new owner unless means of directions take its place, and for
  /// > means the sums of members do, once per rank, cluster and 4096 rows; then what the evidence of
  /// > level 0 sends.
  ///
  /// - Parameters:
  ///   - root: Owned. The peak of every node.
  ///   - number: Replicated. The number of the new level.
  ///   - means: Replicated. Which averages coarse nodes carry; nil for no rows at all.
  ///   - source: Replicated. Read again if level 0 has given its rows away, or if means are over
  ///     rows as they are stored.
  ///   - mostSumBytes: Replicated. What sums for means may take on a rank: in place of more, columns are summed a
  ///     block of at least 16 at a time, unless rows must be read.
  package mutating func contract(
    to root: [GlobalNode], as number: Int, keeping means: NodeMeans?,
    of source: some EmbeddingSource, using workers: Workers, on communicator: some Communicator,
    mostSumBytes: Int = Self.usualSumBytes
  ) throws {
    let nodes = level.nodes
    let owned = nodes.owned(by: communicator.rank)
    let peaks = root.indices.filter { root[$0] == GlobalNode(owned.lowerBound + $0) }
    let firstCoarse = try communicator.exclusivePrefixSum(peaks.count)
    var coarseOfPeak = root
    for (place, peak) in peaks.enumerated() { coarseOfPeak[peak] = GlobalNode(firstCoarse + place) }
    let coarse = try nodes.fetch(coarseOfPeak, at: root, on: communicator)
    let groups = try level.groups?.merged(into: peaks, on: communicator)
    // Groups stay where they are.
    let coarseNodes =
      groups == nil
      ? NodePartition(sharing: try communicator.sum(peaks.count), among: communicator.size)
      : NodePartition(
        firstNode: (try communicator.gatherOne(peaks.count) + [0]).exclusivePrefixSums())

    nodeOfPoint = try nodes.fetch(coarse, at: nodeOfPoint, on: communicator)
    // Peaks leave in the order of nodes from ranks in ascending order, so they arrive in order.
    let inputPoint = try coarseNodes.deliver(
      peaks.map { level.inputPoint[$0] }, width: 1, to: peaks.map { coarse[$0] }, on: communicator
    ).rows
    var counts = Array(
      repeating: Int64(0), count: coarseNodes.owned(by: communicator.rank).count)
    try coarseNodes.scatter(level.memberCounts, to: coarse, into: &counts, on: communicator) {
      $0 += $1
    }
    let rows: NodeRows =
      if means == .peaksOnly, !level.rows.areGone {
        .peaks(
          try level.takeDirections().moved(
            peaks, to: peaks.map { coarse[$0] }, in: coarseNodes, on: communicator))
      } else {
        try means.map {
          try coarseRows(
            coarse, peaks: peaks, in: coarseNodes, groups, counts: counts, keeping: $0, of: source,
            mostSumBytes: mostSumBytes, using: workers, on: communicator)
        } ?? .none
      }
    var evidence = level.evidence
    if means == nil {
      evidence = nil
    } else if let edges = evidence?.pointEdges {
      if case .ofNodes(let scales) = evidence!.scales {
        evidence!.scales = .ofNodes(peaks.map { scales[$0] })
      }
      evidence?.pointEdges = try edges.merged(
        into: coarse, from: nodes, to: coarseNodes, using: workers, on: communicator)
    }
    level = Level(
      number: number, nodes: coarseNodes, rows: rows, memberCounts: counts,
      inputPoint: inputPoint, isInInputOrder: level.isInInputOrder, evidence: evidence,
      groups: groups)
  }

  /// What sums for means may take on a rank.
  package static let usualSumBytes = 64 << 20
  /// Rows that are summed at once, of all columns.
  static let summedRowCount = 4096

  /// The rows of the coarse nodes: the peaks' rows, moved to their new owners, and the means of the
  /// members' rows.
  private func coarseRows(
    _ coarse: [GlobalNode], peaks: [Int], in coarseNodes: NodePartition, _ groups: NodeGroups?,
    counts: [Int64], keeping means: NodeMeans, of source: some EmbeddingSource, mostSumBytes: Int,
    using workers: Workers, on communicator: some Communicator
  ) throws -> NodeRows {
    let members =
      level.rows.areGone || means == .ofInputRows && level.number == 0
      ? try membersInInput(peaks, coarse, on: communicator)
      : Members(coarse: coarse, weights: level.memberCounts, peaks: peaks, areRead: false)
    let coarseOwned = coarseNodes.owned(by: communicator.rank)
    let dimensions = source.dimensions
    let movesPeaks = means != .ofDirections
    var directions = Matrix(rows: movesPeaks ? coarseOwned.count : 0, columns: dimensions)
    let units =
      means == .peaksOnly
      ? [] : units(of: groups, valuesUpTo: means == .ofDirections ? 1 : largestValue)
    // Means of directions get their norms beside them.
    var averages = Matrix(
      rows: means == .peaksOnly ? 0 : coarseOwned.count,
      columns: dimensions + (means == .ofDirections ? 1 : 0))
    let blocks = (0..<dimensions).tiles(
      of: members.areRead
        ? max(dimensions, 1)
        : columnsAtOnce(dimensions, of: coarseNodes, mostSumBytes, on: communicator))

    // As many bytes whatever the columns.
    let tileLength = Self.summedRowCount * max(blocks.count, 1)
    let count = members.coarse.count
    let tileCount = try communicator.maximum((count + tileLength - 1) / tileLength)
    for (number, block) in blocks.enumerated() {
      var sums = FixedPointSums(
        rowCount: averages.rowCount, width: block.count,
        means == .peaksOnly ? [FixedPoint(summing: 1, valuesUpTo: 1)] : units, using: workers)
      var nextPeak = 0
      for tile in 0..<tileCount {
        let places = min(tile * tileLength, count)..<min((tile + 1) * tileLength, count)
        let firstPeak = nextPeak
        while nextPeak < members.peaks.count, members.peaks[nextPeak] < places.upperBound {
          nextPeak += 1
        }
        // The first block of columns brings the peaks.
        let tilePeaks = movesPeaks && number == 0 ? members.peaks[firstPeak..<nextPeak] : []
        let rows = try communicator.agree {
          members.areRead
            ? try inputRows(
              places, peaks: tilePeaks, of: source, using: workers, rank: communicator.rank)
            : levelRows(places, columns: block, peaks: tilePeaks)
        }
        if movesPeaks, number == 0 {
          let moved = try coarseNodes.deliver(
            rows.peakDirections.elements, width: dimensions,
            to: tilePeaks.map { members.coarse[$0] }, on: communicator)
          directions.replaceRows(
            moved.nodes.map { Int($0.index) - coarseOwned.lowerBound }, by: moved.rows)
        }
        if means != .peaksOnly {
          try sums.addMembers(
            rows.averaged, times: Array(members.weights[places]),
            of: Array(members.coarse[places]), in: coarseNodes, hasOneUnit: groups == nil,
            on: communicator)
        }
      }
      if means != .peaksOnly { sums.writeMeans(over: counts, to: &averages, at: block.lowerBound) }
    }
    return switch means {
    case .peaksOnly: .peaks(StoredRows(directions))
    case .ofInputRows: .peaksAndMeans(directions, means: averages)
    case .ofDirections: .means(StoredRows(measuring: averages, using: workers))
    }
  }

  /// How many columns are summed at once, lest the sums on a rank take more bytes than these.
  private func columnsAtOnce(
    _ dimensions: Int, of nodes: NodePartition, _ mostBytes: Int, on communicator: some Communicator
  ) -> Int {
    let most = communicator.ranks.reduce(1) { max($0, nodes.owned(by: $1).count) }
    let blocks = (8 * most * dimensions + mostBytes - 1) / max(mostBytes, 1)
    return max((dimensions + blocks - 1) / max(blocks, 1), min(16, dimensions), 1)
  }

  /// The units of sums: one for all, or one for each coarse node, that of its group alone.
  private func units(of groups: NodeGroups?, valuesUpTo largestValue: Float) -> [FixedPoint] {
    guard let groups else {
      return [FixedPoint(summing: inputCount, valuesUpTo: largestValue)]
    }
    return groups.ofNodes(
      groups.pointCounts.map { FixedPoint(summing: $0, valuesUpTo: largestValue) })
  }

  /// The owned points as members of coarse nodes, for rows that are read from the input once more.
  ///
  /// > Collective: over `communicator`. Three rounds, 9 bytes per peak.
  private func membersInInput(
    _ peaks: [Int], _ coarse: [GlobalNode], on communicator: some Communicator
  ) throws -> Members {
    precondition(
      level.number == 0 && level.nodes.nodeCount == points.nodeCount,
      "rows of level \(level.number) are gone")
    var isPeak = Array(repeating: false, count: nodeOfPoint.count)
    try points.scatter(
      Array(repeating: true, count: peaks.count), to: peaks.map { level.inputPoint[$0] },
      into: &isPeak, on: communicator
    ) { $0 = $1 }
    return Members(
      coarse: nodeOfPoint, weights: Array(repeating: 1, count: nodeOfPoint.count),
      peaks: isPeak.indices.filter { isPeak[$0] }, areRead: true)
  }

  /// Some columns of rows of this level that are averaged, and the directions of peaks.
  private func levelRows(
    _ places: Range<Int>, columns: Range<Int>, peaks: ArraySlice<Int>
  ) -> (averaged: Matrix, peakDirections: Matrix) {
    (
      level.rows.averages(ofRows: places, columns: columns),
      level.rows.directions.copy(ofRows: Array(peaks))
    )
  }

  /// Rows of some owned points as they are stored, and the directions of those that are peaks.
  private func inputRows(
    _ places: Range<Int>, peaks: ArraySlice<Int>, of source: some EmbeddingSource,
    using workers: Workers, rank: Rank
  ) throws -> (averaged: Matrix, peakDirections: Matrix) {
    let first = points.owned(by: rank).lowerBound
    let read = try source.validRows(
      first + places.lowerBound..<first + places.upperBound, using: workers)
    guard read.largestValue <= largestValue else {
      throw AgreedFailure(reason: "\(source.name): changed while it was being clustered")
    }
    var directions = read.matrix.copy(ofRows: peaks.map { $0 - places.lowerBound })
    _ = directions.normalizeRows()
    return (read.matrix, directions)
  }
}

/// What becomes part of coarse nodes: the nodes of a level, or, if their rows must be read again, points.
private struct Members {
  /// Owned. The coarse node of each.
  let coarse: [GlobalNode]
  /// Owned. How often each counts in a mean.
  let weights: [Int64]
  /// The places of those that are peaks, ascending.
  let peaks: [Int]
  /// Whether these are points, whose rows are read from the input.
  let areRead: Bool
}

extension FixedPointSums {
  /// Adds every row to the sum of its cluster: here if this rank owns the cluster, and otherwise at
  /// the owner. Rows of one cluster are added up before they travel.
  ///
  /// > Collective: over `communicator`. Three rounds; 8 bytes per column for each cluster of
  /// > another rank that occurs. Three more, 16 bytes for each, if sums have units of their own.
  ///
  /// - Parameter hasOneUnit: Replicated. Whether all sums have the same.
  fileprivate mutating func addMembers(
    _ rows: Matrix, times weights: [Int64], of clusters: [GlobalNode], in nodes: NodePartition,
    hasOneUnit: Bool, on communicator: some Communicator
  ) throws {
    let owned = nodes.owned(by: communicator.rank)
    let own = clusters.indices.filter { owned.contains(Int(clusters[$0].index)) }
    add(
      rows, own, times: own.map { weights[$0] },
      to: own.map { Int(clusters[$0].index) - owned.lowerBound })

    let away = clusters.indices.filter { !owned.contains(Int(clusters[$0].index)) }
    let names = Set(away.map { clusters[$0] }).sorted()
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    let units =
      hasOneUnit
      ? [fixedPoint(of: 0)]
      : try nodes.fetch(
        owned.indices.map { fixedPoint(of: $0 - owned.lowerBound) }, at: names, on: communicator)
    var partial = FixedPointSums(rowCount: names.count, width: rows.columnCount, units)
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
  mutating func replaceRows(_ places: [Int], by elements: [Float]) {
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
