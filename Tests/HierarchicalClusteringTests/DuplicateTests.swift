import Communication
import DistributedGraphs
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Testing

@Suite struct CopiesOfPoints {
  /// 5000 points of so many directions in turn, and every 97th without one.
  private func points(directions: Int) -> (rows: Matrix, hasDirection: [Bool]) {
    var distinct = randomMatrix(directions, 3, seed: 71)
    distinct.normalizeRows()
    let hasDirection = (0..<5000).map { $0 % 97 != 5 }
    return (
      Matrix(
        rows: 5000, columns: 3,
        elements: (0..<5000).flatMap {
          hasDirection[$0] ? distinct.row($0 % directions) : [0, 0, 0]
        }), hasDirection
    )
  }

  @Test(arguments: [1, 2, 5], [1, 7, 4999])
  func areFoundWhereverTheyAre(ranks: Int, directions: Int) throws {
    let (rows, hasDirection) = points(directions: directions)
    let nodes = NodePartition(sharing: 5000, among: ranks)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = nodes.owned(by: communicator.rank)
      return try duplicateRoots(
        of: StoredRows(rows.slice(owned)), where: Array(hasDirection[owned]), in: nodes,
        using: Workers(2), on: communicator)
    }
    var first: [Int: Int] = [:]
    let expected = (0..<5000).map { point in
      guard hasDirection[point] else { return point }
      let direction = point % directions
      if first[direction] == nil { first[direction] = point }
      return first[direction]!
    }
    #expect(shares.flatMap { $0 }.map { Int($0.index) } == expected)
  }

  /// However many points share it: 24 bytes out and 8 back, and the counts.
  @Test func sendADirectionOncePerRank() throws {
    let (rows, hasDirection) = points(directions: 3)
    let nodes = NodePartition(sharing: 5000, among: 4)
    let traffic = try ThreadCommunicator.run(ranks: 4) { communicator in
      let counting = CountingCommunicator(communicator)
      let owned = nodes.owned(by: communicator.rank)
      _ = try duplicateRoots(
        of: StoredRows(rows.slice(owned)), where: Array(hasDirection[owned]), in: nodes,
        on: counting)
      return counting.traffic
    }
    // All three may live on one rank, which answers the others.
    for traffic in traffic { #expect(traffic.bytesSent <= 3 * 24 + 3 * 3 * 8 + 3 * 8) }
  }
}
