internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism

/// The best row of another for a query, as a rule tells.
struct Partner: Message, Equatable {
  /// The greater the better; −∞ for none.
  var value: Float
  var node: GlobalNode

  static let none = Partner(value: -.infinity, node: NeighborLists.none)
}

/// How good a row is for a query.
protocol PartnerRule: Sendable {
  /// What travels with the row of a query.
  associatedtype Query: Message

  /// - Parameters:
  ///   - row: The place of a row of this rank.
  ///   - similarity: The product of both rows.
  /// - Returns: The greater the better; −∞ if they may not be partners.
  func value(of query: Query, with row: Int, similarity: Float) -> Float
}

/// The best partner of every query of this rank among the rows of all ranks; of equally good ones that of the lowest
/// name.
///
/// Each product is one chain of fused multiply-adds, whichever rank computes it, and the same for a pair in both
/// directions.
///
/// > Collective: over `communicator`. Per tile of 8192 queries of all ranks five rounds: the rows of the queries to every
/// > rank, and back from every rank 16 bytes for each.
///
/// - Parameters:
///   - queries: Owned. Shape `[asking.count × columns]`.
///   - rows: Owned. Shape `[names.count × columns]`.
///   - names: Owned. Ascending, on this rank and over ranks.
/// - Complexity: 2 · queries · rows · columns flops, shared among the ranks; 32 MB for the products of a tile.
func bestPartners<Rule: PartnerRule>(
  of queries: Matrix, asking: [Rule.Query], among rows: Matrix, named names: [GlobalNode],
  by rule: Rule, using workers: Workers, on communicator: some Communicator
) throws -> [Partner] {
  precondition(
    queries.rowCount == asking.count && rows.rowCount == names.count,
    "\(queries.rowCount) rows of \(asking.count) queries, \(rows.rowCount) of \(names.count) names")
  let tileLength = max(1, 8192 / communicator.size)
  let tileCount = try communicator.maximum((asking.count + tileLength - 1) / tileLength)
  var best: [Partner] = []
  for tile in 0..<tileCount {
    let own = min(tile * tileLength, asking.count)..<min((tile + 1) * tileLength, asking.count)
    let counts = try communicator.gatherOne(own.count)
    let found = bestPartnersHere(
      of: try communicator.allGather(rows: queries.copy(ofRows: Array(own)), counts: counts),
      asking: try communicator.allGather(Array(asking[own]), counts: counts).values, among: rows,
      named: names, by: rule, using: workers)
    let arrived = try communicator.exchange(
      Buckets(values: found, counts: counts),
      receiving: Array(repeating: own.count, count: communicator.size)
    ).values
    best += (0..<own.count).map { query in
      // Ranks ascend, and so do names: of equal values the first stays.
      communicator.ranks.reduce(Partner.none) { best, rank in
        let other = arrived[rank.index * own.count + query]
        return other.value > best.value ? other : best
      }
    }
  }
  return best
}

/// The best partners among the rows of this rank.
private func bestPartnersHere<Rule: PartnerRule>(
  of queries: Matrix, asking: [Rule.Query], among rows: Matrix, named names: [GlobalNode],
  by rule: Rule, using workers: Workers
) -> [Partner] {
  var best = Array(repeating: Partner.none, count: asking.count)
  var strip = PackedMatrix()
  for columns in (0..<rows.rowCount).tiles(of: 1024) {
    strip.pack(rows: columns, of: rows)
    let products = product(queries, strip, using: workers)
    let similarity = unsafe products.sharedRows()
    let tiles = asking.indices.tiles(of: 64)
    best.forEachTile(tiles, using: workers) { tile, best in
      for query in tiles[tile] {
        let similarity = unsafe similarity[query]
        let asked = asking[query]
        var own = best[query - tiles[tile].lowerBound]
        for column in 0..<columns.count {
          let row = columns.lowerBound + column
          let value = unsafe rule.value(of: asked, with: row, similarity: similarity[column])
          if value > own.value { own = Partner(value: value, node: names[row]) }
        }
        best[query - tiles[tile].lowerBound] = own
      }
    }
    withExtendedLifetime(products) {}
  }
  return best
}
