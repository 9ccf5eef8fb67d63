internal import Communication
package import DistributedGraphs
package import LinearAlgebra
package import Parallelism

/// The share of the true nearest neighbours that lists hold, estimated by some rows.
public struct RecallEstimate: Codable, Equatable, Sendable {
  /// The mean over the rows that were looked at.
  public var mean: Double
  /// The bounds within which the mean over all rows is, with a probability of 95 %.
  public var lower: Double
  public var upper: Double
  /// How many rows were looked at.
  public var rowCount: Int

  /// The quantile of the normal distribution that bounds 95 % of it.
  fileprivate static let quantile = 1.96

  /// The lower bound where all trials succeed.
  static func mostLower(trials: Double) -> Double { trials / (trials + quantile * quantile) }
}

/// The exact neighbours of some rows, by which the recall of approximate lists is estimated.
struct RecallSample {
  /// Owned. Places of the rows, ascending.
  private let rows: [Int]
  /// Owned. How similar the last of the exact neighbours is, and how many there are, of each of the rows.
  private let reached: [Float]
  private let neighborCount: [Int]
  /// Replicated. How many rows there are on all ranks, and whether no other row asks.
  let rowCount: Int
  private let isComplete: Bool

  /// Pairs that were compared.
  let pairCount: Double
  /// Of lists that hold nothing.
  let estimateOfEmptyLists: RecallEstimate

  static let wantedCount = 1000.0
  static let hash = NodeHash(seed: 0x5EED_0F_4ECA_11)

  /// > Collective: over `communicator`. Two rounds. Every sampled row to every rank; from every rank 4
  /// > `listLength` bytes for it.
  ///
  /// - Complexity: 2000 · ownedCount · columns flops.
  init(
    _ samples: SearchSamples, of rows: StoredRows, named names: [GlobalNode], listLength: Int,
    using workers: Workers, on communicator: some Communicator
  ) throws {
    let places = samples.recall.places
    let counts = samples.recall.counts
    let all = try NamedRows(rows, at: places, named: names).gathered(
      counts: counts, on: communicator)
    let near = nearestSimilarities(
      of: all.rows(at: Array(0..<all.count)).unitRows(), named: all.names, among: rows,
      named: names,
      listLength: listLength, using: workers)
    let arrived = try communicator.exchange(
      Buckets(values: near, counts: counts.map { $0 * listLength }),
      receiving: Array(repeating: places.count * listLength, count: communicator.size))
    var reached = Array(repeating: -Float.infinity, count: places.count)
    var neighborCount = Array(repeating: 0, count: places.count)
    for place in places.indices {
      let best = communicator.ranks.flatMap {
        arrived[$0].dropFirst(place * listLength).prefix(listLength)
      }.filter { $0 > -.infinity }.sorted(by: >).prefix(listLength)
      reached[place] = best.last ?? .infinity
      neighborCount[place] = best.count
    }
    self.rows = places
    self.reached = reached
    self.neighborCount = neighborCount
    rowCount = all.count
    isComplete = rowCount >= samples.askingCount
    pairCount = Double(rowCount) * Double(samples.directedCount)
    let mean = listLength > 0 && rowCount > 0 && samples.directedCount > 1 ? 0.0 : 1
    estimateOfEmptyLists = RecallEstimate(
      mean: mean, lower: mean, upper: mean, rowCount: rowCount)
  }

  /// Whether the last neighbours of more than half of the rows are farther from them than the centres of
  /// their cells are: then their neighbours are spread over many cells.
  ///
  /// > Collective: over `communicator`. One round of 16 bytes per rank.
  func isDiffuse(
    in tree: CellTree, of rows: StoredRows, using workers: Workers,
    on communicator: some Communicator
  ) throws -> Bool {
    let effort = SearchEffort(isDiffuse: false)
    let near = tree.nearestCells(
      of: rows, at: self.rows, inGroups: effort.groupCount(among: tree.groups.columnCount),
      using: workers)
    var counts = RowCounts()
    for place in reached.indices where neighborCount[place] > 0 {
      counts.all += 1
      if reached[place] < near.similarity[place * CellMembership.limit] { counts.spread += 1 }
    }
    counts = try communicator.allReduce(counts) { $0 + $1 }
    return 2 * counts.spread > counts.all
  }

  /// A neighbour counts if it is as similar as the last of the exact ones: which of several copies is
  /// found does not matter.
  ///
  /// The bounds are those of Wilson's interval (1927), with the number of trials that have the variance
  /// that is seen between rows. They are for one look: a search that looks after every partition and ends with
  /// the first that is good enough is a little too sure.
  ///
  /// > Collective: over `communicator`. One round of 48 bytes per rank.
  ///
  /// - Parameter pairCount: Owned. Pairs that this rank compared.
  /// - Returns: The estimate, and the most pairs that a rank compared, divided by the mean.
  func estimate(
    _ lists: CandidateLists, afterComparing pairCount: Double, on communicator: some Communicator
  ) throws -> (recall: RecallEstimate, imbalance: Double) {
    var sums = RecallSums(pairCount: pairCount)
    for (row, place) in zip(rows, rows.indices) where neighborCount[place] > 0 {
      let found = (row * lists.capacity..<(row + 1) * lists.capacity).count {
        lists.index[$0] >= 0 && lists.similarity[$0] >= reached[place]
      }
      sums.add(min(found, neighborCount[place]), of: neighborCount[place])
    }
    let all = try communicator.allReduce(sums) { $0 + $1 }
    return (
      all.estimate(rowCount: rowCount, isComplete: isComplete),
      all.imbalance(rankCount: communicator.size)
    )
  }
}

/// Rows with neighbours, and those whose neighbours are spread over many cells.
private struct RowCounts: BitwiseCopyable {
  var all = 0
  var spread = 0

  static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.all += b.all
    sum.spread += b.spread
    return sum
  }
}

/// Sums of whole numbers, the same in any order, and pairs that ranks compared.
private struct RecallSums: BitwiseCopyable {
  private var rows = 0
  private var places = 0
  /// Places that are missed, and the sum of the squares of each row's.
  private var missed = 0
  private var squares = 0
  private var pairs: Double
  private var mostPairs: Double

  init(pairCount: Double) {
    pairs = pairCount
    mostPairs = pairCount
  }

  mutating func add(_ found: Int, of count: Int) {
    rows += 1
    places += count
    missed += count - found
    squares += (count - found) * (count - found)
  }

  static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.rows += b.rows
    sum.places += b.places
    sum.missed += b.missed
    sum.squares += b.squares
    sum.pairs += b.pairs
    sum.mostPairs = max(sum.mostPairs, b.mostPairs)
    return sum
  }

  func imbalance(rankCount: Int) -> Double {
    pairs > 0 ? mostPairs * Double(rankCount) / pairs : 1
  }

  func estimate(rowCount: Int, isComplete: Bool) -> RecallEstimate {
    guard rows > 0 else { return RecallEstimate(mean: 1, lower: 1, upper: 1, rowCount: rowCount) }
    let length = Double(places) / Double(rows)
    let p = 1 - Double(missed) / Double(places)
    guard !isComplete else {
      return RecallEstimate(mean: p, lower: p, upper: p, rowCount: rowCount)
    }
    let ofRows = Double(missed) / Double(rows)
    let variance = (Double(squares) / Double(rows) - ofRows * ofRows) / (length * length)
    // Between one trial a row and one a place.
    let trials = Double(rows) * min(max(variance > 0 ? p * (1 - p) / variance : length, 1), length)
    let z = RecallEstimate.quantile
    let middle = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    let half =
      z / (1 + z * z / trials)
      * (p * (1 - p) / trials + z * z / (4 * trials * trials)).squareRoot()
    return RecallEstimate(
      mean: p, lower: max(0, middle - half), upper: min(1, middle + half), rowCount: rowCount)
  }
}

/// The similarities of some rows of any rank to their nearest others among the owned ones, greatest first, −∞
/// where there are none. Shape `[rows × listLength]`.
package func nearestSimilarities(
  of queries: Matrix, named names: [GlobalNode], among rows: StoredRows,
  named rowNames: [GlobalNode],
  listLength: Int, using workers: Workers
) -> [Float] {
  let found = nearestRows(
    of: queries, named: names, among: rows, named: rowNames, listLength: listLength,
    using: workers)
  return names.indices.flatMap { query in
    found.similarity[query * listLength..<(query + 1) * listLength].sorted(by: >)
  }
}

/// The nearest of the owned rows to each of some rows of any rank, that with the lowest name of equally near
/// ones; no name, at −∞, where there are none.
package func nearestRow(
  of queries: Matrix, named names: [GlobalNode], among rows: StoredRows,
  named rowNames: [GlobalNode], using workers: Workers
) -> [(name: GlobalNode, similarity: Float)] {
  let found = nearestRows(
    of: queries, named: names, among: rows, named: rowNames, listLength: 1, using: workers)
  return zip(found.names, found.similarity).map { ($0, $1) }
}

/// The nearest others among the owned rows to each of some rows of any rank.
func nearestRows(
  of queries: Matrix, named names: [GlobalNode], among rows: StoredRows,
  named rowNames: [GlobalNode], listLength: Int, using workers: Workers
) -> CandidateLists {
  // The lists of the owned rows take nothing.
  var asking = SearchBlock(
    rows: SearchRows(StoredRows(queries)),
    lists: CandidateLists(count: queries.rowCount, capacity: listLength), names: names)
  var asked = SearchBlock(
    rows: SearchRows(rows),
    lists: CandidateLists(
      capacity: 0, similarity: [], names: [],
      bound: Array(repeating: .infinity, count: rows.rowCount)),
    names: rowNames)
  offerPairs(
    between: &asking, 0..<queries.rowCount, and: &asked, 0..<rows.rowCount, using: workers,
    progress: { _ in })
  return asking.lists
}
