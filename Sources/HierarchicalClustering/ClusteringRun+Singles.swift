package import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import NeighborSearch
package import Parallelism

extension ClusteringRun {
  /// Every node that stands for a single point joins the one of several points whose mean direction is most
  /// similar, of equally similar ones that with the lower input point. Nodes that are similar to none stay.
  ///
  /// It is for scores only. A clustering that leaves a point alone where it is not sure is not worse than one
  /// that guesses; but a point that is alone has a silhouette of 0, which is much where clusters lie close.
  ///
  /// > Collective: over `communicator`. Every such node's row to every rank, in tiles of four rounds, and 24
  /// > bytes back from each; then as ``contract(to:as:keeping:of:using:on:)``.
  ///
  /// - Parameter tileLength: Replicated. How many rows of all ranks travel at a time.
  /// - Precondition: Nodes have means of directions.
  /// - Complexity: O(single nodes · others · columns), shared among the ranks.
  package mutating func attachSingles(
    of source: some EmbeddingSource, inTilesOf tileLength: Int = 16_384, using workers: Workers,
    on communicator: some Communicator
  ) throws {
    let owned = level.nodes.owned(by: communicator.rank)
    let counts = level.memberCounts
    let singles = counts.indices.filter { counts[$0] == 1 }
    var root = owned.map { GlobalNode($0) }
    let hosts = try nearestHosts(
      of: singles, among: counts.indices.filter { counts[$0] > 1 },
      inTilesOf: max(tileLength / communicator.size, 1), using: workers, on: communicator)
    for (single, host) in zip(singles, hosts) where host.similarity > 0 { root[single] = host.node }
    level.evidence = nil
    try contract(
      to: root, as: level.number + 1, keeping: .ofDirections, of: source, using: workers,
      on: communicator)
  }

  /// A node that another one may join.
  private struct Host: Message {
    var similarity = -Double.infinity
    /// Its input point.
    var name = GlobalNode(Int64.max)
    var node = GlobalNode(-1)

    func isBetter(than other: Host) -> Bool {
      similarity == other.similarity ? name < other.name : similarity > other.similarity
    }
  }

  /// The most similar node of those that ranks offer, for each that a rank asks about.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameters: Places of owned nodes; none is in both.
  private func nearestHosts(
    of guests: [Int], among hosts: [Int], inTilesOf tileLength: Int, using workers: Workers,
    on communicator: some Communicator
  ) throws -> [Host] {
    let directions = level.rows.directions
    let owned = level.nodes.owned(by: communicator.rank)
    let offered = StoredRows(directions.copy(ofRows: hosts))
    let names = hosts.map { level.inputPoint[$0] }
    let nodeOfName = Dictionary(
      uniqueKeysWithValues: zip(names, hosts.map { GlobalNode(owned.lowerBound + $0) }))
    let tileCount = try communicator.maximum((guests.count + tileLength - 1) / tileLength)
    return try (0..<tileCount).flatMap { tile in
      let own = guests.dropFirst(tile * tileLength).prefix(tileLength)
      let counts = try communicator.gatherOne(own.count)
      let nearest = nearestRow(
        of: try communicator.allGather(rows: directions.copy(ofRows: Array(own)), counts: counts),
        named: try communicator.allGather(own.map { level.inputPoint[$0] }, counts: counts).values,
        among: offered, named: names, using: workers
      ).map { found in
        nodeOfName[found.name].map {
          Host(similarity: Double(found.similarity), name: found.name, node: $0)
        } ?? Host()
      }
      let arrived = try communicator.exchange(
        Buckets(values: nearest, counts: counts),
        receiving: Array(repeating: own.count, count: communicator.size))
      return own.indices.map { place in
        communicator.ranks.reduce(Host()) { best, rank in
          let other = arrived[rank][arrived[rank].startIndex + place - own.startIndex]
          return other.isBetter(than: best) ? other : best
        }
      }
    }
  }
}
