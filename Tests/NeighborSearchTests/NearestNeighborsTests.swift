import Communication
import DistributedGraphs
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import TestTags
import Testing

/// All similarities, by one plain chain of multiply-adds each or, close to ±1, by the plain twin of what
/// refines them, sorted: what a search should find. Rows of zeros take no part.
struct BruteForce {
  /// For each node all others, nearest first, ties by index.
  private let order: [[Int]]
  private let similarities: Matrix

  init(_ rows: Matrix) {
    var similarities = referenceProduct(rows, rows)
    let limit = CloseSimilarities.limit(depth: rows.columnCount)
    for a in 0..<rows.rowCount {
      for b in 0..<rows.rowCount where abs(similarities[a, b]) >= limit {
        similarities[a, b] = CloseSimilarities.refined(similarities[a, b], rows.row(a), rows.row(b))
      }
    }
    self.similarities = similarities
    let hasDirection = (0..<rows.rowCount).map { rows.row($0).contains { $0 != 0 } }
    order = (0..<rows.rowCount).map { node in
      let own = similarities.row(node)
      guard hasDirection[node] else { return [] }
      return (0..<rows.rowCount).filter { $0 != node && hasDirection[$0] }
        .sorted { (-own[$0], $0) < (-own[$1], $1) }
    }
  }

  func lists(listLength: Int) -> NeighborLists {
    var neighbors: [GlobalNode] = []
    var values: [Float] = []
    for (node, others) in order.enumerated() {
      let nearest = others.prefix(listLength)
      let own = similarities.row(node)
      let empty = listLength - nearest.count
      neighbors +=
        nearest.map { GlobalNode($0) } + Array(repeating: NeighborLists.none, count: empty)
      values += nearest.map { own[$0] } + Array(repeating: 0, count: empty)
    }
    return NeighborLists(listLength: listLength, neighbors: neighbors, similarities: values)
  }
}

/// The lists that some ranks find, put together.
func search(
  _ rows: Matrix, listLength: Int, in nodes: NodePartition, threads: Int = 1
) throws -> NeighborLists {
  let shares = try ThreadCommunicator.run(ranks: nodes.firstNode.count - 1) { communicator in
    try nearestNeighbors(
      of: rows.slice(nodes.owned(by: communicator.rank)), listLength: listLength, in: nodes,
      using: Workers(threads), on: communicator)
  }
  return NeighborLists(
    listLength: listLength, neighbors: shares.flatMap(\.neighbors),
    similarities: shares.flatMap(\.similarities))
}

func unitRows(_ count: Int, _ depth: Int, seed: Int) -> Matrix {
  var rows = randomMatrix(count, depth, seed: seed)
  _ = rows.normalizeRows()
  return rows
}

/// Equality of `Float` does not tell −0 from 0; this does.
func bits(_ lists: NeighborLists) -> [UInt32] { lists.similarities.map(\.bitPattern) }

@Suite struct NearestNeighbors {
  @Test(arguments: [0, 1, 2, 5, 129, 700], [1, 3, 64, 130])
  func areThoseOfBruteForceBitForBit(nodeCount: Int, depth: Int) throws {
    let rows = unitRows(nodeCount, depth, seed: 41)
    let bruteForce = BruteForce(rows)
    for listLength in [1, 9] {
      let expected = bruteForce.lists(listLength: listLength)
      for ranks in 1...5 {
        for threads in 1...2 {
          let found = try search(
            rows, listLength: listLength,
            in: NodePartition(sharing: nodeCount, among: ranks), threads: threads)
          #expect(found == expected, "\(ranks) ranks of \(threads) threads, seed 41")
          #expect(bits(found) == bits(expected))
        }
      }
    }
  }

  /// Every row occurs many times, so whole lists are ties; some rows are zeros.
  @Test(.tags(.threads), arguments: [1, 3, 4], [1, 2])
  func ofEqualRowsComeByIndex(ranks: Int, threads: Int) throws {
    let distinct = unitRows(7, 20, seed: 42)
    let rows = Matrix(
      rows: 300, columns: 20,
      elements: (0..<300).flatMap {
        $0 % 11 == 10 ? Array(repeating: 0, count: 20) : distinct.row($0 % 7)
      })
    let found = try search(
      rows, listLength: 12, in: NodePartition(sharing: 300, among: ranks), threads: threads)
    #expect(found == BruteForce(rows).lists(listLength: 12))
  }

  @Test(.tags(.threads), arguments: 1...5, [0, 1, 2, 5])
  func areFewerThanAskedForAmongFewNodes(ranks: Int, nodeCount: Int) throws {
    let rows = unitRows(nodeCount, 3, seed: 43)
    let found = try search(
      rows, listLength: 8, in: NodePartition(sharing: nodeCount, among: ranks))
    #expect(found == BruteForce(rows).lists(listLength: 8))
    #expect(found.neighbors.count { $0 == NeighborLists.none } == nodeCount * (9 - nodeCount))
  }

  @Test(.tags(.threads), arguments: 2...6)
  func doNotDependOnTheSharesOfRanks(ranks: Int) throws {
    let rows = unitRows(150, 16, seed: 44)
    let nodes = NodePartition.random(nodeCount: 150, ranks: ranks, seed: 45)
    #expect(
      try search(rows, listLength: 5, in: nodes) == BruteForce(rows).lists(listLength: 5))
  }

  @Test(.tags(.threads)) func noneAreWanted() throws {
    let found = try search(
      unitRows(5, 3, seed: 46), listLength: 0, in: NodePartition(sharing: 5, among: 2))
    #expect(found == NeighborLists(listLength: 0, neighbors: [], similarities: []))
  }

  @Test(.tags(.threads), arguments: 1...5)
  func tellOfTheirProgressUpToTheEnd(ranks: Int) throws {
    let nodes = NodePartition(sharing: 400, among: ranks)
    let rows = unitRows(400, 8, seed: 47)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      var shares: [Double] = []
      _ = try nearestNeighbors(
        of: rows.slice(nodes.owned(by: communicator.rank)), listLength: 3, in: nodes,
        on: communicator
      ) { shares.append($0) }
      return shares
    }
    for shares in shares {
      #expect(shares == shares.sorted() && shares.first! > 0 && shares.last == 1)
    }
  }

  /// Blocks and lists go halfway round the ring, the lists home.
  @Test(.tags(.threads), arguments: 2...6)
  func sendBlocksHalfwayRound(ranks: Int) throws {
    let (count, depth, listLength) = (10, 7, 3)
    let nodes = NodePartition(sharing: ranks * count, among: ranks)
    let rows = unitRows(ranks * count, depth, seed: 48)
    let traffic = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let counting = CountingCommunicator(communicator)
      _ = try nearestNeighbors(
        of: rows.slice(nodes.owned(by: communicator.rank)), listLength: listLength, in: nodes,
        on: counting)
      return counting.traffic
    }
    let lists = count * (12 * listLength + 4)
    let steps = ranks / 2
    for traffic in traffic {
      #expect(traffic.rounds == (ranks > 1 ? 4 * steps + 3 : 0))
      #expect(traffic.bytesSent == steps * (count * 4 * depth + lists) + lists)
    }
  }
}

@Suite struct NormalizingRows {
  @Test(arguments: [0, 1, 3, 64, 130])
  func dividesByTheNorm(depth: Int) {
    var rows = randomMatrix(20, depth, seed: 49, scale: 1000)
    let before = rows
    let norms = rows.normalizeRows()
    for row in 0..<20 {
      let norm = Float(before.row(row).reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
      #expect(norms[row] == norm)
      #expect(rows.row(row) == before.row(row).map { $0 / norm })
    }
  }

  @Test func keepsZerosAndCopesWithExtremes() {
    let least = Float.leastNonzeroMagnitude
    let greatest = Float.greatestFiniteMagnitude
    var rows = Matrix(
      rows: 5, columns: 2,
      elements: [0, 0, least, 0, greatest, -greatest, 3e-20, 4e-20, 3 * least, -3 * least])
    let norms = rows.normalizeRows()
    #expect(norms[0] == 0 && rows.row(0) == [0, 0])
    #expect(rows.row(1) == [1, 0])
    // The norm itself is beyond the largest float; the direction is not.
    #expect(rows.row(2) == [Float(0.5.squareRoot()), -Float(0.5.squareRoot())])
    // In single precision the norm would be 4 · least, and the quotient 3/4.
    #expect(rows.row(4) == [Float(0.5.squareRoot()), -Float(0.5.squareRoot())])
    #expect(zip(rows.row(3), [0.6, 0.8]).allSatisfy { abs($0 - $1) < 1e-6 })
  }
}
