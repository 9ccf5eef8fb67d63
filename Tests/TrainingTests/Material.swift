import Communication
import DistributedGraphs
import HierarchicalClustering
import LinearAlgebra
import RandomInputs
import Training

/// Points around random centers, some of each identity.
struct LabelledPoints: Sendable {
  let source: EmbeddingsInMemory
  let labels: [Int64]

  init(identities: Int, pointsEach: Int, dimensions: Int, spread: Float = 0.5, seed: Int) {
    let centers = randomMatrix(identities, dimensions, seed: seed)
    let noise = randomMatrix(identities * pointsEach, dimensions, seed: seed + 1, scale: spread)
    var rows = noise
    var generator = SeededGenerator(seed: seed + 2)
    let labels = (0..<identities * pointsEach).map { Int64($0 % identities) }
      .shuffled(using: &generator)
    for row in labels.indices {
      for column in 0..<dimensions { rows[row, column] += centers[Int(labels[row]), column] }
    }
    source = EmbeddingsInMemory(rows)
    self.labels = labels
  }

  func graphs(
    chains: [TrainingChain] = [TrainingChain(neighborCount: 5, levelCount: 2)],
    usesTrueLinks: Bool = false, on communicator: some Communicator
  ) throws -> [TrainingGraph] {
    try trainingGraphs(
      of: source, labels: labels, chains: chains, usesTrueLinks: usesTrueLinks,
      needsAverages: true, on: communicator)
  }
}
