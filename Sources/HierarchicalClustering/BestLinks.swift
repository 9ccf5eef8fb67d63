package import Communication
package import DistributedGraphs

/// Two nodes that may merge. In the order of distance, then of the nodes.
package struct Link: Message, Comparable {
  let distance: Float
  /// Whether the upper node stands for more points.
  let isUpperLarger: Bool
  let lower: GlobalNode
  let upper: GlobalNode

  /// - Parameters: Two nodes, and how many points each stands for.
  package init(
    _ distance: Float, _ a: (node: GlobalNode, count: Int64), _ b: (node: GlobalNode, count: Int64)
  ) {
    let (lower, upper) = a.node < b.node ? (a, b) : (b, a)
    self.distance = distance
    self.lower = lower.node
    self.upper = upper.node
    isUpperLarger = upper.count > lower.count
  }

  /// The node that stands for both.
  package var root: GlobalNode { isUpperLarger ? upper : lower }
  package var other: GlobalNode { isUpperLarger ? lower : upper }

  package static func < (a: Self, b: Self) -> Bool {
    (a.distance, a.lower, a.upper) < (b.distance, b.lower, b.upper)
  }
}

/// The best links, in their order, of which no two share a node.
///
/// Every rank offers its next links. Up to the least of the last that ranks with more have offered, nothing is missing.
///
/// > Collective: over `communicator`. Per round 24 bytes for each link that is offered, to every rank.
///
/// - Parameters:
///   - links: This rank's.
///   - count: Replicated. The most that are taken.
///   - batchSize: Replicated. How many links a rank offers at a time.
/// - Returns: Replicated.
package func bestLinks(
  of links: [Link], count: Int, inBatchesOf batchSize: Int = 4096,
  on communicator: some Communicator
) throws -> [Link] {
  let waiting = links.sorted()
  var start = 0
  var taken: Set<GlobalNode> = []
  var best: [Link] = []
  func isFree(_ link: Link) -> Bool {
    !taken.contains(link.lower) && !taken.contains(link.upper)
  }
  while best.count < count {
    var offered: [Link] = []
    var end = start
    while end < waiting.count, offered.count < batchSize {
      if isFree(waiting[end]) { offered.append(waiting[end]) }
      end += 1
    }
    let arrived = try communicator.allGather(offered)
    if arrived.values.isEmpty { break }
    let bound = communicator.ranks.compactMap {
      arrived[$0].count == batchSize ? arrived[$0].last : nil
    }.min()
    for link in arrived.values.sorted() where bound.map({ link <= $0 }) ?? true {
      guard best.count < count, isFree(link) else { continue }
      taken.formUnion([link.lower, link.upper])
      best.append(link)
    }
    while start < end, bound.map({ waiting[start] <= $0 }) ?? true { start += 1 }
  }
  return best
}
