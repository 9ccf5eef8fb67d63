import Evaluation

/// Where a clustering ran, for people, and how long.
///
/// - Parameters:
///   - waitingRankCount: Ranks that took no part.
///   - nodesPerRank: Why they did not.
func elapsedAccount(
  ofSeconds elapsedSeconds: Double, rankCount: Int, threadCount: Int, waitingRankCount: Int,
  nodesPerRank: Int
) -> String {
  let waiting =
    waitingRankCount > 0
    ? " (\(waitingRankCount) more waited, as each is for \(nodesPerRank) points or more)" : ""
  return
    "\(decimal(elapsedSeconds, places: 2)) s on \(quantity(rankCount, "rank")) of "
    + "\(quantity(threadCount, "thread"))\(waiting)"
}
