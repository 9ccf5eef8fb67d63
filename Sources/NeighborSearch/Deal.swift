/// Which rank does which task: the costliest first, one to each rank, back and forth.
///
/// With many tasks for each rank, all ranks' costs are about the same unless a single task is a large share.
struct Deal: Sendable {
  /// Replicated. Of each task.
  let rank: [Int]

  /// - Parameter costs: Replicated. Of each task.
  init(costs: [Double], rankCount: Int) {
    var rank = Array(repeating: 0, count: costs.count)
    let order = costs.indices.sorted { (-costs[$0], $0) < (-costs[$1], $1) }
    for (place, task) in order.enumerated() {
      let (round, seat) = place.quotientAndRemainder(dividingBy: rankCount)
      rank[task] = round.isMultiple(of: 2) ? seat : rankCount - 1 - seat
    }
    self.rank = rank
  }
}
