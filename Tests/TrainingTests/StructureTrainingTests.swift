import Communication
import Datasets
import Differentiation
import DistributedGraphs
import Evaluation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Optimization
import Parallelism
import RandomInputs
import RandomNumbers
import SimilarityStructure
import Testing
import Training

/// Points of some identities, all of them at least near to another identity.
private func generated(_ count: Int, identities: Int, seed: UInt64 = 1) -> LabelledRows {
  var stream = RandomStream(seed: seed, purpose: 1)
  let centres = (0..<identities).map { _ in (0..<16).map { _ in stream.normal() } }
  var elements: [Float] = []
  let labels = (0..<count).map { Int64($0 % identities) }
  for label in labels {
    for column in 0..<16 {
      elements.append(
        Float(
          0.7 + centres[Int(label) / 3 * 3][column] + 0.6 * centres[Int(label)][column]
            + 0.55 * stream.normal()))
    }
  }
  return LabelledRows(
    rows: Matrix(rows: count, columns: 16, elements: elements), labels: labels)
}

private let settings = StructureNetwork.Settings(neighborCount: 6, contextLength: 10)

private func options(epochs: Int = 10, workers: Int = 1) -> StructureTrainingOptions {
  StructureTrainingOptions(
    shape: StructureShape(width: 16), settings: settings, graphCount: 4, mixtureCount: 1,
    pointLimit: 300, levelCount: 2, epochCount: epochs, stepEdgeCount: 500, seed: 3,
    workers: Workers(workers))
}

private func train(
  _ set: LabelledRows, _ options: StructureTrainingOptions, from start: StructureNetwork? = nil,
  ranks: Int = 1
) throws -> [StructureTraining] {
  try ThreadCommunicator.run(ranks: ranks) { communicator in
    try trainStructureNetwork(
      on: [LabelledEmbeddings(EmbeddingsInMemory(set.rows), labels: set.labels)],
      options: options, from: start, over: communicator)
  }
}

@Suite struct StructureOnTape {
  /// A level of random points, in Double, in two parts.
  private func level() throws -> (StructureGraph<Double>, RawStructureGraph) {
    let set = generated(40, identities: 6)
    let raw = try structureGraphs(
      of: set.rows, labels: set.labels, levelCount: 1, settings: settings, using: Workers(),
      on: SingleRank())[0]
    func wide(_ matrix: Matrix) -> DenseMatrix<Double> {
      DenseMatrix(
        rows: matrix.rowCount, columns: matrix.columnCount,
        elements: matrix.elements.map { Double($0) })
    }
    return (
      StructureGraph(
        raw.graph, nodeFeatures: wide(raw.nodeFeatures), edgeFeatures: wide(raw.edgeFeatures),
        isSame: raw.isSame, partCount: 2, part: { Int($0.index) % 2 }),
      raw
    )
  }

  @Test func lossHasTheGradientsOfItsCentralDifferences() throws {
    let graph = try level().0
    let shape = StructureShape(width: 5)
    let parameters = shape.initialParameters(seed: 2).converted(to: Double.self)
    func loss(_ parameters: Parameters<Double>, _ part: Int) throws -> (
      Variable<Double>, RecordedParameters<Double>, Tape<Double>
    ) {
      let tape = Tape<Double>()
      let recorded = parameters.recorded(on: tape)
      let loss = try shape.logits(
        of: graph.parts[part], in: graph, by: recorded, on: tape, communicator: SingleRank()
      ).binaryCrossEntropy(of: graph.parts[part].isSame, scale: 0.01)
      return (loss, recorded, tape)
    }
    for part in 0..<2 {
      let (value, recorded, tape) = try loss(parameters, part)
      let gradients = try recorded.gradients(of: value, on: tape, on: SingleRank())
      for index in parameters.all.indices {
        let count = parameters.all[index].value.count
        for place in Set([0, count / 2, count - 1]) {
          let columns = parameters.all[index].value.columnCount
          func moved(_ step: Double) throws -> Double {
            var moved = parameters
            moved.all[index].value[place / columns, place % columns] += step
            return try loss(moved, part).0.scalar
          }
          let difference = (try moved(1e-6) - moved(-1e-6)) / 2e-6
          let found = gradients[index][place / columns, place % columns]
          #expect(
            abs(found - difference) < 1e-6 * max(1, abs(difference)),
            "\(parameters.all[index].name) \(place): \(found), \(difference)")
        }
      }
    }
  }

  /// What is trained is what runs: the same probabilities, up to rounding.
  @Test func logitsAreThoseOfTheNetwork() throws {
    let raw = try level().1
    let shape = StructureShape(width: 16)
    let parameters = shape.initialParameters(seed: 4)
    func quarter(_ count: Int) -> FeatureScale {
      FeatureScale(
        mean: Array(repeating: 0.1, count: count), deviation: Array(repeating: 2, count: count))
    }
    let (nodeScale, edgeScale) = (
      quarter(StructureFeatures.nodeWidth), quarter(StructureFeatures.edgeWidth)
    )
    let graph = try raw.scaled(
      nodeScale, edgeScale, edgesOfPart: 1_000_000, seed: 1, on: SingleRank())
    let network = shape.network(
      parameters, nodeScale: nodeScale, edgeScale: edgeScale, settings: settings)
    let tape = Tape<Float>()
    let logits = try shape.logits(
      of: graph.parts[0], in: graph, by: parameters.recorded(on: tape), on: tape,
      communicator: SingleRank()
    ).value.elements
    let set = generated(40, identities: 6)
    var hierarchy = try Hierarchy(
      EmbeddingsInMemory(set.rows), options: ClusteringOptions(neighborCount: 6),
      averages: .ofDirections, on: SingleRank())
    try hierarchy.mergeDuplicates(on: SingleRank())
    let lists = try hierarchy.neighborLists(
      initial: nil, length: 10, on: SingleRank(), progress: { _ in })
    var state: StructureState?
    let features = try hierarchy.structureFeatures(
      lists, raw.graph, &state, settings: settings, on: SingleRank())
    let distance = try network.linkage(of: features, on: SingleRank()).distance
    for (logit, distance) in zip(logits, distance) {
      #expect(abs(1 / (1 + Double.exponential(Double(logit))) - Double(distance)) < 1e-5)
    }
  }
}

@Suite struct StructureTrainings {
  @Test func learnWhatRandomParametersDoNotKnow() throws {
    let set = generated(500, identities: 30)
    let trained = try train(set, options())[0]
    let random = try train(set, options(epochs: 0))[0]
    #expect(trained.losses.last! < 0.75 * trained.losses[0], "\(trained.losses)")
    #expect(trained.chosen!.score > random.chosen!.score + 0.05)
    #expect(trained.network.settings.threshold == trained.chosen!.threshold)
  }

  @Test func areTheSameTwice() throws {
    let set = generated(300, identities: 20)
    let (one, other) = (
      try train(set, options(epochs: 2))[0], try train(set, options(epochs: 2, workers: 2))[0]
    )
    #expect(one.network.tensors == other.network.tensors)
    #expect(one.trials == other.trials)
  }

  /// Graphs, steps and trials are the same; sums of gradients differ in rounding.
  @Test(arguments: [2, 3])
  func areNearlyTheSameOnManyRanks(ranks: Int) throws {
    let set = generated(300, identities: 20)
    let alone = try train(set, options(epochs: 1))[0]
    let many = try train(set, options(epochs: 1), ranks: ranks)
    #expect(many.allSatisfy { $0.network.tensors == many[0].network.tensors })
    for (a, b) in zip(alone.network.tensors, many[0].network.tensors) {
      let worst = zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(worst < 2e-3, "\(a.name): \(worst)")
    }
    #expect(abs(alone.losses[0] - many[0].losses[0]) < 1e-4)
  }

  @Test func goOnFromANetworkThatExists() throws {
    let set = generated(300, identities: 20)
    let first = try train(set, options(epochs: 8))[0]
    let second = try train(set, options(epochs: 1), from: first.network)[0]
    #expect(second.network.nodeScale == first.network.nodeScale)
    #expect(second.losses[0] < 0.85 * first.losses[0])
    #expect(second.network.tensors != first.network.tensors)
  }

  @Test func ofOneIdentityAreRefused() throws {
    let set = generated(50, identities: 1)
    #expect(throws: AgreedFailure.self) { _ = try train(set, options()) }
  }

  @Test func ofPointsWithoutASecondOneAreRefused() throws {
    var set = generated(50, identities: 50)
    set.labels = (0..<50).map { Int64($0) }
    var options = options()
    options.mixtureCount = 0
    let error = #expect(throws: AgreedFailure.self) { _ = try train(set, options) }
    #expect(error?.reason.contains("no linkage to learn") == true, "\(error as Any)")
  }
}

@Suite struct Selections {
  private let set = generated(400, identities: 20)

  private func select(_ index: Int, seed: UInt64 = 5, limit: Int = 150) -> LabelledRows {
    let points = (0..<400).filter { set.labels[$0] < 12 }
    return augmentedSelection(
      index, of: set.labels, among: points, limit: limit, seed: seed, workers: Workers()
    ) { indices in
      var rows = Matrix(rows: indices.count, columns: 16)
      for (place, index) in indices.enumerated() {
        for column in 0..<16 { rows[place, column] = set.rows[index, column] }
      }
      return rows
    }
  }

  @Test(arguments: 0..<12)
  func holdPointsThatMayBeUsedAndNoMoreThanTheLimit(index: Int) {
    let selected = select(index)
    #expect(selected.count <= 150 && selected.count > 0)
    #expect(selected.labels.allSatisfy { $0 < 12 })
    #expect(selected.rows.rowCount == selected.count)
    #expect(selected.rows.elements.allSatisfy { $0.isFinite })
  }

  @Test func followFromSeedAndIndex() {
    #expect(select(3) == select(3))
    #expect(select(3) != select(4))
    #expect(select(3) != select(3, seed: 6))
  }

  @Test func ofIndex0AreThePointsAsTheyAre() {
    let first = select(0, limit: 400)
    #expect(first.count == 240)
    #expect(Set(first.labels).count == 12)
  }

  @Test(arguments: SizeRule.allCases)
  func haveSizesByTheirRule(rule: SizeRule) {
    var stream = RandomStream(seed: 9, purpose: 2)
    let labels = (0..<3000).map { Int64($0 % 10) }
    let selected = Dictionary(
      grouping: selection(
        of: labels, among: Array(labels.indices), limit: 3000, isWhole: true, sizes: rule, &stream)
    ) { labels[$0] }.values.map(\.count)
    switch rule {
    case .all: #expect(selected.allSatisfy { $0 == 300 })
    case .capped: #expect(Set(selected).count == 1 && selected[0] <= 200)
    case .logUniform: #expect(Set(selected).count > 5)
    }
  }

  /// The mean similarity of points of different identities rises.
  @Test func confusedIdentitiesAreMoreAlike() {
    let before = set
    var after = set
    var stream = RandomStream(seed: 10, purpose: 3)
    after.confuse(&stream)
    #expect(after.spreadOfMeans < before.spreadOfMeans)
  }

  @Test func changedRowsAreUnitRows() {
    var stream = RandomStream(seed: 11, purpose: 4)
    for change in 0..<4 {
      var changed = set
      switch change {
      case 0: changed.confuse(&stream)
      case 1: changed.addNoise(&stream)
      case 2: changed.project(&stream, using: Workers())
      default: changed.centre(&stream)
      }
      for row in 0..<changed.count {
        let length = changed.rows.row(row).reduce(0) { $0 + $1 * $1 }
        #expect(abs(length - 1) < 1e-5)
      }
    }
  }

  @Test func mixturesHaveManyClustersAndFollowFromSeedAndIndex() {
    for index in 0..<5 {
      let mixture = syntheticMixture(index, limit: 1200, seed: 1)
      #expect((400...1200).contains(mixture.count))
      #expect(Set(mixture.labels).count >= 5)
      #expect(mixture == syntheticMixture(index, limit: 1200, seed: 1))
    }
    #expect(
      syntheticMixture(0, limit: 1200, seed: 1) != syntheticMixture(1, limit: 1200, seed: 1))
  }
}

extension LabelledRows {
  /// Σ over identities of the squared distance of their mean from the mean of all, of unit rows.
  fileprivate var spreadOfMeans: Double {
    var means: [Int64: [Double]] = [:]
    for row in 0..<count {
      let values = rows.row(row).map { Double($0) }
      let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      var sum = means[labels[row]] ?? Array(repeating: 0, count: values.count)
      for column in values.indices { sum[column] += values[column] / length }
      means[labels[row]] = sum
    }
    let all = means.values.map { $0 }
    let centre = all[0].indices.map { (column: Int) -> Double in
      all.reduce(0.0) { $0 + $1[column] } / Double(all.count)
    }
    var total = 0.0
    for mean in all {
      for (value, middle) in zip(mean, centre) { total += (value - middle) * (value - middle) }
    }
    return total
  }
}

@Suite struct ThresholdChoices {
  private func trial(_ first: Double, _ later: Double, _ score: Double) -> ThresholdTrial {
    ThresholdTrial(threshold: first, laterThreshold: later, pairwiseF: score, bcubedF: score)
  }

  @Test func takeTheHighestThresholdsOfThoseThatAreNearlyTheBest() {
    let trials = [
      trial(0.3, 0.9, 0.70), trial(0.5, 0.5, 0.695), trial(0.5, 0.7, 0.692), trial(0.6, 0.9, 0.68),
    ]
    #expect(trials.leastMerging(within: 0.01) == trials[2])
    #expect(trials.leastMerging(within: 0) == trials[0])
    #expect([ThresholdTrial]().leastMerging(within: 1) == nil)
  }
}

@Suite struct ScoresInCompany {
  @Test func ofAllPointsAreThoseOfTheMetrics() throws {
    var generator = SeededGenerator(seed: 12)
    let truth = (0..<200).map { _ in Int64.random(in: 0..<30, using: &generator) }
    let predicted = (0..<200).map { _ in Int64.random(in: 0..<40, using: &generator) }
    let scores = scoresInCompany(
      truth: truth, predicted: predicted, isHeldOut: Array(repeating: true, count: 200))
    let metrics = try compareLabels(truth: truth, predicted: predicted, on: SingleRank())
    #expect(abs(scores.pairwise - metrics.pairwise.f) < 1e-12)
    #expect(abs(scores.bcubed - metrics.bcubed.f) < 1e-12)
  }

  /// Held out: the three points of identity 0. Two are together, with one of identity 1; the third is
  /// alone. Of their 2 + 2 pairs in clusters 2 are true, of their 6 true pairs 2 are found; precision
  /// (2/3 + 2/3 + 1) / 3, recall (2/3 + 2/3 + 1/3) / 3.
  @Test func countTheOthersOnlyAsCompany() {
    let scores = scoresInCompany(
      truth: [0, 0, 0, 1, 1, 1], predicted: [5, 5, 6, 5, 7, 7],
      isHeldOut: [true, true, true, false, false, false])
    #expect(abs(scores.pairwise - 2 * 0.5 * (1.0 / 3) / (0.5 + 1.0 / 3)) < 1e-12)
    let (precision, recall) = (7.0 / 9, 5.0 / 9)
    #expect(abs(scores.bcubed - 2 * precision * recall / (precision + recall)) < 1e-12)
  }
}
