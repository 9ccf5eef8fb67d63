import Communication
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Parallelism
import Testing
import Training

private func options(_ counts: [Int], workers: Int = 1) -> StructureTrainingOptions {
  StructureTrainingOptions(
    shape: StructureShape(width: 8), settings: .init(neighborCount: 5),
    neighborCounts: counts, graphCount: 1, pointLimit: 400, levelCount: 2, epochCount: 2,
    stepEdgeCount: 400, seed: 3, workers: Workers(workers))
}

private func train(
  _ points: LabelledPoints, _ options: StructureTrainingOptions,
  from state: StructureTrainingState? = nil, ranks: Int = 1
) throws -> [StructureTraining] {
  try ThreadCommunicator.run(ranks: ranks) {
    try trainStructureNetwork(
      on: [LabelledEmbeddings(points.source, labels: points.labels)], options: options,
      goingOnFrom: state, over: $0)
  }
}

@Suite struct AComparisonOfLengths {
  private func trial(_ count: Int, _ score: Double) -> LengthTrial {
    LengthTrial(neighborCount: count, contextLength: 2 * count, pairwiseF: score, bcubedF: score)
  }

  @Test func endsAtTheFirstThatIsClearlyWorse() {
    var comparison = LengthComparison()
    comparison.add([trial(10, 0.8), trial(20, 0.77)])
    #expect(comparison.unconfirmed.isEmpty && comparison.isDecided)
    #expect(comparison.chosen?.neighborCount == 10)
    #expect(comparison.means.map(\.halfCount) == [1, 1])
  }

  @Test func endsAtTheFirstThatIsWorseOnBothHalves() {
    var comparison = LengthComparison()
    comparison.add([trial(10, 0.8), trial(20, 0.805)])
    #expect(comparison.unconfirmed == [10, 20] && !comparison.isDecided)
    comparison.confirm([trial(10, 0.8), trial(20, 0.78)])
    #expect(comparison.unconfirmed.isEmpty && comparison.isDecided)
    #expect(comparison.chosen?.neighborCount == 10)
    #expect(comparison.means.map(\.halfCount) == [2, 2])
  }

  @Test func endsWhereNothingCanBeBetter() {
    var comparison = LengthComparison()
    #expect(!comparison.isDecided && comparison.chosen == nil && comparison.unconfirmed.isEmpty)
    comparison.add([trial(10, 1), trial(20, 1)])
    #expect(comparison.unconfirmed == [10, 20])
    comparison.confirm([trial(10, 0.999), trial(20, 1)])
    #expect(comparison.isDecided && comparison.chosen?.neighborCount == 10)
  }

  @Test func goesOnWhileLongerListsAreAsGood() {
    var comparison = LengthComparison()
    comparison.add([trial(10, 0.7), trial(20, 0.8)])
    #expect(comparison.unconfirmed.isEmpty && !comparison.isDecided)
    comparison.add([trial(40, 0.79)])
    #expect(comparison.unconfirmed == [20, 40])
    comparison.confirm([trial(20, 0.8), trial(40, 0.809)])
    // Within the tolerance the shorter lists are taken, and longer ones tried.
    #expect(comparison.chosen?.neighborCount == 20 && !comparison.isDecided)
    // On the first half it is clearly better than the others; on both it is not.
    comparison.add([trial(80, 0.85)])
    #expect(comparison.unconfirmed == [80])
    comparison.confirm([trial(80, 0.7)])
    #expect(comparison.chosen?.neighborCount == 20 && comparison.isDecided)
  }
}

@Suite struct TheLengthOfLists {
  private static let points = LabelledPoints(
    identities: 16, pointsEach: 15, dimensions: 8, spread: 0.6, seed: 41)

  @Test func isTheSameOnAnyNumberOfRanksAndThreads() throws {
    let alone = try train(Self.points, options([5, 8, 12]))[0]
    #expect(alone.lengths.trials.map(\.neighborCount).prefix(2) == [5, 8])
    #expect(alone.lengths.trials.allSatisfy { $0.score > 0 && $0.score <= 1 })
    #expect(alone.network.settings.neighborCount == alone.lengths.neighborCount)
    #expect(alone.network.settings.contextLength == 2 * alone.lengths.neighborCount)
    for ranks in [2, 3] {
      for training in try train(Self.points, options([12, 5, 8], workers: 2), ranks: ranks) {
        #expect(training.lengths == alone.lengths)
      }
    }
  }

  @Test func isTheBestOfHeldOutIdentities() throws {
    let lengths = try train(Self.points, options([5, 8, 12]))[0].lengths
    let highest = lengths.trials.map(\.score).max()!
    let chosen = try #require(
      lengths.trials.first { $0.neighborCount == lengths.neighborCount })
    #expect(chosen.score >= highest - 0.02)
    // Both halves of the identities were held out in turn, unless one half told enough.
    let rivals = lengths.trials.filter { $0.halfCount == 2 }
    #expect(rivals.isEmpty || rivals.contains(chosen) && rivals.count > 1)
  }

  /// 240 points do not have lists of 100 to compare.
  @Test func isNoLongerThanTheSetAllows() throws {
    let lengths = try train(Self.points, options([5, 80]))[0].lengths
    #expect(lengths.neighborCount == 5 && lengths.trials.isEmpty)
  }

  @Test func isAsGivenWithoutTrials() throws {
    let training = try train(Self.points, options([]))[0]
    #expect(training.lengths == LengthChoice(StructureNetwork.Settings(neighborCount: 5)))
    #expect(training.network.settings.neighborCount == 5)
  }

  @Test func ofARunThatGoesOnIsThatOfTheRun() throws {
    let options = options([5, 8])
    var state = StructureTrainingState(options)
    state.progress.lengths = LengthChoice(StructureNetwork.Settings(neighborCount: 8))
    let training = try train(Self.points, options, from: state)[0]
    #expect(training.lengths.trials.isEmpty && training.network.settings.neighborCount == 8)
  }

  @Test func comparesListsOfTwiceTheEdgesUpToAHundred() {
    let lengths = [2, 10, 20, 40, 80, 300].map {
      StructureNetwork.Settings(neighborCount: $0).contextLength
    }
    #expect(lengths == [4, 20, 40, 80, 100, 300])
  }
}
