/// Deals items to ranks so that the largest sum of costs is small: the costliest first, each to the
/// rank that has the least so far (Graham 1969: at most 4/3 of the best possible).
///
/// Ties go to the item, and to the rank, of the lower index; so every rank comes to the same answer.
///
/// - Returns: Indices of items, ascending, per rank. Shape `[rankCount]`.
/// - Complexity: O(n log n + n · ranks).
public func deal(costs: [Int], among rankCount: Int) -> [[Int]] {
  precondition(rankCount > 0, "\(rankCount) ranks")
  var hands = Array(repeating: [Int](), count: rankCount)
  var sums = Array(repeating: 0, count: rankCount)
  for item in costs.indices.sorted(by: { (-costs[$0], $0) < (-costs[$1], $1) }) {
    let rank = sums.indices.min { (sums[$0], $0) < (sums[$1], $1) }!
    hands[rank].append(item)
    sums[rank] += costs[item]
  }
  return hands.map { $0.sorted() }
}

extension GraphCollection {
  /// About how much work a graph makes, in rows of hidden features: its nodes, each of which goes
  /// through dense products, and a twentieth of its neighbours, whose rows are added.
  public func cost(of graph: Int) -> Int {
    20 * nodes(of: graph).count + edges(of: graph).count
  }
}
