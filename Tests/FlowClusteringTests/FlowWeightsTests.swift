import Communication
import DistributedGraphs
import FlowClustering
import Foundation
import Parallelism
import RandomInputs
import Testing

/// Weights against the formula, read from the paper.
@Suite struct FlowWeightsTests {
  @Test(arguments: [1, 2, 3])
  func aTriangleAndAPointBesideItHaveTheWeightsOneCounts(ranks: Int) throws {
    // 0, 1 and 2 are near each other; 3 has 2 and 1 in its list, and is in nobody's.
    let lists = NeighborLists(
      listLength: 2, neighbors: [1, 2, 0, 2, 1, 0, 2, 1].map { GlobalNode($0) },
      similarities: [0.9, 0.8, 0.9, 0.85, 0.85, 0.8, 0.3, 0.2])
    let found = try weights(lists, ranks: ranks)
    func step(_ a: Double, among all: [Double]) -> Double {
      exp(-(2 - 2 * a) / 0.5) / all.map { exp(-(2 - 2 * $0) / 0.5) }.reduce(0, +)
    }
    // The lists of 0, 1 and 2 have the same three points: all steps are common.
    for edge in 0..<6 { #expect(abs(found[edge] - 1) < 1e-5, "edge \(edge)") }
    // 3 and 2 have 1 and 2 in common.
    let of3 = [1, 0.3, 0.2]
    let of2 = [1, 0.85, 0.8]
    let expected =
      (step(0.3, among: of3) + step(1, among: of2) + step(0.2, among: of3)
        + step(0.85, among: of2)) / 2
    #expect(abs(found[6] - expected) < 1e-5)
    #expect(expected > 0.4)
  }

  @Test(arguments: [1, 2, 5], [1, 2])
  func randomListsHaveTheWeightsOfTheFormulaOnAnyNumberOfRanks(
    ranks: Int, threads: Int
  ) throws {
    let lists = randomLists(count: 40, length: 6, seed: 5)
    let found = try weights(lists, ranks: ranks, threads: threads)
    let expected = plainWeights(lists)
    #expect(found.count == expected.count)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(expected.contains(0) && expected.contains { $0 > 0 })
    #expect(found == (try weights(lists, ranks: 1)))
  }

  @Test func aListEndsAtTheFirstWeightBelowTheThreshold() throws {
    let lists = randomLists(count: 40, length: 6, seed: 6)
    let found = try weights(lists, ranks: 1)
    for node in 0..<40 {
      let row = found[node * 6..<(node + 1) * 6]
      #expect(row.drop { $0 > 0 }.allSatisfy { $0 == 0 })
      #expect(row.allSatisfy { $0 == 0 || $0 >= 0.4 - 1e-6 })
    }
  }

  /// Lists of random nodes: two have the less in common the more nodes there are.
  @Test(arguments: [1, 3, 4], [20, 200, 2000])
  func theThresholdFallsWithWhatNearestNeighborsHaveInCommon(ranks: Int, count: Int) throws {
    var generator = SeededGenerator(seed: count)
    let neighbors = (0..<count).flatMap { node in
      (0..<count).filter { $0 != node }.shuffled(using: &generator).prefix(10)
    }
    let lists = NeighborLists(
      listLength: 10, neighbors: neighbors.map { GlobalNode($0) },
      similarities: (0..<count).flatMap { _ in (0..<10).map { 0.9 - 0.01 * Float($0) } })
    let thresholds = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let nodes = NodePartition(sharing: count, among: communicator.size)
      return try FlowWeights(
        lists.slice(nodes.owned(by: communicator.rank)), in: nodes, on: communicator
      ).threshold
    }
    let (expected, nearness) = plainThreshold(lists)
    // m is known to a thousandth of 0.75.
    let most = 0.4 * 2 * min(nearness / 0.75, 1) * 0.001
    #expect(thresholds.allSatisfy { $0 <= expected + 1e-6 && expected - $0 < most + 1e-6 })
    #expect(Set(thresholds).count == 1)
    #expect(count == 20 ? expected > 0.2 : expected < 0.1)
  }

  /// Of some nodes, and with all edges that are strong enough, as for new points.
  @Test(arguments: [1, 3])
  func listsNeedNotEndAndNotAllNodesHaveEdges(ranks: Int) throws {
    let lists = randomLists(count: 40, length: 6, seed: 6)
    let ended = try weights(lists, ranks: 1)
    let all = try weights(lists, ranks: 1, endingLists: false)
    #expect(zip(ended, all).allSatisfy { $0 == 0 || $0 == $1 } && ended != all)
    #expect(all.allSatisfy { $0 == 0 || $0 >= 0.4 - 1e-6 })
    let some = try weights(lists, ranks: ranks, first: 7, endingLists: false)
    let nodes = NodePartition(sharing: 40, among: ranks)
    let expected = nodes.firstNode.dropLast().flatMap { all[$0 * 6..<($0 + 7) * 6] }
    #expect(some == expected)
  }
}

/// θ and m, from the weights of all first edges.
private func plainThreshold(_ lists: NeighborLists) -> (threshold: Double, nearness: Double) {
  let nearest = stride(from: 0, to: lists.neighbors.count, by: lists.listLength)
  let all = plainWeights(lists, endingAt: 0)
  let sorted = nearest.map { all[$0] }.sorted()
  let nearness = sorted[sorted.count - (sorted.count + 9) / 10]
  return (0.4 * pow(min(1, nearness / 0.75), 2), nearness)
}

private func weights(
  _ lists: NeighborLists, ranks: Int, threads: Int = 1, first: Int? = nil, endingLists: Bool = true,
  threshold: Double? = FlowWeights.usualThreshold
) throws -> [Double] {
  try ThreadCommunicator.run(ranks: ranks) { communicator in
    let nodes = NodePartition(sharing: lists.count, among: communicator.size)
    return try FlowWeights(
      lists.slice(nodes.owned(by: communicator.rank)), in: nodes, weighingFirst: first,
      endingLists: endingLists, threshold: threshold, using: Workers(threads), on: communicator
    ).doubled.map { Double($0) / Double(2 * FlowWeights.unit) }
  }.flatMap { $0 }
}

/// Lists in which near numbers are likely.
private func randomLists(count: Int, length: Int, seed: Int) -> NeighborLists {
  var generator = SeededGenerator(seed: seed)
  var (neighbors, similarities): ([GlobalNode], [Float]) = ([], [])
  for node in 0..<count {
    let others = (0..<count).filter { $0 != node }.map {
      (node: $0, far: Double(abs($0 - node)) + 8 * Double.random(in: 0..<1, using: &generator))
    }.sorted { $0.far < $1.far }.prefix(length)
    neighbors += others.map { GlobalNode($0.node) }
    similarities += others.map { Float(1 / (1 + $0.far / 10)) }
  }
  return NeighborLists(listLength: length, neighbors: neighbors, similarities: similarities)
}

private func plainWeights(_ lists: NeighborLists, endingAt threshold: Double = 0.4) -> [Double] {
  let steps = (0..<lists.count).map { node -> [Int: Double] in
    var steps = [node: 1.0]
    for place in node * lists.listLength..<(node + 1) * lists.listLength {
      steps[Int(lists.neighbors[place].index)] = exp(
        -(2 - 2 * Double(lists.similarities[place])) / 0.5)
    }
    let sum = steps.values.reduce(0, +)
    return steps.mapValues { $0 / sum }
  }
  return (0..<lists.count).flatMap { node -> [Double] in
    var hasEnded = false
    return (node * lists.listLength..<(node + 1) * lists.listLength).map { place in
      let other = steps[Int(lists.neighbors[place].index)]
      let weight = steps[node].reduce(0.0) { sum, step in
        other[step.key].map { sum + (step.value + $0) / 2 } ?? sum
      }
      hasEnded = hasEnded || weight < threshold
      return hasEnded ? 0 : weight
    }
  }
}
