import Communication
import DistributedGraphs
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Testing

/// The clusters of a fit, merged further.
@Suite struct ClusterTrees {
  private static let rows = randomMatrix(60, 7, seed: 81)
  private static let labels = (0..<60).map { Int64($0 < 12 ? $0 : $0 * $0 % 12) }

  /// A clustering of random points into twelve clusters.
  private func onRanks<R: Sendable>(
    _ ranks: Int, _ body: @escaping @Sendable (FittedClustering, ThreadCommunicator) throws -> R
  ) throws -> [R] {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      let points = NodePartition(sharing: 60, among: communicator.size)
      let fit = try FittedClustering(
        of: EmbeddingsInMemory(Self.rows),
        labels: Array(Self.labels[points.owned(by: communicator.rank)]),
        FittedClustering.Settings(
          method: .flow, neighborCount: 5, dimensions: 7, clusterCount: 12), on: communicator)
      return try body(fit, communicator)
    }
  }

  /// The mean similarity of all pairs.
  private func similarity(_ first: [Int], _ second: [Int]) -> Double {
    var unit = Self.rows
    unit.normalizeRows()
    var sum = 0.0
    for a in first {
      for b in second {
        for column in 0..<7 { sum += Double(unit[a, column]) * Double(unit[b, column]) }
      }
    }
    return sum / Double(first.count * second.count)
  }

  private func members(_ isMember: (Int) -> Bool) -> [Int] {
    (0..<60).filter { isMember(Int(Self.labels[$0])) }
  }

  /// The two most similar clusters merge, again and again.
  @Test(arguments: [1, 3])
  func mergeTheMostSimilarFirst(ranks: Int) throws {
    for tree in try onRanks(ranks, { try ClusterTree(of: $0, on: $1) }) {
      #expect(tree.merges.count == 11 && tree.merges[10].pointCount == 60)
      var groups = Dictionary(
        uniqueKeysWithValues: (0..<12).map { label in
          (label, members { $0 == label })
        })
      for (place, merge) in tree.merges.enumerated() {
        let numbers = groups.keys.sorted()
        let best = numbers.flatMap { a in
          numbers.filter { $0 > a }.map { similarity(groups[a]!, groups[$0]!) }
        }.max()!
        let found = similarity(groups[merge.first]!, groups[merge.second]!)
        #expect(abs(found - best) < 1e-6 && abs(merge.similarity - best) < 1e-6)
        groups[12 + place] =
          groups.removeValue(forKey: merge.first)!
          + groups.removeValue(forKey: merge.second)!
        #expect(merge.pointCount == groups[12 + place]!.count)
        #expect(tree.clusters(afterMerges: place + 1).max() == 10 - place)
      }
      #expect(tree.newick.filter { $0 == "(" }.count == 11 && tree.newick.hasSuffix(");\n"))
      checkGraphML(of: tree)
    }
  }

  /// Every merge has edges to both that it joins, whose lengths add up to its height; nodes say what they hold.
  private func checkGraphML(of tree: ClusterTree) {
    let lines = tree.graphML.split(separator: "\n").map(String.init)
    func value(_ key: String, _ line: String) -> Double? {
      line.split(separator: "<data key=\"\(key)\">").dropFirst().first
        .flatMap { $0.split(separator: "<").first }.flatMap { Double($0) }
    }
    func name(_ attribute: String, _ line: String) -> Int? {
      line.split(separator: " \(attribute)=\"n").dropFirst().first
        .flatMap { $0.split(separator: "\"").first }.flatMap { Int($0) }
    }
    let nodes = lines.filter { $0.contains("<node ") }
    let edges = lines.filter { $0.contains("<edge ") }
    #expect(nodes.compactMap { name("id", $0) } == Array(0..<23) && edges.count == 22)
    #expect(nodes.prefix(12).compactMap { value("label", $0) } == (0..<12).map { Double($0) })
    #expect(
      nodes.compactMap { value("points", $0) }
        == (tree.pointCounts + tree.merges.map(\.pointCount)).map { Double($0) })
    #expect(nodes.compactMap { value("similarity", $0) } == tree.merges.map(\.similarity))
    var heights = Array(repeating: 0.0, count: 12)
    for (place, merge) in tree.merges.enumerated() {
      let own = edges.filter { name("source", $0) == 12 + place }
      #expect(own.compactMap { name("target", $0) } == [merge.first, merge.second])
      heights.append(1 - merge.similarity)
      for (edge, child) in zip(own, [merge.first, merge.second]) {
        #expect(
          value("length", edge).map { abs(heights[child] + $0 - heights[12 + place]) < 1e-12 }
            == true)
      }
    }
    #expect(
      lines.first == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" && lines.last == "</graphml>")
  }

  /// Clusters of the same direction are at height 0, not below, whatever rounding makes of it.
  @Test func heightsAreNeitherNegativeNorFall() throws {
    let directions = randomMatrix(9, 23, seed: 82)
    let rows = directions.copy(ofRows: (0..<45).map { $0 % 9 })
    let similarities = try ThreadCommunicator.run(ranks: 1) { communicator in
      let fit = try FittedClustering(
        of: EmbeddingsInMemory(rows), labels: (0..<45).map { Int64($0) },
        FittedClustering.Settings(
          method: .flow, neighborCount: 5, mergesCopies: false, dimensions: 23, clusterCount: 45),
        on: communicator)
      return try ClusterTree(of: fit, on: communicator).merges.map(\.similarity)
    }[0]
    #expect(similarities.count == 44 && similarities.prefix(36).allSatisfy { $0 > 1 - 1e-6 })
    #expect(similarities.allSatisfy { (-1...1).contains($0) })
    #expect(zip(similarities, similarities.dropFirst()).allSatisfy { $0 >= $1 })
  }

  @Test func doNotDependOnRanks() throws {
    let alone = try onRanks(1) { try ClusterTree(of: $0, on: $1) }[0]
    for ranks in [2, 5] {
      #expect(try onRanks(ranks) { try ClusterTree(of: $0, on: $1) }.allSatisfy { $0 == alone })
    }
  }

  @Test(arguments: [1, 3])
  func smallClustersJoinTheMostSimilar(ranks: Int) throws {
    let sizes = (0..<12).map { label in members { $0 == label }.count }
    for became in try onRanks(ranks, { try $0.clusters(ofAtLeast: 4, on: $1) }) {
      var counts = Array(repeating: 0, count: became.max()! + 1)
      for (label, number) in became.enumerated() { counts[number] += sizes[label] }
      #expect(counts.min()! >= 4 && counts.count < 12 && counts.count > 1)
      #expect(became[0] == 0)
    }
    let all = try onRanks(ranks) { try $0.clusters(ofAtLeast: 1, on: $1) }
    #expect(all[0] == Array(0..<12))
  }
}
