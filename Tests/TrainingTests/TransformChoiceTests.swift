import Communication
import DiscriminantTransforms
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import Parallelism
import RandomInputs
import Testing
import Training

/// Identities differ in the first columns; in the others rows of one identity differ more than identities do.
private func set(disturbedBy noise: Float) -> LabelledEmbeddings {
  let (identities, each, columns) = (24, 12, 16)
  let centers = randomMatrix(identities, columns, seed: 51)
  var rows = randomMatrix(identities * each, columns, seed: 52, scale: 0.25)
  for row in 0..<rows.rowCount {
    for column in 0..<columns {
      if column < 6 { rows[row, column] += centers[row % identities, column] }
      if column >= 12 { rows[row, column] *= noise }
    }
  }
  return LabelledEmbeddings(
    EmbeddingsInMemory(rows), labels: (0..<rows.rowCount).map { Int64($0 % identities) })
}

private func train(
  on sets: [LabelledEmbeddings], tries: Bool = true, ranks: Int = 1, workers: Int = 1
) throws -> [StructureTraining] {
  try ThreadCommunicator.run(ranks: ranks) {
    try trainStructureNetwork(
      on: sets,
      options: StructureTrainingOptions(
        shape: StructureShape(width: 8), settings: .init(neighborCount: 5), triesTransforms: tries,
        graphCount: 2, pointLimit: 400, levelCount: 2, epochCount: 3, stepEdgeCount: 400, seed: 3,
        workers: Workers(workers)),
      over: $0)
  }
}

@Suite struct ATransformOfRows {
  @Test func isHeldWhereItHelpsWithTheSameBitsOnAnyNumberOfRanks() throws {
    let disturbed = set(disturbedBy: 6)
    let alone = try train(on: [disturbed])[0].transformChoice
    let transform = try #require(alone.transform)
    let (before, chosen) = (try #require(alone.asTheyAre), try #require(alone.chosen))
    #expect(chosen.score >= before.score + 0.005 && before.halfCount == 2)
    let rivals = alone.trials.filter { $0.halfCount == 2 }.map(\.score)
    #expect(rivals.max() == chosen.score && alone.best == chosen && alone.obstacle == nil)
    for ranks in [2, 3] {
      for other in try train(on: [disturbed], ranks: ranks, workers: 2) {
        // The networks differ in rounding, the transform does not.
        #expect(other.transformChoice.transform == transform)
        #expect(other.transformChoice.chosen?.settings == chosen.settings)
      }
    }
  }

  @Test func isNotHeldWhereItDoesNot() throws {
    let choice = try train(on: [set(disturbedBy: 1)])[0].transformChoice
    #expect(choice.transform == nil && choice.chosen == nil && choice.obstacle == nil)
    #expect(choice.trials.count == 6)
    #expect(choice.best.map { $0.halfCount == choice.asTheyAre!.halfCount } ?? true)
  }

  @Test func isNotTriedWithoutNeed() throws {
    let disturbed = set(disturbedBy: 6)
    for (sets, tries, words) in [
      ([disturbed], false, nil), ([disturbed, disturbed], true, "several sets"),
      ([few(7)], true, "fewer than eight identities"),
    ] {
      let choice = try train(on: sets, tries: tries)[0].transformChoice
      #expect(choice.transform == nil && choice.trials.isEmpty && choice.obstacle == words)
    }
  }

  private func few(_ identities: Int) -> LabelledEmbeddings {
    let points = LabelledPoints(
      identities: identities, pointsEach: 15, dimensions: 8, seed: 41)
    return LabelledEmbeddings(points.source, labels: points.labels)
  }
}
