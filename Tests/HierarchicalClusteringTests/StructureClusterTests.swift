import Communication
import DistributedGraphs
import Glibc
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Parallelism
import RandomInputs
import TestTags
import Testing

/// Clustering with a network of structure.
@Suite struct StructureClustering {
  /// The first of some random networks that merges neither nothing nor everything.
  private static let network = {
    let settings = StructureNetwork.Settings(
      neighborCount: 6, contextLength: 11, threshold: 0.5, laterThreshold: 0.45)
    let networks = (1...100).lazy.map {
      StructureNetwork.random(width: 16, seed: 100 * $0, settings: settings)
    }
    let suite = StructureClustering()
    return networks.first { network in
      guard let answer = try? suite.answer(suite.points(203), network: network) else {
        return false
      }
      return answer.levels.count > 2 && Set(answer.labels).count > 12
    }!
  }()

  private func answer(
    _ points: Matrix, ranks: Int = 1, threads: Int = 1, invalidRows: InvalidRowPolicy = .error,
    network: StructureNetwork? = nil, resolution: Double? = nil
  ) throws -> ClusterAnswer {
    let network = network ?? Self.network
    return try clusterOnThreads(
      EmbeddingsInMemory(points), with: .structure(network),
      options: ClusteringOptions(
        neighborCount: network.settings.neighborCount, threshold: network.settings.threshold,
        laterThreshold: network.settings.laterThreshold, resolution: resolution,
        invalidRows: invalidRows,
        workers: Workers(threads)), ranks: ranks)
  }

  /// Points round centres, some of them twice or more.
  private func points(_ count: Int, dimensions: Int = 12, seed: Int = 2) -> Matrix {
    var rows = randomMatrix(count, dimensions, seed: seed)
    let centres = randomMatrix(count / 8 + 1, dimensions, seed: seed + 1)
    for row in 0..<count {
      for column in 0..<dimensions {
        rows[row, column] = centres[row % centres.rowCount, column] + 0.5 * rows[row, column]
        if row % 5 == 4 { rows[row, column] = rows[row - 3, column] }
      }
    }
    return rows
  }

  @Test(arguments: [1, 2, 3, 5, 8], [1, 2])
  func hasTheSameBits(ranks: Int, threads: Int) throws {
    let points = points(203)
    let alone = try answer(points)
    #expect(try answer(points, ranks: ranks, threads: threads) == alone)
  }

  @Test(arguments: [1, 2, 3, 5, 8])
  func byModulesHasTheSameBits(ranks: Int) throws {
    let points = points(203)
    let alone = try answer(points, resolution: 0.05)
    #expect(alone.labels != (try answer(points)).labels)
    #expect((2..<203).contains(Set(alone.labels).count))
    #expect(try answer(points, ranks: ranks, threads: 2, resolution: 0.05) == alone)
  }

  /// γ is the model's; with a τ that is given, it is not.
  @Test func theModelSaysByWhichModules() throws {
    var settings = Self.network.settings
    settings.resolution = 0.05
    let model = TrainedModel(.structure(Self.network.with(settings)))
    func thresholds(_ options: ClusteringOptions) throws -> ThresholdRule {
      try ClusteringPlan(options, with: model).thresholds
    }
    #expect(
      try thresholds(ClusteringOptions())
        == .given(Thresholds(0.5, later: 0.45, resolution: 0.05)))
    #expect(try thresholds(ClusteringOptions(threshold: 0.3)) == .given(Thresholds(0.3)))
    #expect(
      try thresholds(ClusteringOptions(laterThreshold: 0.3))
        == .given(Thresholds(0.5, later: 0.3, resolution: 0.05)))
    #expect(
      try thresholds(ClusteringOptions(choosesThreshold: true)) == .withoutLabels(later: nil))
    guard case .given(let finer) = try thresholds(ClusteringOptions(granularity: .finer)) else {
      Issue.record("τ is given")
      return
    }
    #expect(abs(finer.resolution! - 0.15 / 1.1) < 1e-12)
  }

  /// As when thresholds are tried: level 0 is judged once, for all of them.
  @Test(arguments: [1, 3], [0, 1, 5, 6, 203])
  func fromAFirstLevelHasTheSameBits(ranks: Int, count: Int) throws {
    let points = points(count)
    let options = ClusteringOptions(neighborCount: 6)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let first = try FirstLevel(
        EmbeddingsInMemory(points),
        by: ClusteringPlan(options, with: TrainedModel(.structure(Self.network))),
        on: communicator)
      return try [0.99, 0.5, 0.02].map {
        try first.run(above: Thresholds($0, later: 0.4), on: communicator)
          .labels(on: communicator).labels
      }
    }
    for (place, threshold) in [0.99, 0.5, 0.02].enumerated() {
      let expected = try clusterOnThreads(
        EmbeddingsInMemory(points), with: .structure(Self.network),
        options: ClusteringOptions(
          neighborCount: 6, threshold: threshold, laterThreshold: 0.4), ranks: 1)
      #expect(found.flatMap { $0[place] } == expected.labels)
    }
  }

  @Test func aFirstLevelMayEndThere() throws {
    let points = points(203)
    for ranks in [1, 3] {
      let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let first = try FirstLevel(
          EmbeddingsInMemory(points),
          by: ClusteringPlan(
            ClusteringOptions(neighborCount: 6), with: TrainedModel(.structure(Self.network))),
          on: communicator)
        return try [1, nil].map {
          let run = try first.run(
            above: Thresholds(0.02, later: 0.02), endingAfter: $0, on: communicator)
          return (run.history.count, try run.labels(on: communicator).labels)
        }
      }
      for (place, maximum) in [1, 10].enumerated() {
        let expected = try clusterOnThreads(
          EmbeddingsInMemory(points), with: .structure(Self.network),
          options: ClusteringOptions(
            neighborCount: 6, threshold: 0.02, laterThreshold: maximum > 1 ? 0.02 : nil,
            maximumLevels: maximum),
          ranks: 1)
        #expect(found.flatMap { $0[place].1 } == expected.labels)
        #expect(found[0][place].0 == expected.levels.count)
      }
      #expect(found[0][0].0 == 1 && found[0][1].0 > 1)
    }
  }

  /// No node costs less in another module, by sizes that are the roots of degrees; by equal sizes some would.
  @Test func modulesChargeNodesByTheRootsOfTheirDegrees() throws {
    let (count, resolution, places) = (150, 0.2, 5.0)
    let rank = SingleRank()
    let first = try FirstLevel(
      EmbeddingsInMemory(randomMatrix(count, 6, seed: 9)),
      by: ClusteringPlan(
        ClusteringOptions(neighborCount: 6), with: TrainedModel(.structure(Self.network))),
      on: rank)
    let labels = try first.run(
      above: Thresholds(0.5, resolution: resolution), endingAfter: 1, on: rank
    ).labels(on: rank).labels
    let graph = first.edges.graph
    var degrees = Array(repeating: 0.0, count: count)
    var flows: [[Int: Double]] = Array(repeating: [:], count: count)
    for node in 0..<count {
      for edge in graph.edges(into: node) {
        let source = Int(graph.source(of: edge).index)
        let p = Double(1 - first.linkage.distance[edge])
        for (end, other) in [(node, source), (source, node)] {
          degrees[end] += 1
          flows[end][other, default: 0] += p / 2
        }
      }
    }
    func charge(_ n: Double) -> Double {
      let d = 2 * places
      return n <= d ? n * n / 2 : d * d / 2 + d * n * log(n / d)
    }
    let mean = degrees.reduce(0, +) / Double(count)
    /// Of a node that moves to a neighbour's module, or is alone from then on.
    func leastChange(_ size: (_ degree: Double) -> Double) -> Double {
      let sizes = degrees.map { (256 * size($0)).rounded() / 256 }
      var totals: [Int64: Double] = [:]
      for (node, label) in labels.enumerated() { totals[label, default: 0] += sizes[node] }
      var least = Double.infinity
      for node in 0..<count {
        let own = labels[node]
        var toward: [Int64: Double] = [own: 0, -1: 0]
        for (other, p) in flows[node] { toward[labels[other], default: 0] += p }
        let left = charge(totals[own]!) - charge(totals[own]! - sizes[node])
        for (module, p) in toward where module != own {
          let n = totals[module] ?? 0
          let joined = charge(n + sizes[node]) - charge(n)
          least = min(least, toward[own]! - p + resolution * (joined - left))
        }
      }
      return least
    }
    #expect(Set(labels).count > 5)
    #expect(leastChange { ($0 / mean).squareRoot() } > -1e-3)
    #expect(leastChange { _ in 1 } < -0.05)
  }

  /// What leads to the choice of τ is in the account of level 0, and not done again.
  @Test func choosingThresholdsSearchesOnce() throws {
    let points = EmbeddingsInMemory(points(203))
    let found = try ThreadCommunicator.run(ranks: 2) { communicator in
      let choosing = try cluster(
        points, with: .structure(Self.network),
        options: ClusteringOptions(choosesThreshold: true), on: communicator)
      let thresholds = choosing.choice.thresholds!.thresholds
      let given = try cluster(
        points, with: .structure(Self.network),
        options: ClusteringOptions(
          threshold: thresholds.first, laterThreshold: thresholds.later), on: communicator)
      return (choosing, given)
    }
    for (choosing, given) in found {
      #expect(choosing.labels == given.labels)
      #expect(
        choosing.choice.thresholds!.trials.count > 1 && given.choice.thresholds!.trials.isEmpty)
      for phase in ["neighbors", "network", "decode", "coarsen"] {
        #expect(
          choosing.levels.map { $0.phases[phase]?.rounds }
            == given.levels.map { $0.phases[phase]?.rounds })
        #expect(
          choosing.levels.map { $0.phases[phase]?.bytesSent }
            == given.levels.map { $0.phases[phase]?.bytesSent })
      }
      #expect(choosing.levels[0].phases["thresholds"]!.rounds > 0)
      #expect(given.levels[0].phases["thresholds"] == nil)
    }
  }

  @Test(arguments: [0, 1, 2, 6, 7, 12])
  func worksOnFewerPointsThanPlacesOfAList(count: Int) throws {
    let points = points(count)
    let alone = try answer(points)
    #expect(alone.labels.count == count)
    #expect(try answer(points, ranks: 5) == alone)
  }

  /// Rows in another order: the same clusters. No two similarities of different points are equal.
  @Test func doesNotDependOnTheOrderOfThePoints() throws {
    let points = points(160, seed: 5)
    var generator = SeededGenerator(seed: 6)
    let order = (0..<160).shuffled(using: &generator)
    var shuffled = Matrix(rows: 160, columns: points.columnCount)
    for (place, point) in order.enumerated() {
      for column in 0..<points.columnCount { shuffled[place, column] = points[point, column] }
    }
    let (expected, found) = (try answer(points), try answer(shuffled, ranks: 3))
    var matching: [Int64: Int64] = [:]
    for (place, point) in order.enumerated() {
      let label = matching[found.labels[place], default: expected.labels[point]]
      matching[found.labels[place]] = label
      #expect(label == expected.labels[point])
    }
    #expect(Set(matching.values).count == matching.count)
  }

  /// Whatever the network says: copies are one node, which stands for all of them.
  @Test(.tags(.threads), arguments: [1, 2, 4])
  func keepsCopiesTogether(ranks: Int) throws {
    let never = Self.network.with(
      .init(neighborCount: 6, contextLength: 11, threshold: 1, laterThreshold: 1))
    let points = points(60)
    let answer = try answer(points, ranks: ranks, network: never)
    for row in 0..<60 where row % 5 == 4 { #expect(answer.labels[row] == answer.labels[row - 3]) }
    #expect(Set(answer.labels).count == 48)
    #expect(answer.levels[0].nodes.count == 48)
  }

  @Test(.tags(.threads), arguments: [1, 3])
  func ofEqualPointsIsOneCluster(ranks: Int) throws {
    let equal = Matrix(
      rows: 40, columns: 3, elements: (0..<40).flatMap { [Float(0), 1 + Float($0), 0] })
    #expect(try answer(equal, ranks: ranks).labels == Array(repeating: 0, count: 40))
  }

  @Test(arguments: [1, 3])
  func ofOrthogonalPointsIsSingletons(ranks: Int) throws {
    var rows = Matrix(rows: 30, columns: 30)
    for row in 0..<30 { rows[row, row] = 1 }
    #expect(try answer(rows, ranks: ranks).labels == (0..<30).map { Int64($0) })
  }

  /// All similarities equal, and positive: ties everywhere, in which the first index wins.
  @Test(arguments: [2, 3])
  func ofPointsEquallyFarFromEachOtherHasTheSameBits(ranks: Int) throws {
    var rows = Matrix(rows: 30, columns: 31)
    for row in 0..<30 {
      rows[row, row] = 1
      rows[row, 30] = 1
    }
    #expect(try answer(rows, ranks: ranks) == answer(rows))
  }

  /// Rows without direction are equal as numbers, and still not copies of each other.
  @Test(arguments: [1, 3])
  func keepsRowsWithoutDirectionApart(ranks: Int) throws {
    var points = points(50)
    for row in [3, 17, 18, 44] {
      for column in 0..<points.columnCount { points[row, column] = 0 }
    }
    let labels = try answer(points, ranks: ranks, invalidRows: .singleton).labels
    for row in [3, 17, 18, 44] { #expect(labels.count { $0 == labels[row] } == 1) }
  }

  /// One network for embeddings of any dimension.
  @Test(arguments: [1, 2, 16, 64, 128, 384, 1024])
  func takesAnyDimension(dimensions: Int) throws {
    let points = points(80, dimensions: dimensions)
    #expect(try answer(points, ranks: 2).labels == answer(points).labels)
  }
}

/// The choice of a threshold without labels.
@Suite struct Silhouettes {
  private static let settings = StructureNetwork.Settings(
    neighborCount: 6, contextLength: 11, threshold: 0.5, laterThreshold: 0.5)
  private static let network = StructureNetwork.random(width: 16, seed: 3, settings: settings)
  private static let thresholds = [0.05, 0.3, 0.5, 0.6, 0.9, 1]

  /// Points round centres; no two are equal.
  private func points() -> Matrix {
    var rows = randomMatrix(120, 7, seed: 21)
    let centres = randomMatrix(9, 7, seed: 22)
    for row in 0..<120 {
      for column in 0..<7 {
        rows[row, column] = centres[row % 9, column] + 0.3 * rows[row, column]
      }
    }
    return rows
  }

  private func firstLevel(
    _ points: Matrix, on communicator: some Communicator
  ) throws -> FirstLevel<EmbeddingsInMemory, LinkageModel> {
    try FirstLevel(
      EmbeddingsInMemory(points),
      by: ClusteringPlan(ClusteringOptions(), with: TrainedModel(.structure(Self.network))),
      on: communicator)
  }

  private func found(_ points: Matrix, ranks: Int) throws -> [SilhouetteTrial] {
    let all = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let first = try firstLevel(points, on: communicator)
      return try Self.thresholds.map { try first.trial(Thresholds($0), on: communicator) }
    }
    #expect(all.allSatisfy { $0 == all[0] })
    return all[0]
  }

  @Test(arguments: [2, 3, 5, 8])
  func haveTheSameBits(ranks: Int) throws {
    #expect(try found(points(), ranks: ranks) == found(points(), ranks: 1))
  }

  /// From the labels of clustering itself, all pairs of points compared.
  @Test func areThoseOfTheirDefinition() throws {
    let points = points()
    let count = points.rowCount
    let units = (0..<count).map { row in
      let values = points.row(row).map { Double($0) }
      let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return values.map { $0 / length }
    }
    let similarity = units.map { a in
      units.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    for trial in try found(points, ranks: 1) {
      let labels = try clusterOnThreads(
        EmbeddingsInMemory(points), with: .structure(Self.network),
        options: ClusteringOptions(neighborCount: 6, threshold: trial.threshold), ranks: 1
      ).labels
      #expect(Set(labels).count == trial.clusterCount)
      var total = 0.0
      for i in 0..<count {
        func mean(_ label: Int64) -> Double {
          let members = (0..<count).filter { $0 != i && labels[$0] == label }
          return members.reduce(0) { $0 + similarity[i][$1] } / Double(members.count)
        }
        guard (labels.count { $0 == labels[i] }) > 1 else { continue }
        let near = (0..<count).filter { $0 != i && similarity[i][$0] > 0 }
          .sorted { similarity[i][$0] > similarity[i][$1] }.prefix(5)
        let all = (0..<count).flatMap { a in
          (0..<count).filter { $0 != a }.map { similarity[a][$0] }
        }
        let others = Set(near.map { labels[$0] }).subtracting([labels[i]])
        let b = others.map(mean).max() ?? all.reduce(0, +) / Double(all.count)
        let a = mean(labels[i])
        total += (a - b) / max(1 - a, 1 - b)
      }
      #expect(abs(total / Double(count) - trial.silhouette) < 1e-5, "τ = \(trial.threshold)")
    }
  }

  /// A trial ends where the clustering with its threshold would end.
  @Test func areOfRunsThatStopAsEarly() throws {
    func counts(stopsEarly: Bool) throws -> [Int] {
      let level = try FirstLevel(
        EmbeddingsInMemory(points()),
        by: ClusteringPlan(
          judge: LinkageModel.structure(Self.network), neighborCount: 6, thresholds: .ofEachRun,
          stopsEarly: stopsEarly),
        on: SingleRank())
      return try Self.thresholds.map {
        try level.trial(Thresholds($0, later: 0.01), on: SingleRank()).clusterCount
      }
    }
    let early = try counts(stopsEarly: true)
    #expect(try early != counts(stopsEarly: false))
    for (threshold, count) in zip(Self.thresholds, early) {
      let clustering = try cluster(
        EmbeddingsInMemory(points()), with: .structure(Self.network),
        options: ClusteringOptions(
          neighborCount: 6, threshold: threshold, laterThreshold: 0.01, stopsEarly: true),
        on: SingleRank())
      #expect(clustering.clusterCount == count)
    }
  }

  @Test func ofSingletonsAreZero() throws {
    let last = try #require(try found(points(), ranks: 2).last)
    #expect(last.silhouette == 0 && last.clusterCount == 120)
  }

  private func deciding(below share: Double, ranks: Int) throws -> Double {
    let points = points()
    let all = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try firstLevel(points, on: communicator).edges
        .decidingProbability(below: share, on: communicator)
    }
    #expect(all.allSatisfy { $0 == all[0] })
    return all[0]
  }

  @Test(arguments: [2, 3, 5])
  func decidingProbabilitiesHaveTheSameBits(ranks: Int) throws {
    for share in [0.04, 0.5, 1] {
      #expect(try deciding(below: share, ranks: ranks) == deciding(below: share, ranks: 1))
    }
  }

  /// Above the quantile that share of the nodes merges at level 0, of those that merge above 0.
  @Test(arguments: [0.1, 0.3, 0.6])
  func decidingProbabilityLetsItsShareMerge(share: Double) throws {
    let threshold = try deciding(below: share, ranks: 1)
    func merged(above threshold: Double) throws -> Int {
      try cluster(
        EmbeddingsInMemory(points()), with: .structure(Self.network),
        options: ClusteringOptions(
          neighborCount: 6, threshold: threshold, maximumLevels: 1),
        on: SingleRank()
      ).levels[0].mergedCount
    }
    let all = try merged(above: 0)
    let kept = Double(try merged(above: threshold)) / Double(all)
    // A bin of probabilities may hold some nodes of 120.
    #expect(kept <= 1 - share + 1e-9 && kept > 1 - share - 0.1, "\(kept) of \(all)")
  }
}
