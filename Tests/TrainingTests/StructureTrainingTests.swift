import Communication
import Datasets
import Differentiation
import DistributedGraphs
import Evaluation
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Optimization
import Parallelism
import RandomInputs
import RandomNumbers
import SimilarityStructure
import TestTags
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
        isSame: raw.isSame, weights: raw.weights.map { Double($0) }, partCount: 2,
        part: { Int($0.index) % 2 }),
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
      ).binaryCrossEntropy(
        of: graph.parts[part].isSame, weights: graph.parts[part].weights, scale: 0.01)
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

  @Test func edgesAreDealtOutOnceOrLeftOut() throws {
    let raw = try level().1
    let scales = (
      FeatureScale(
        mean: Array(repeating: 0, count: StructureFeatures.nodeWidth),
        deviation: Array(repeating: 1, count: StructureFeatures.nodeWidth)),
      FeatureScale(
        mean: Array(repeating: 0, count: StructureFeatures.edgeWidth),
        deviation: Array(repeating: 1, count: StructureFeatures.edgeWidth))
    )
    func parts(_ most: Int) throws -> [DenseMatrix<Float>] {
      try raw.scaled(
        scales.0, scales.1, by: EdgeDeal(edgesOfPart: 40, mostParts: most, seed: 1),
        on: SingleRank()
      ).parts.map(\.features)
    }
    let all = try parts(.max)
    #expect(all.count == (raw.graph.edgeCount - 1) / 40 + 1 && all.count > 3)
    #expect(all.reduce(0) { $0 + $1.rowCount } == raw.graph.edgeCount)
    let some = try parts(3)
    #expect(some == Array(all[..<3]) && some.allSatisfy { $0.rowCount > 0 })
    // Nor are the features of the others kept.
    let deal = EdgeDeal(edgesOfPart: 40, mostParts: 3, seed: 1)
    var kept = raw
    try kept.keepEdges(of: deal, on: SingleRank())
    #expect(kept.edgeFeatures.rowCount == some.reduce(0) { $0 + $1.rowCount })
    #expect(
      try kept.scaled(scales.0, scales.1, by: deal, on: SingleRank()).parts.map(\.features) == some)
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
      nodeScale, edgeScale, by: EdgeDeal(edgesOfPart: 1_000_000, seed: 1), on: SingleRank())
    let network = shape.network(
      parameters, nodeScale: nodeScale, edgeScale: edgeScale, settings: settings)
    let tape = Tape<Float>()
    let logits = try shape.logits(
      of: graph.parts[0], in: graph, by: parameters.recorded(on: tape), on: tape,
      communicator: SingleRank()
    ).value.elements
    let set = generated(40, identities: 6)
    let distance = try FirstLevel(
      EmbeddingsInMemory(set.rows),
      by: ClusteringPlan(ClusteringOptions(), with: TrainedModel(.structure(network))),
      on: SingleRank()
    ).linkage.distance
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
    // Modules find most of these identities by edges alone, whatever their p.
    func score(_ training: StructureTraining) -> Double {
      training.trials.filter { $0.resolution == nil }.chosen!.score
    }
    #expect(score(trained) > score(random) + 0.05)
    #expect(trained.network.settings.resolution == trained.chosen!.resolution)
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

  /// Also where others give the graphs: thresholds would be chosen by it.
  @Test(arguments: [0.0, 0.4], [0, 4])
  func ofOneIdentityAreRefused(heldOut: Double, graphs: Int) throws {
    let set = generated(50, identities: 1)
    var options = options()
    (options.validationFraction, options.graphCount) = (heldOut, graphs)
    for ranks in [1, 2] {
      let error = #expect(throws: AgreedFailure.self) {
        _ = try train(set, options, ranks: ranks)
      }
      #expect(error?.reason.contains("nothing to tell apart") == true, "\(error as Any)")
    }
  }

  @Test func validatedOnOneIdentityAreRefused() throws {
    let (set, other) = (generated(100, identities: 10), generated(50, identities: 1))
    let error = #expect(throws: AgreedFailure.self) {
      _ = try trainStructureNetwork(
        on: [LabelledEmbeddings(EmbeddingsInMemory(set.rows), labels: set.labels)],
        validatingOn: LabelledEmbeddings(EmbeddingsInMemory(other.rows), labels: other.labels),
        options: options(), over: SingleRank())
    }
    #expect(error?.reason.contains("nothing to tell apart") == true, "\(error as Any)")
  }

  @Test func ofFewIdentitiesHoldNoneOut() throws {
    let set = generated(60, identities: 3)
    var options = options(epochs: 1)
    #expect(try train(set, options)[0].chosen != nil)
    options.validationFraction = 0.4
    let error = #expect(throws: AgreedFailure.self) { _ = try train(set, options) }
    #expect(error?.reason.contains("3 identities; at least 4") == true, "\(error as Any)")
  }

  /// Nothing should merge, or next to nothing.
  @Test(arguments: [5, 60])
  func onMixturesAloneChooseThresholdsByTheSet(count: Int) throws {
    var set = generated(count, identities: count)
    set.labels = (0..<Int64(count)).map { $0 }
    var options = options(epochs: 1)
    options.graphCount = 0
    let training = try train(set, options)[0]
    let chosen = try #require(training.chosen)
    // There are no pairs to find, so pairwise F is 0, and the score is half of BCubed F.
    #expect(chosen.bcubedF >= 0.98 && chosen.pairwiseF == 0)
    #expect(training.trials.contains { $0.bcubedF < 0.9 })
  }

  /// The score of every trial is that of clustering all points again, of which some are asked.
  private func expectTrials(
    of training: StructureTraining, _ set: LabelledRows, ask isJudged: [Bool]
  ) throws {
    let level = try FirstLevel(
      EmbeddingsInMemory(set.rows),
      by: ClusteringPlan(ClusteringOptions(), with: TrainedModel(.structure(training.network))),
      on: SingleRank())
    for trial in training.trials {
      let clusters = try level.run(
        above: Thresholds(
          trial.threshold, later: trial.laterThreshold, resolution: trial.resolution),
        on: SingleRank())
      let scores = scoresAmongAll(
        truth: set.labels, predicted: try clusters.labels(on: SingleRank()).labels,
        isJudged: isJudged)
      #expect(scores.pairwise == trial.pairwiseF && scores.bcubed == trial.bcubedF)
      #expect(scores.identity == trial.identityF)
    }

    let judged = Set(zip(set.labels, isJudged).filter(\.1).map(\.0))
    let measured = try ThreadCommunicator.run(ranks: 3) { communicator in
      let owned = NodePartition(sharing: set.labels.count, among: 3).owned(by: communicator.rank)
      return try cluster(
        EmbeddingsInMemory(set.rows), with: TrainedModel(.structure(training.network)),
        observer: Measuring(truth: PointTruth(Array(set.labels[owned]), judging: judged)),
        on: communicator
      ).levels.map(\.calibration)
    }
    #expect(measured.allSatisfy { $0 == training.calibration.levels })
    #expect(training.calibration.levels[0].edgeCount > 0)
    #expect(training.calibration.isOfHeldOut == isJudged.contains(false))
  }

  private struct Measuring: ClusteringObserver {
    let truth: PointTruth?

    func phase(_ phase: Phase, level: Int, isDone fraction: Double) {}
  }

  @Test func countTheLevelsOfAllSetsTogether() {
    var (a, b) = (ProbabilityCalibration(), ProbabilityCalibration())
    a.count(0.25, isTrue: true)
    b.count(0.75, isTrue: false)
    let found = LevelCalibration(isOfHeldOut: false, ofSets: [[a], [b, a], []])
    #expect(found.levels == [a + b, a])
    #expect(LevelCalibration(isOfHeldOut: true, ofSets: [[], []]).levels.isEmpty)
  }

  @Test func chooseThresholdsByAllIdentities() throws {
    let set = generated(200, identities: 12)
    try expectTrials(
      of: try train(set, options(epochs: 1))[0], set, ask: set.labels.map { _ in true })
  }

  /// Of identities that are held out the network learns nothing; they alone are scored, among all.
  @Test func chooseThresholdsByThoseThatAreHeldOut() throws {
    var set = generated(200, identities: 12)
    var options = options(epochs: 1)
    options.validationFraction = 0.25
    let split = try IdentitySplit(of: set.labels, holdingOut: 0.25, seed: options.seed)
    let heldOut = Set(split.validation)
    #expect(Set(split.validation.map { set.labels[$0] }).count == 3)
    let training = try train(set, options)[0]
    try expectTrials(of: training, set, ask: set.labels.indices.map { heldOut.contains($0) })

    for row in split.validation {
      for column in 0..<16 { set.rows[row, column] *= -1 }
    }
    #expect(try train(set, options)[0].network.tensors == training.network.tensors)
    options.validationFraction = 0
    #expect(try train(set, options)[0].network.tensors != training.network.tensors)
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
    for change in 0..<5 {
      var changed = set
      _ = changed.rows.normalizeRows()
      switch change {
      case 0: changed.confuse(&stream)
      case 1: changed.addNoise(&stream)
      case 2: changed.project(&stream, using: Workers())
      case 3: changed.overlap(&stream)
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

/// Eight identities around as many axes: 0 and 1, 2 and 3, … lie at 0.6 of each other, all others apart.
private let pairs: LabelledRows = {
  var rows = Matrix(rows: 24, columns: 8)
  for row in 0..<24 {
    let identity = row % 8
    rows[row, identity] = 0.8
    rows[row, identity ^ 1] = 0.4
    rows[row, (identity + 2 + row / 8) % 8] += 0.2
  }
  _ = rows.normalizeRows()
  return LabelledRows(rows: rows, labels: (0..<24).map { Int64(10 * ($0 % 8)) })
}()

@Suite struct OverlappingIdentities {
  private func overlapped(_ set: LabelledRows, seed: UInt64) -> LabelledRows {
    var (set, stream) = (set, RandomStream(seed: seed, purpose: 5))
    set.overlap(&stream)
    return set
  }

  private func mean(_ set: LabelledRows, _ identity: Int) -> [Double] {
    let members = set.labels.indices.filter { set.labels[$0] == 10 * identity }
    return (0..<8).map { column in
      members.reduce(0.0) { $0 + Double(set.rows[$1, column]) } / Double(members.count)
    }
  }

  private func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  /// An identity moves as a whole towards the one most like it, or its rows keep their bits.
  @Test func moveTowardsTheMostSimilarOrStay() {
    var movedCounts: [Int] = []
    for seed in 0..<20 as Range<UInt64> {
      let after = overlapped(pairs, seed: seed)
      #expect(after == overlapped(pairs, seed: seed))
      #expect(after.labels == pairs.labels)
      var movedCount = 0
      for identity in 0..<8 {
        let members = [identity, identity + 8, identity + 16]
        let moved = members.filter { after.rows.row($0) != pairs.rows.row($0) }
        #expect(moved.isEmpty || moved == members)
        for row in members {
          let squares = after.rows.row(row).reduce(0.0) { $0 + Double($1) * Double($1) }
          #expect(abs(squares - 1) < 1e-6)
        }
        guard !moved.isEmpty else { continue }
        movedCount += 1
        let own = mean(pairs, identity)
        let like = mean(pairs, identity ^ 1)
        // x + α (c′ − c), normalised: c′ and α are found again from the first row.
        let alphas = (30...95).map { Double($0) / 100 }
        let fits = alphas.map { alpha -> Double in
          members.reduce(0.0) { worst, row in
            let expected = (0..<8).map {
              Double(pairs.rows[row, $0]) + alpha * (like[$0] - own[$0])
            }
            let length = expected.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
            return max(
              worst,
              distance(expected.map { $0 / length }, after.rows.row(row).map { Double($0) }))
          }
        }
        #expect(fits.min()! < 0.006, "seed \(seed), identity \(identity): \(fits.min()!)")
      }
      movedCounts.append(movedCount)
    }
    let share = Double(movedCounts.reduce(0, +)) / 160
    #expect((0.15...0.45).contains(share), "\(movedCounts)")  // 0.3 are expected
    #expect(movedCounts.min()! < movedCounts.max()!)
  }

  @Test func ofOneIdentityAreLeftAlone() {
    var one = pairs
    one.labels = one.labels.map { _ in 7 }
    for seed in 0..<5 as Range<UInt64> { #expect(overlapped(one, seed: seed) == one) }
    let none = LabelledRows(rows: Matrix(rows: 0, columns: 8), labels: [])
    #expect(overlapped(none, seed: 1) == none)
  }

  @Test func ofTwoIdentitiesMoveTowardsEachOther() {
    let rows = pairs.labels.indices.filter { pairs.labels[$0] < 20 }
    let two = LabelledRows(
      rows: Matrix(
        rows: rows.count, columns: 8, elements: rows.flatMap { pairs.rows.row($0) }),
      labels: rows.map { pairs.labels[$0] })
    let distances = (0..<20 as Range<UInt64>).map { seed -> Double in
      let after = overlapped(two, seed: seed)
      return distance(mean(after, 0), mean(after, 1))
    }
    let before = distance(mean(two, 0), mean(two, 1))
    #expect(distances.contains { $0 < 0.7 * before }, "\(before): \(distances)")
    // Each onto the other, they change places, but for what both moves leave out.
    #expect(distances.allSatisfy { $0 < 1.01 * before }, "\(before): \(distances)")
  }
}

@Suite struct WeightsOfEdges {
  /// Label 4 three times, label 9 twice, label -2 once.
  @Test(arguments: [1, 2, 3])
  func areOneOverTheRootOfTheNodesOfALabelOnAllRanks(ranks: Int) throws {
    let labels: [Int64] = [4, 9, 4, -2, 4, 9]
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator -> [Float] in
      // The last rank has what is left over, the first of three has nothing.
      let bounds = ranks == 3 ? [0, 0, 4, 6] : ranks == 2 ? [0, 1, 6] : [0, 6]
      let rank = communicator.rank.index
      return try rarity(of: Array(labels[bounds[rank]..<bounds[rank + 1]]), on: communicator)
    }
    let third = 1 / Float(3).squareRoot()
    let half = 1 / Float(2).squareRoot()
    #expect(found.flatMap { $0 } == [third, half, third, 1, third, half])
  }

  /// Of a level: at level 0 of points, above of nodes, on any number of ranks.
  @Test(arguments: [1, 2, 3])
  func areThoseOfTheNodesOfTheirLevel(ranks: Int) throws {
    let set = generated(90, identities: 9)
    let weights = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try structureGraphs(
        of: set.rows, labels: set.labels, levelCount: 2, settings: settings, using: Workers(),
        on: communicator
      ).map(\.weights)
    }
    #expect(weights.flatMap { $0[0] } == Array(repeating: 1 / Float(10).squareRoot(), count: 90))
    // Every identity's nodes together weigh n / √n.
    let later = weights.flatMap { $0[1] }
    #expect(later.count < 90 && later.allSatisfy { $0 > 1 / Float(10).squareRoot() })
    let counts = later.map { Int((1 / ($0 * $0)).rounded()) }
    for count in Set(counts) {
      #expect(counts.count { $0 == count }.isMultiple(of: count), "\(counts)")
    }
  }

  @Test func areThoseOfTheNodeThatAnEdgeLeadsTo() throws {
    let set = generated(40, identities: 6)
    let raw = try structureGraphs(
      of: set.rows, labels: set.labels, levelCount: 1, settings: settings, using: Workers(),
      on: SingleRank())[0]
    let nodeWeights = (0..<40).map { Float($0) }
    let graph = StructureGraph(
      raw.graph, nodeFeatures: raw.nodeFeatures, edgeFeatures: raw.edgeFeatures,
      isSame: raw.isSame, weights: nodeWeights, partCount: 2, part: { Int($0.index) % 2 })
    for (part, edges) in graph.parts.enumerated() {
      let expected = stride(from: part, to: 40, by: 2).flatMap { node in
        raw.graph.edges(into: node).map { _ in Float(node) }
      }
      #expect(edges.weights == expected && !expected.isEmpty)
    }
  }

  /// 0.5 · (3 · ln(1 + e^−2) + 0.25 · (1 + ln(1 + e^−1)) + 0 · …), by hand.
  @Test func multiplyTheLossOfAnEdge() {
    let tape = Tape<Double>()
    let loss = tape.constant(DenseMatrix<Double>(rows: 3, columns: 1, elements: [2, 1, -50]))
      .binaryCrossEntropy(of: [true, false, true], weights: [3, 0.25, 0], scale: 0.5)
    let expected =
      0.5 * (3 * 0.126_928_011_042_972_5 + 0.25 * 1.313_261_687_518_222_8)
    #expect(abs(loss.scalar - expected) < 1e-12)
  }
}

@Suite struct ThresholdChoices {
  private func trial(
    _ first: Double, _ later: Double, _ score: Double, others: Double = 0.5,
    resolution: Double? = nil
  ) -> ThresholdTrial {
    ThresholdTrial(
      threshold: first, laterThreshold: later, resolution: resolution, pairwiseF: others,
      bcubedF: others,
      identityF: score)
  }

  @Test func areTheBestByIdentitiesOfOneWeight() {
    let trials = [
      trial(0.3, 0.9, 0.70, others: 0.1), trial(0.5, 0.5, 0.695),
      trial(0.6, 0.9, 0.68, others: 0.9),
    ]
    #expect(trials.best == trials[0])
    #expect([ThresholdTrial]().best == nil)
  }

  @Test func modulesAreChosenIfTheyAreBetterThanThresholds() {
    let thresholds = [trial(0.3, 0.9, 0.70), trial(0.5, 0.5, 0.695)]
    let modules = [0.02: 0.68, 0.05: 0.704, 0.1: 0.71, 0.2: 0.705, 0.3: 0.69].map {
      trial(0.5, 0.9, $1, resolution: $0)
    }
    // The middle one of those within a hundredth of the best, with the same τ of later levels.
    let others = [trial(0.5, 0.99, 0.709, resolution: 0.01)]
    #expect((thresholds + modules + others).chosen?.resolution == 0.1)
    #expect(thresholds.chosen == thresholds[1])
    #expect((thresholds + [trial(0.5, 0.9, 0.6965, resolution: 0.1)]).chosen == thresholds[1])
    #expect((thresholds + [trial(0.5, 0.9, 0.6975, resolution: 0.1)]).chosen?.resolution == 0.1)
    // Better by identities, and worse by points.
    let large = trial(0.5, 0.9, 0.8, others: 0.4, resolution: 0.1)
    #expect((thresholds + [large]).chosen == thresholds[1])
    // Of two in the middle the better one.
    let two = [0.05: 0.705, 0.1: 0.700].map { trial(0.5, 0.9, $1, resolution: $0) }
    #expect((thresholds + two).chosen?.resolution == 0.05)
    let equal = [0.05: 0.705, 0.1: 0.705].map { trial(0.5, 0.9, $1, resolution: $0) }
    #expect((thresholds + equal).chosen?.resolution == 0.05)
    // The middle one is no better.
    let three = [0.02: 0.698, 0.05: 0.694, 0.1: 0.703].map { trial(0.5, 0.9, $1, resolution: $0) }
    #expect((thresholds + three).chosen == thresholds[1])
  }

  @Test func ofEqualsAreTheHighestThoseOfLevel0First() {
    let trials = [
      trial(0.3, 0.95, 0.7), trial(0.5, 0.7, 0.7), trial(0.5, 0.9, 0.7), trial(0.5, 0.8, 0.7),
      trial(0.9, 0.9, 0.69),
    ]
    #expect(trials.best == trials[2])
    #expect(Array(trials.reversed()).best == trials[2])
  }

  @Test func areTheNearestToOneHalfAmongThoseWithinAPointOfTheBest() {
    let trials = [
      trial(0.9, 0.8, 0.790), trial(0.7, 0.8, 0.788), trial(0.6, 0.6, 0.781),
      trial(0.5, 0.5, 0.779), trial(0.4, 0.6, 0.781),
    ]
    #expect(trials.best == trials[0])
    // 0.4 is as far from one half as 0.6: the higher one is taken.
    #expect(trials.chosen == trials[2])
    #expect(Array(trials.reversed()).chosen == trials[2])
    // Of two equally far the better one.
    #expect([trial(0.4, 0.5, 0.71), trial(0.6, 0.5, 0.705)].chosen == trial(0.4, 0.5, 0.71))
    #expect([trial(0.05, 0.5, 0.7), trial(0.9, 0.5, 0.695)].chosen == trial(0.9, 0.5, 0.695))
    #expect([ThresholdTrial]().chosen == nil)
  }

  @Test func whereNothingCanBeScoredAreOneHalf() {
    let trials = [0.02, 0.5, 0.99].map { trial($0, $0, 0) }
    #expect(trials.chosen == trials[1])
  }
}

@Suite struct ScoresInCompany {
  @Test func ofAllPointsAreThoseOfTheMetrics() throws {
    var generator = SeededGenerator(seed: 12)
    let truth = (0..<200).map { _ in Int64.random(in: 0..<30, using: &generator) }
    let predicted = (0..<200).map { _ in Int64.random(in: 0..<40, using: &generator) }
    let scores = scoresAmongAll(
      truth: truth, predicted: predicted, isJudged: Array(repeating: true, count: 200))
    let metrics = try compareLabels(truth: truth, predicted: predicted, on: SingleRank())
    #expect(abs(scores.pairwise - metrics.pairwise.f) < 1e-12)
    #expect(abs(scores.bcubed - metrics.bcubed.f) < 1e-12)
  }

  /// Identities of one size weigh the same as it is.
  @Test func ofEqualIdentitiesHaveTheMeanOfBothAsTheirOwn() {
    var generator = SeededGenerator(seed: 13)
    let truth = (0..<120).map { Int64($0 % 12) }
    let predicted = (0..<120).map { _ in Int64.random(in: 0..<20, using: &generator) }
    let scores = scoresAmongAll(
      truth: truth, predicted: predicted, isJudged: Array(repeating: true, count: 120))
    #expect(abs(scores.identity - (scores.pairwise + scores.bcubed) / 2) < 1e-12)
  }

  private func f(_ precision: Double, _ recall: Double) -> Double {
    2 * precision * recall / (precision + recall)
  }

  /// Asked: the three points of identity 0. Two are together, with one of identity 1; the third is
  /// alone. Of their 2 + 2 pairs in clusters 2 are true, of their 6 true pairs 2 are found; precision
  /// (2/3 + 2/3 + 1) / 3, recall (2/3 + 2/3 + 1/3) / 3.
  @Test func countTheOthersOnlyAsCompany() {
    let scores = scoresAmongAll(
      truth: [0, 0, 0, 1, 1, 1], predicted: [5, 5, 6, 5, 7, 7],
      isJudged: [true, true, true, false, false, false])
    let third = 1.0 / 3
    #expect(abs(scores.pairwise - f(0.5, third)) < 1e-12)
    #expect(abs(scores.bcubed - f(7.0 / 9, 5.0 / 9)) < 1e-12)
    #expect(abs(scores.identity - (f(0.5, third) + f(7.0 / 9, 5.0 / 9)) / 2) < 1e-12)
  }

  /// Identity 0 of eight points, 1 and 2 of two. Merged are all of 0, and 1 with 2.
  ///
  /// Per point, times 1 over the size of its identity: true pairs found 7 + 1 + 1 = 9, of 7 + 3 + 3 = 13
  /// in clusters and of 9 in identities. Precision 1, ½, ½ of the identities, recall 1 of each.
  @Test func giveEveryIdentityTheSameWeight() {
    let scores = scoresAmongAll(
      truth: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2], predicted: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
      isJudged: Array(repeating: true, count: 12))
    #expect(abs(scores.identity - (f(9.0 / 13, 1) + f(2.0 / 3, 1)) / 2) < 1e-12)
    #expect(abs(scores.pairwise - f(60.0 / 68, 1)) < 1e-12)
    #expect(abs(scores.bcubed - f(10.0 / 12, 1)) < 1e-12)
  }

  /// By points, that the large one is merged whole outweighs that all small ones are merged into one
  /// cluster; by identities it does not.
  @Test func areNotDecidedByOneLargeIdentity() {
    let large = Array(repeating: Int64(0), count: 12)
    let truth = large + [1, 1, 2, 2, 3, 3, 4, 4]
    let all = Array(repeating: true, count: 20)
    let mergesMuch = scoresAmongAll(
      truth: truth, predicted: large + [1, 1, 1, 1, 1, 1, 1, 1], isJudged: all)
    let mergesLittle = scoresAmongAll(
      truth: truth, predicted: [0, 0, 0, 5, 5, 5, 6, 6, 6, 7, 7, 7, 1, 1, 2, 2, 3, 3, 4, 4],
      isJudged: all)
    #expect(mergesMuch.pairwise > mergesLittle.pairwise)
    #expect(mergesMuch.bcubed > mergesLittle.bcubed)
    #expect(mergesMuch.identity < mergesLittle.identity)
    let trials = [(0.1, mergesMuch), (0.5, mergesLittle)].map { threshold, scores in
      ThresholdTrial(
        threshold: threshold, laterThreshold: threshold, pairwiseF: scores.pairwise,
        bcubedF: scores.bcubed, identityF: scores.identity)
    }
    #expect(trials.best == trials[1])
  }

  @Test func ofNobodyAre0() {
    for labels in [[], [1, 1]] as [[Int64]] {
      let scores = scoresAmongAll(
        truth: labels, predicted: labels, isJudged: labels.map { _ in false })
      #expect(scores == (0, 0, 0))
    }
  }
}

/// Few points and steps, but ranks and threads at once.
@Suite(.tags(.threads)) struct StructureTrainingOnThreads {
  @Test func hasTheSameBits() throws {
    var options = options(epochs: 1)
    options.graphCount = 1
    options.mixtureCount = 0
    let set = generated(120, identities: 12)
    let trainings = try [1, 3].map { threads in
      options.workers = Workers(threads)
      return try train(set, options, ranks: 2)
    }
    #expect(
      trainings.flatMap(\.self).allSatisfy {
        $0.network.tensors == trainings[0][0].network.tensors
      })
  }
}
