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

  /// Rows of short numbers stay as they are stored when copies become one node.
  @Test(arguments: [1, 3]) func leaveShortNumbersShort(ranks: Int) throws {
    let points = ShortNumbers(
      matrix: Matrix(
        rows: 90, columns: 3,
        elements: (0..<90).flatMap { row -> [Float] in
          [Float(row % 40 - 20), 7, Float(row % 40)]
        }))
    _ = try ThreadCommunicator.run(ranks: ranks) { communicator in
      var run = try ClusteringRun(
        reading: points, invalid: .error, asStored: false, using: Workers(), on: communicator)
      try run.mergeCopies(of: points, using: Workers(), on: communicator)
      let rows = run.level.rows.directions
      let owned = run.level.nodes.owned(by: communicator.rank)
      #expect(run.level.nodes.nodeCount == 40 && rows.element == .int8)
      var expected = points.matrix.slice(owned)
      expected.normalizeRows()
      #expect(rows.unitRows() == expected)
    }
  }
}

private struct ShortNumbers: EmbeddingSource {
  let matrix: Matrix
  let name = "short numbers"
  var rowCount: Int { matrix.rowCount }
  var dimensions: Int { matrix.columnCount }

  func rows(_ range: Range<Int>) throws -> Matrix { matrix.slice(range) }

  func storedRows(_ range: Range<Int>) throws -> StoredRows? {
    var stored = StoredRows(rows: range.count, columns: dimensions, of: .int8)
    let bytes = matrix.slice(range).elements.map { Int8($0) }
    unsafe stored.write(bytes.span.bytes, atRow: 0)
    return stored
  }
}
