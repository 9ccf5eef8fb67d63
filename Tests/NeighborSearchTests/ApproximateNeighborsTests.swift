import Communication
import DistributedGraphs
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Testing

/// Unit rows around some directions: nearer to each other than to rows around other directions.
private func clusteredRows(_ count: Int, _ depth: Int, clusters: Int, seed: Int) -> Matrix {
  let centers = unitRows(clusters, depth, seed: seed)
  var rows = randomMatrix(count, depth, seed: seed + 1)
  for row in 0..<count {
    for column in 0..<depth {
      rows[row, column] = 0.4 * rows[row, column] + centers[row * 7 % clusters, column]
    }
  }
  rows.normalizeRows()
  return rows
}

/// The lists that some ranks find, put together, and what rank 0 says of them.
private func approximate(
  _ rows: Matrix, listLength: Int, recall: Double = 0.9, in nodes: NodePartition, threads: Int = 1
) throws -> (lists: NeighborLists, summary: ApproximateSummary) {
  let shares = try ThreadCommunicator.run(ranks: nodes.firstNode.count - 1) { communicator in
    try approximateNeighbors(
      of: rows.slice(nodes.owned(by: communicator.rank)), listLength: listLength, recall: recall,
      in: nodes, using: Workers(threads), on: communicator)
  }
  #expect(shares.allSatisfy { $0.summary == shares[0].summary })
  return (
    NeighborLists(
      listLength: listLength, neighbors: shares.flatMap(\.lists.neighbors),
      similarities: shares.flatMap(\.lists.similarities)),
    shares[0].summary
  )
}

extension ApproximateSummary {
  /// What does not depend on the number of ranks.
  fileprivate var ofAnyRanks: Self {
    var summary = self
    summary.imbalance = 1
    return summary
  }
}

/// The share of the exact lists' places whose node is found, or one as similar.
private func recall(of lists: NeighborLists, by exact: NeighborLists) -> Double {
  let length = lists.listLength
  var (found, count) = (0, 0)
  for list in 0..<exact.count {
    let places = list * length..<(list + 1) * length
    let truth = places.filter { exact.neighbors[$0] != NeighborLists.none }
    guard let last = truth.last else { continue }
    count += truth.count
    found += places.count {
      lists.neighbors[$0] != NeighborLists.none
        && lists.similarities[$0] >= exact.similarities[last]
    }
  }
  return count == 0 ? 1 : Double(found) / Double(count)
}

@Suite struct ApproximateNeighbors {
  @Test(arguments: [1, 2, 3, 5, 8, 16], [1, 2])
  func haveTheSameBitsOnAnyNumberOfRanksAndThreads(ranks: Int, threads: Int) throws {
    let rows = clusteredRows(1600, 20, clusters: 40, seed: 60)
    let alone = try approximate(
      rows, listLength: 9, recall: 0.99, in: NodePartition(sharing: 1600, among: 1))
    #expect(alone.summary.recallByPartition.count > 1)
    let nodes =
      threads == 1
      ? NodePartition(sharing: 1600, among: ranks)
      : NodePartition.random(nodeCount: 1600, ranks: ranks, seed: 61)
    let found = try approximate(
      rows, listLength: 9, recall: 0.99, in: nodes, threads: threads)
    #expect(found.lists == alone.lists)
    #expect(bits(found.lists) == bits(alone.lists))
    #expect(found.summary.ofAnyRanks == alone.summary.ofAnyRanks)
  }

  /// What is in a list is there with the exact search's bits, in its order; nothing is twice.
  @Test(arguments: [1, 3], [1, 9, 30])
  func areExactOnesExceptForSomeThatAreMissing(ranks: Int, listLength: Int) throws {
    let rows = clusteredRows(1100, 16, clusters: 30, seed: 62)
    let exact = try search(rows, listLength: 1099, in: NodePartition(sharing: 1100, among: 1))
    let (lists, summary) = try approximate(
      rows, listLength: listLength, in: NodePartition(sharing: 1100, among: ranks))
    for list in 0..<1100 {
      let places = list * listLength..<(list + 1) * listLength
      let order = Dictionary(
        uniqueKeysWithValues: (list * 1099..<(list + 1) * 1099).map {
          (exact.neighbors[$0], $0)
        })
      let found = places.map { order[lists.neighbors[$0]] ?? -1 }
      #expect(found == found.sorted() && Set(found).count == listLength && found[0] >= 0)
      #expect(
        zip(places, found).allSatisfy {
          lists.similarities[$0].bitPattern == exact.similarities[$1].bitPattern
        })
    }
    let short = try search(rows, listLength: listLength, in: NodePartition(sharing: 1100, among: 1))
    let truth = recall(of: lists, by: short)
    #expect(summary.recall.lower >= 0.9)
    #expect(
      truth >= summary.recall.lower - 0.01 && truth <= summary.recall.upper + 0.01,
      "\(truth), \(summary.recall)")
  }

  @Test(arguments: 1...4, [0, 1, 2, 5, 40])
  func ofFewNodesAreAll(ranks: Int, nodeCount: Int) throws {
    let rows = unitRows(nodeCount, 3, seed: 63)
    let found = try approximate(
      rows, listLength: 8, recall: 1, in: NodePartition(sharing: nodeCount, among: ranks)
    ).lists
    #expect(found == BruteForce(rows).lists(listLength: 8))
  }

  @Test(arguments: [1, 3])
  func ofRowsOfZerosThereAreNone(ranks: Int) throws {
    var rows = clusteredRows(1200, 12, clusters: 20, seed: 64)
    for row in stride(from: 0, to: 1200, by: 7) {
      for column in 0..<12 { rows[row, column] = 0 }
    }
    let lists = try approximate(
      rows, listLength: 6, in: NodePartition(sharing: 1200, among: ranks)
    ).lists
    for (place, node) in lists.neighbors.enumerated() {
      let isZero = place / 6 % 7 == 0
      #expect(isZero ? node == NeighborLists.none : node.index % 7 != 0)
    }
    let zeros = Matrix(rows: 30, columns: 4)
    let none = try approximate(zeros, listLength: 3, in: NodePartition(sharing: 30, among: ranks))
    #expect(none.lists.neighbors.allSatisfy { $0 == NeighborLists.none })
  }

  /// Half of all rows are one vector, a sixth are copies of others: no cell can hold the first.
  @Test(arguments: [1, 3])
  func ofCopiesAreCopies(ranks: Int) throws {
    let rows = clusteredRows(6000, 10, clusters: 60, seed: 65)
    let copied = Matrix(
      rows: 6000, columns: 10,
      elements: (0..<6000).flatMap { rows.row($0 % 2 == 0 ? 0 : $0 % 3 == 0 ? $0 - 2 : $0) })
    let lists = try approximate(
      copied, listLength: 5, in: NodePartition(sharing: 6000, among: ranks)
    ).lists
    for node in stride(from: 0, to: 6000, by: 2) {
      #expect(lists.similarities[node * 5..<node * 5 + 5].allSatisfy { $0 == 1 })
      #expect(lists.neighbors[node * 5..<node * 5 + 5].allSatisfy { $0 != GlobalNode(node) })
    }
    #expect(lists.similarities.allSatisfy { $0 <= 1 })
  }

  @Test(arguments: [1, 2])
  func ofLongListsAreFound(ranks: Int) throws {
    let rows = clusteredRows(900, 8, clusters: 3, seed: 66)
    let nodes = NodePartition(sharing: 900, among: ranks)
    let (lists, summary) = try approximate(rows, listLength: 200, in: nodes)
    let exact = try search(rows, listLength: 200, in: NodePartition(sharing: 900, among: 1))
    #expect(recall(of: lists, by: exact) >= 0.88)
    #expect(summary.recall.mean >= 0.9)
    #expect(try approximate(rows, listLength: 0, in: nodes).lists.count == 0)
  }

  /// Rows that differ in many dimensions have their neighbours in many cells, rows of small clusters in few.
  @Test(arguments: [1, 3])
  func areSoughtInMoreCellsIfTheyAreSpreadOverMany(ranks: Int) throws {
    let nodes = NodePartition(sharing: 3000, among: ranks)
    let rows = clusteredRows(3000, 160, clusters: 4, seed: 76)
    let spread = try approximate(rows, listLength: 9, recall: 0.5, in: nodes)
    let clustered = try approximate(
      clusteredRows(3000, 24, clusters: 300, seed: 77), listLength: 9, recall: 0.5, in: nodes)
    #expect(spread.summary.cellCount == clustered.summary.cellCount / 2)
    #expect(spread.summary.meanCells > clustered.summary.meanCells)
    let alone = try approximate(
      rows, listLength: 9, recall: 0.5, in: NodePartition(sharing: 3000, among: 1), threads: 2)
    var summary = spread.summary
    summary.imbalance = alone.summary.imbalance
    #expect(alone.lists == spread.lists && alone.summary == summary)
  }

  @Test func tellOfTheirProgressUpToTheEnd() throws {
    let rows = clusteredRows(1500, 8, clusters: 20, seed: 67)
    var shares: [Double] = []
    _ = try approximateNeighbors(
      of: rows, listLength: 4, in: NodePartition(sharing: 1500, among: 1), on: SingleRank()
    ) { shares.append($0) }
    #expect(shares == shares.sorted() && shares.first! > 0 && shares.last == 1)
  }

  /// A partition takes 14 rounds, and the neighbours of a sample, with whether data are diffuse, three more once.
  @Test(arguments: [2, 4, 8]) func takeFewRoundsOnAnyNumberOfRanks(ranks: Int) throws {
    let rows = clusteredRows(1500, 8, clusters: 20, seed: 68)
    let nodes = NodePartition(sharing: 1500, among: ranks)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let counting = CountingCommunicator(communicator)
      let summary = try approximateNeighbors(
        of: rows.slice(nodes.owned(by: communicator.rank)), listLength: 4, in: nodes, on: counting
      ).summary
      return (rounds: counting.traffic.rounds, partitions: summary.recallByPartition.count)
    }
    #expect(shares.allSatisfy { $0.rounds == 3 + 14 * $0.partitions }, "\(shares)")
  }

  /// Also if a third of the rows are copies of others, or half of all are one vector.
  @Test(arguments: [4, 8], [0, 1, 2])
  func costNoRankMoreThanItsShare(ranks: Int, kind: Int) throws {
    let count = 1000 * ranks
    let rows = clusteredRows(count, 8, clusters: 60, seed: 76)
    let copied = Matrix(
      rows: count, columns: 8,
      elements: (0..<count).flatMap {
        rows.row(kind == 1 && $0 % 3 == 0 ? $0 / 40 * 40 + 1 : kind == 2 && $0 % 2 == 0 ? 0 : $0)
      })
    let nodes = NodePartition(sharing: count, among: ranks)
    let (lists, summary) = try approximate(copied, listLength: 5, recall: 0.8, in: nodes)
    #expect(summary.imbalance >= 1 && summary.imbalance <= 1.1, "\(summary.imbalance)")
    #expect(lists.similarities.allSatisfy { $0 <= 1 })
    let alone = try approximate(
      copied, listLength: 5, recall: 0.8, in: NodePartition(sharing: count, among: 1))
    #expect(bits(lists) == bits(alone.lists) && lists == alone.lists)
    #expect(alone.summary.imbalance == 1)
  }
}

/// A search in which some of the nodes ask.
@Suite struct ApproximateNeighborsOfSome {
  /// What ranks find that share the rows that ask, and the others; lists of the former in order.
  private func found(
    _ asking: [Int], of rows: Matrix, recall: Double, ranks: Int, threads: Int = 1
  ) throws -> (lists: NeighborLists, summary: SearchSummary) {
    let others = Set(0..<rows.rowCount).subtracting(asking).sorted()
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      func own(_ rows: [Int]) -> [Int] {
        Array(
          rows[NodePartition(sharing: rows.count, among: ranks).owned(by: communicator.rank)])
      }
      let (first, then) = (own(asking), own(others))
      let nodes = NodePartition(
        firstNode: (try communicator.gatherOne(first.count + then.count) + [0])
          .exclusivePrefixSums())
      return try nearestNeighbors(
        ofFirst: first.count, of: StoredRows(rows.copy(ofRows: first + then)), listLength: 9,
        by: SearchOptions(.approximate, recall: recall), in: nodes,
        named: (first + then).map { GlobalNode($0) }, using: Workers(threads), on: communicator)
    }
    var summary = shares[0].summary
    summary.approximate = summary.approximate?.ofAnyRanks
    return (
      NeighborLists(
        listLength: 9, neighbors: shares.flatMap(\.lists.neighbors),
        similarities: shares.flatMap(\.lists.similarities)), summary
    )
  }

  /// Rows in clusters, and rows whose neighbours are in many directions, with some of zeros.
  private func rows(areSpread: Bool) -> Matrix {
    var rows =
      areSpread
      ? unitRows(2400, 24, seed: 90) : clusteredRows(2400, 20, clusters: 60, seed: 91)
    for row in stride(from: 5, to: 2400, by: 90) {
      for column in 0..<rows.columnCount { rows[row, column] = 0 }
    }
    return rows
  }

  /// The first of a list are the exact ones, with their bits, but for some that are missing, of which the estimate tells.
  @Test(arguments: [false, true])
  func areExactOnesExceptForSomeThatAreMissing(areSpread: Bool) throws {
    let rows = rows(areSpread: areSpread)
    let asking = (0..<2400).filter { $0 % 2 == 0 || $0 < 100 }
    let (lists, summary) = try found(asking, of: rows, recall: 0.9, ranks: 1)
    let all = try search(rows, listLength: 2399, in: NodePartition(sharing: 2400, among: 1))
    for (list, node) in asking.enumerated() {
      let places = node * 2399..<(node + 1) * 2399
      let exact = Dictionary(
        uniqueKeysWithValues: places.filter { all.neighbors[$0] != NeighborLists.none }
          .map { (all.neighbors[$0], $0) })
      let found = (list * 9..<(list + 1) * 9).filter { lists.neighbors[$0] != NeighborLists.none }
      let order = found.map { exact[lists.neighbors[$0]] ?? -1 }
      #expect(order == order.sorted() && Set(order).count == order.count && order.first != -1)
      #expect(zip(found, order).allSatisfy { lists.similarities[$0] == all.similarities[$1] })
    }
    let exact = try search(rows, listLength: 9, in: NodePartition(sharing: 2400, among: 1))
    let places = asking.flatMap { $0 * 9..<($0 + 1) * 9 }
    let truth = recall(
      of: lists,
      by: NeighborLists(
        listLength: 9, neighbors: places.map { exact.neighbors[$0] },
        similarities: places.map { exact.similarities[$0] }))
    let estimate = try #require(summary.approximate).recall
    #expect(summary.method == .approximate && estimate.lower >= 0.9 && estimate.rowCount > 700)
    #expect(
      truth >= estimate.lower - 0.01 && truth <= estimate.upper + 0.01, "\(truth), \(estimate)")
  }

  @Test(arguments: [2, 3, 7], [false, true])
  func haveTheSameBitsOnAnyNumberOfRanksAndThreads(ranks: Int, areSpread: Bool) throws {
    let rows = rows(areSpread: areSpread)
    for asking in [(0..<2400).filter { $0 % 7 == 0 }, Array(2390..<2400), []] {
      let alone = try found(asking, of: rows, recall: 0.98, ranks: 1)
      let several = try found(asking, of: rows, recall: 0.98, ranks: ranks, threads: 2)
      #expect(bits(several.lists) == bits(alone.lists) && several.lists == alone.lists)
      #expect(several.summary == alone.summary)
      #expect(several.lists.neighbors.count == 9 * asking.count)
    }
  }
}

@Suite struct ChoiceOfSearch {
  @Test(arguments: [0, 2, 1000, 20_000, 50_000], [9, 20, 80])
  func isExactForFewNodes(nodeCount: Int, listLength: Int) {
    let plan = SearchPlan(nodeCount: nodeCount, listLength: listLength)
    #expect(plan.choice(by: SearchOptions(.auto)).method == .exact)
    #expect(plan.choice(by: SearchOptions(.approximate)).method == .approximate)
  }

  @Test(arguments: [300_000, 1_000_000, 1_000_000_000], [9, 20, 80])
  func isApproximateForMany(nodeCount: Int, listLength: Int) {
    let plan = SearchPlan(nodeCount: nodeCount, listLength: listLength)
    #expect(plan.choice(by: SearchOptions(.auto)).method == .approximate)
    #expect(plan.choice(by: SearchOptions(.exact)).method == .exact)
  }

  /// The cells of all nodes are found for those that ask, so there must be some.
  @Test func isApproximateWhereEnoughAsk() {
    func method(_ nodeCount: Int, _ askingCount: Int) -> SearchMethod {
      SearchPlan(nodeCount: nodeCount, listLength: 9, askingCount: askingCount)
        .choice(by: SearchOptions()).method
    }
    #expect(method(1_100_000, 100_000) == .approximate && method(220_000, 20_000) == .approximate)
    #expect(method(1_000_100, 100) == .exact && method(10_000, 5000) == .exact)
  }

  /// More and larger cells pay off later.
  @Test(arguments: [9, 20, 80])
  func isExactForLongerWhereNodesAreSpread(listLength: Int) {
    var options = SearchOptions(.auto)
    options.expectsDiffuse = true
    func methods(_ nodeCounts: [Int]) -> [SearchMethod] {
      nodeCounts.map {
        SearchPlan(nodeCount: $0, listLength: listLength).choice(by: options).method
      }
    }
    #expect(methods([90_000, 300_000, 2_000_000]) == [.exact, .exact, .approximate])
    // Fewer partitions are enough for less.
    options.recall = 0.9
    #expect(methods([90_000, 900_000]) == [.exact, .approximate])
  }

  /// No sample of a thousand nodes tells a recall of .9999 from 1.
  @Test func isExactForARecallThatNoEstimateShows() throws {
    let plan = SearchPlan(nodeCount: 1_000_000, listLength: 9)
    #expect(plan.choice(by: SearchOptions(.auto, recall: 0.9999)).method == .exact)
    #expect(plan.choice(by: SearchOptions(.auto, recall: 0.999)).method == .approximate)
    let rows = unitRows(1100, 4, seed: 70)
    func search(_ recall: Double) throws -> SearchSummary {
      try nearestNeighbors(
        of: rows, listLength: 9, by: SearchOptions(.approximate, recall: recall),
        in: NodePartition(sharing: 1100, among: 1), on: SingleRank()
      ).summary
    }
    #expect(throws: AgreedFailure.self) { try search(1) }
    #expect(try search(0.9).approximate!.recall.lower >= 0.9)
  }

  /// A limit of memory holds for data of any kind.
  @Test(arguments: [1, 2, 8])
  func isPlannedForDiffuseData(rankCount: Int) {
    func bytesPerRow(_ method: SearchMethod) -> Double {
      SearchMemory(
        rowCount: 1_000_000, nodeCount: 1_000_000 * rankCount, columnCount: 128, element: .float32,
        listLength: 9, rankCount: rankCount
      ).bytes(by: SearchOptions(method)) / 1e6
    }
    let held = 512.0 + 12 * 9 + 12 + 32
    // 12 visits of 4.4 bytes each, and of an eighth of them 40.
    let visits = 12 * (4.4 + 5)
    #expect(bytesPerRow(.approximate) >= held + visits)
  }

  @Test(arguments: [SearchMethod.exact, .auto, .approximate])
  func isWhatTheSummarySays(method: SearchMethod) throws {
    let rows = unitRows(300, 6, seed: 69)
    let nodes = NodePartition(sharing: 300, among: 1)
    let (lists, summary) = try nearestNeighbors(
      of: rows, listLength: 5, by: SearchOptions(method, recall: 1), in: nodes, on: SingleRank())
    #expect(lists == BruteForce(rows).lists(listLength: 5))
    #expect(summary.method == (method == .approximate ? .approximate : .exact))
    #expect((summary.approximate != nil) == (method == .approximate))
  }
}

@Suite struct ApproximateNeighborsWithNames {
  /// Nodes in another order find the same neighbours, if they keep their names.
  @Test(arguments: [1, 3])
  func doNotDependOnTheOrderOfNodes(ranks: Int) throws {
    let count = 700
    let rows = clusteredRows(count, 10, clusters: 15, seed: 75)
    let inOrder = try approximate(
      rows, listLength: 6, recall: 0.95, in: NodePartition(sharing: count, among: 1))
    // 701 is prime: all places once.
    let order = (0..<count).map { ($0 + 1) * 300 % 701 - 1 }
    let moved = Matrix(
      rows: count, columns: 10, elements: order.flatMap { rows.row($0) })
    let nodes = NodePartition(sharing: count, among: ranks)
    let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = nodes.owned(by: communicator.rank)
      return try approximateNeighbors(
        of: moved.slice(owned), listLength: 6, recall: 0.95, in: nodes,
        named: owned.map { GlobalNode(order[$0]) }, on: communicator)
    }
    #expect(shares.allSatisfy { $0.summary.ofAnyRanks == inOrder.summary.ofAnyRanks })
    let neighbors = shares.flatMap(\.lists.neighbors)
    let similarities = shares.flatMap(\.lists.similarities)
    for (place, node) in order.enumerated() {
      let (own, same) = (place * 6..<(place + 1) * 6, node * 6..<(node + 1) * 6)
      #expect(Array(neighbors[own]) == Array(inOrder.lists.neighbors[same]))
      #expect(Array(similarities[own]) == Array(inOrder.lists.similarities[same]))
    }
  }
}
