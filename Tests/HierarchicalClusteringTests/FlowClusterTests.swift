import Communication
import DistributedGraphs
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism
import RandomInputs
import Testing

/// Clustering by flow, from rows to labels.
@Suite struct FlowClusterTests {
  @Test func theAnswerDoesNotDependOnRanksOrThreads() throws {
    let rows = mixture(groups: 11, size: 8, noise: 0.35, seed: 3)
    let alone = try clusterByFlow(rows, ranks: 1)
    for (ranks, threads) in [(1, 2), (2, 1), (3, 2), (5, 1)] {
      let answer = try clusterByFlow(rows, ranks: ranks, threads: threads)
      #expect(answer == alone, "\(ranks) ranks, \(threads) threads")
    }
    #expect(alone.choice!.trials.map(\.neighborCount) == [6, 8, 10, 15, 20, 30, 40, 60, 80])
  }

  @Test func plainGroupsAreFoundAndTheirKIsChosen() throws {
    let answer = try clusterByFlow(mixture(groups: 12, size: 15, noise: 0.1, seed: 4), ranks: 2)
    #expect(answer.labels == (0..<180).map { Int64($0 / 15) })
    let choice = try #require(answer.choice)
    #expect(choice.trials.allSatisfy { $0.score == $0.silhouette + 0.2 * $0.agreement })
    let best = choice.trials.map(\.score).max()!
    #expect(choice.trials.first { $0.score == best }?.neighborCount == choice.neighborCount)
  }

  /// Lists of 60 of 400 points without parts have a seventh in common.
  @Test func clustersMuchLargerThanTheirListsAreWhole() throws {
    let answer = try clusterByFlow(
      mixture(groups: 3, size: 400, noise: 0.8, seed: 6, width: 96), neighborCount: 60, ranks: 2)
    #expect(answer.labels.elementsEqual((0..<1200).map { Int64($0 / 400) }))
    #expect(try #require(answer.choice?.threshold) < 0.2)
  }

  /// Three quarters of the points are in no group.
  @Test func tightGroupsAreFoundAmidNoise() throws {
    let groups = mixture(groups: 10, size: 15, noise: 0.05, seed: 9)
    let noise = randomMatrix(400, groups.columnCount, seed: 10)
    let rows = Matrix(
      rows: 550, columns: groups.columnCount, elements: groups.elements + noise.elements)
    let answer = try clusterByFlow(rows, neighborCount: 12, ranks: 2)
    #expect(answer.choice?.threshold == nil)
    #expect(answer.labels.prefix(150).elementsEqual((0..<150).map { Int64($0 / 15) }))
  }

  @Test func aGivenKIsTaken() throws {
    let answer = try clusterByFlow(
      mixture(groups: 6, size: 10, noise: 0.1, seed: 4), neighborCount: 7, ranks: 2)
    #expect(answer.choice == ListLengthChoice(neighborCount: 7))
    #expect(answer.labels == (0..<60).map { Int64($0 / 10) })
  }

  @Test(arguments: 1...3)
  func theOrderOfTheInputDoesNotMatter(seed: Int) throws {
    let rows = mixture(groups: 9, size: 8, noise: 0.45, seed: 30 + seed)
    var generator = SeededGenerator(seed: seed)
    let order = Array(0..<rows.rowCount).shuffled(using: &generator)
    let found = try clusterByFlow(rows, ranks: 1)
    let moved = try clusterByFlow(rows.copy(ofRows: order), ranks: 3)
    #expect(moved.choice == found.choice)
    // The same clusters, numbered in another order.
    var number: [Int64: Int64] = [:]
    for (place, row) in order.enumerated() {
      let label = number[found.labels[row], default: moved.labels[place]]
      number[found.labels[row]] = label
      #expect(label == moved.labels[place])
    }
    #expect(Set(number.values).count == number.count)
  }

  @Test func copiesAreOneNodeAndCountAsPoints() throws {
    let rows = mixture(groups: 8, size: 9, noise: 0.2, seed: 8)
    let order = (0..<rows.rowCount).flatMap { [$0, $0, $0] }
    let found = try clusterByFlow(rows, neighborCount: 8, ranks: 1)
    let tripled = try clusterByFlow(rows.copy(ofRows: order), neighborCount: 8, ranks: 3)
    #expect(tripled.labels == found.labels.flatMap { [$0, $0, $0] })
    #expect(tripled.nodeCount == rows.rowCount)
    let same = Matrix(rows: 5, columns: 2, elements: [1, 2, 1, 2, 2, 4, 1, 2, 1, 2])
    #expect(try clusterByFlow(same, ranks: 2).labels == [0, 0, 0, 0, 0])
  }

  @Test(arguments: 0...7, [1, 3])
  func thereMayBeFewerPointsThanPlaces(pointCount: Int, ranks: Int) throws {
    let rows = mixture(groups: 1, size: pointCount, noise: 0.2, seed: 9)
    let chosen = try clusterByFlow(rows, ranks: ranks)
    #expect(chosen.labels.count == pointCount)
    #expect(try clusterByFlow(rows, ranks: 1) == chosen)
    let given = try clusterByFlow(rows, neighborCount: 40, ranks: ranks)
    #expect(given.labels == Array(repeating: 0, count: pointCount))
  }

  @Test func pointsWithoutDirectionStayAlone() throws {
    var rows = mixture(groups: 2, size: 8, noise: 0.1, seed: 10)
    for row in [3, 9] {
      for column in 0..<rows.columnCount { rows[row, column] = 0 }
    }
    let answer = try clusterByFlow(rows, ranks: 2)
    #expect(answer.labels == [0, 0, 0, 1, 0, 0, 0, 0, 2, 3, 2, 2, 2, 2, 2, 2])
  }

  @Test func theNetworkIsTakenOnlyWhereItSeparatesClustersClearlyBetter() throws {
    let ranks = 2
    for (groups, size) in [(50, 2), (9, 9)] {
      let rows = mixture(groups: groups, size: size, noise: 0.3, seed: 11)
      let model = try TrainedModel(path: nil, dimensions: rows.columnCount)
      let flow = FlowPlan()
      let network = try ClusteringPlan(ClusteringOptions(), with: model)
      let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let source = EmbeddingsInMemory(rows)
        return (
          both: try cluster(
            source, by: ComparingPlan(flow: flow, network: network), on: communicator),
          flow: try cluster(source, by: flow, on: communicator),
          network: try cluster(source, by: network, on: communicator)
        )
      }
      let comparison = try #require(shares[0].both.comparison)
      let other = comparison.prefersNetwork ? shares.map(\.network) : shares.map(\.flow)
      #expect(shares.flatMap(\.both.labels) == other.flatMap(\.labels))
      #expect(shares[0].both.choice == other[0].choice)
      #expect(comparison.prefersNetwork == (comparison.network > comparison.flow + 0.05))
      // Lists of six places are too long for pairs.
      if size == 2 { #expect(comparison.prefersNetwork, "\(comparison)") }
    }
  }

  @Test(arguments: [1, 2, 3])
  func theSilhouetteIsThatOfCentroidsThatPointsHaveJoined(ranks: Int) throws {
    var rows = mixture(groups: 9, size: 10, noise: 0.4, seed: 13)
    // Some points belong nowhere.
    let strays = randomMatrix(9, rows.columnCount, seed: 14)
    for stray in 0..<9 {
      for column in 0..<rows.columnCount { rows[10 * stray, column] = strays[stray, column] }
    }
    let directions = unitRows(rows)
    let choice = try #require(try clusterByFlow(rows, ranks: ranks).choice)
    var singleCount = 0
    for trial in choice.trials {
      let labels = try clusterByFlow(rows, neighborCount: trial.neighborCount, ranks: ranks).labels
      singleCount += singles(labels).count
      let expected = silhouette(of: attached(labels, directions), directions)
      #expect(abs(trial.silhouette - expected) < 1e-5, "\(trial), plainly \(expected)")
      #expect(trial.clusterCount == Set(labels).count)
    }
    #expect(singleCount > 0)
  }

  @Test(arguments: [1, 3])
  func theAgreementIsTheSmallerOneWithTheListsBeforeAndAfter(ranks: Int) throws {
    let rows = mixture(groups: 9, size: 10, noise: 0.9, seed: 14)
    let trials = try #require(try clusterByFlow(rows, ranks: ranks).choice).trials
    let labels = try trials.map {
      try clusterByFlow(rows, neighborCount: $0.neighborCount, ranks: ranks).labels
    }
    let agreements = zip(labels, labels.dropFirst()).map { agreement(of: $0, and: $1) }
    #expect(Set(agreements).count > 1)
    for (place, trial) in trials.enumerated() {
      let beside = agreements[max(place - 1, 0)..<min(place + 1, agreements.count)]
      #expect(abs(trial.agreement - beside.min()!) < 1e-12, "\(trial), plainly \(beside)")
    }
  }

  @Test(arguments: [1, 2, 3], [1, 7, 1000])
  func pointsThatAreAloneJoinTheNearestMeanInTilesOfAnyLength(
    ranks: Int, tileLength: Int
  ) throws {
    let rows = mixture(groups: 4, size: 10, noise: 0.8, seed: 15)
    // In tens: a cluster of four, two of two, and two points that are alone.
    let firsts = [0, 0, 0, 0, 4, 4, 6, 6, 8, 9]
    let labels: [Int64] = (0..<40).map { Int64($0 - $0 % 10 + firsts[$0 % 10]) }
    let joined = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let source = EmbeddingsInMemory(rows)
      var run = try ClusteringRun(
        reading: source, invalid: .error, asStored: false, using: Workers(), on: communicator)
      try run.contract(
        to: run.level.nodes.owned(by: communicator.rank).map { GlobalNode(labels[$0]) }, as: 1,
        keeping: .ofDirections, of: source, using: Workers(), on: communicator)
      try run.attachSingles(
        of: source, inTilesOf: tileLength, using: Workers(), on: communicator)
      return try run.labels(on: communicator).labels
    }.flatMap { $0 }
    let expected = attached(labels, unitRows(rows))
    #expect(agreement(of: joined, and: expected) == 1)
    #expect(singles(labels).count == 8 && singles(joined).isEmpty)
  }
}

private struct FlowAnswer: Equatable {
  var labels: [Int64] = []
  var choice: ListLengthChoice?
  var nodeCount: Int?
}

private func clusterByFlow(
  _ rows: Matrix, neighborCount: Int? = nil, ranks: Int, threads: Int = 1
) throws -> FlowAnswer {
  let plan = FlowPlan(
    neighborCount: neighborCount, invalidRows: .singleton, workers: Workers(threads))
  let shares = try ThreadCommunicator.run(ranks: ranks) { communicator in
    try cluster(EmbeddingsInMemory(rows), by: plan, on: communicator)
  }
  return FlowAnswer(
    labels: shares.flatMap(\.labels), choice: shares[0].choice.listLength,
    nodeCount: shares[0].levels.first?.nodeCount)
}

/// Points around directions of their own.
func mixture(groups: Int, size: Int, noise: Float, seed: Int, width: Int = 24) -> Matrix {
  let centers = randomMatrix(groups, width, seed: seed)
  var rows = randomMatrix(groups * size, width, seed: seed + 1000, scale: noise)
  for row in 0..<groups * size {
    for column in 0..<width { rows[row, column] += centers[row / size, column] }
  }
  return rows
}

private func unitRows(_ rows: Matrix) -> [[Double]] {
  (0..<rows.rowCount).map { row in unit((0..<rows.columnCount).map { Double(rows[row, $0]) }) }
}

private func unit(_ values: [Double]) -> [Double] {
  let length = product(values, values).squareRoot()
  return values.map { $0 / length }
}

private func product(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}

/// The only points of their clusters.
private func singles(_ labels: [Int64]) -> [Int] {
  Dictionary(grouping: labels.indices) { labels[$0] }.values.filter { $0.count == 1 }.map { $0[0] }
}

/// Points that are alone with those of the nearest mean direction of several.
private func attached(_ labels: [Int64], _ directions: [[Double]]) -> [Int64] {
  let means = Dictionary(grouping: labels.indices) { labels[$0] }.filter { $0.value.count > 1 }
    .mapValues { rows in
      unit(directions[0].indices.map { column in rows.reduce(0.0) { $0 + directions[$1][column] } })
    }
  var labels = labels
  for row in singles(labels) {
    let nearest = means.max {
      product(directions[row], $0.value) < product(directions[row], $1.value)
    }
    if let nearest { labels[row] = nearest.key }
  }
  return labels
}

/// The mean of pairwise and BCubed F, point by point.
private func agreement(of first: [Int64], and second: [Int64]) -> Double {
  let points = first.indices
  func ratios(_ a: [Int64], _ b: [Int64]) -> (pairwise: Double, bcubed: Double) {
    var (both, one, cubed) = (0, 0, 0.0)
    for i in points {
      let same = points.filter { a[$0] == a[i] }
      let shared = same.count { b[$0] == b[i] }
      both += shared - 1
      one += same.count - 1
      cubed += Double(shared) / Double(same.count)
    }
    return (Double(both) / Double(one), cubed / Double(points.count))
  }
  let (p, r) = (ratios(second, first), ratios(first, second))
  func f(_ p: Double, _ r: Double) -> Double { p + r > 0 ? 2 * p * r / (p + r) : 0 }
  return (f(p.pairwise, r.pairwise) + f(p.bcubed, r.bcubed)) / 2
}

/// The mean of (a − b) / max(1 − a, 1 − b), by the mean directions of clusters; −1 where nothing is separated.
private func silhouette(of labels: [Int64], _ directions: [[Double]]) -> Double {
  let members = Dictionary(grouping: labels.indices) { labels[$0] }
  let means = members.mapValues { rows in
    directions[0].indices.map { column in
      rows.reduce(0) { $0 + directions[$1][column] } / Double(rows.count)
    }
  }
  guard (2..<labels.count).contains(members.count) else { return -1 }
  return labels.indices.reduce(0.0) { sum, row in
    let own = members[labels[row]]!.filter { $0 != row }
    guard !own.isEmpty else { return sum }
    let a = own.reduce(0) { $0 + product(directions[row], directions[$1]) } / Double(own.count)
    let b = means.filter { $0.key != labels[row] }.map { product(directions[row], $0.value) }.max()!
    return sum + (a - b) / max(1 - a, 1 - b)
  } / Double(labels.count)
}
