import Testing
import Training

@Suite("Scores of held-out points")
struct HeldOutScoreTests {
  @Test("Are the usual F where all points are held out")
  func areTheUsualF() {
    // Two true clusters {0, 1, 2} and {3}; predicted {0, 1} and {2, 3}.
    let scores = heldOutScores(
      truth: [7, 7, 7, 8], predicted: [0, 0, 1, 1], isHeldOut: [true, true, true, true])
    // Pairs: 1 of 2 together, 1 of 3 alike. BCubed: precision 3/4, recall (2/3 + 2/3 + 1/3 + 1)/4.
    #expect(abs(scores.pairwise - 0.4) < 1e-12)
    let recall = (2.0 / 3 + 2.0 / 3 + 1.0 / 3 + 1) / 4
    #expect(abs(scores.bcubed - 2 * 0.75 * recall / (0.75 + recall)) < 1e-12)
  }

  @Test("Count a held-out stranger for the points of training that it stands for")
  func countStrangersBySharesHeldOut() {
    // Half of the points are held out: the stranger in the cluster of two counts twice.
    let scores = heldOutScores(
      truth: [1, 2, 5, 6], predicted: [0, 0, 3, 4], isHeldOut: [true, true, false, false])
    #expect(scores.pairwise == 0)
    #expect(abs(scores.bcubed - 2 * (1.0 / 3) / (4.0 / 3)) < 1e-12)
  }

  @Test("Do not mind the company of points of training")
  func ignoreTraining() {
    let scores = heldOutScores(
      truth: [1, 1, 5, 6], predicted: [0, 0, 0, 0], isHeldOut: [true, true, false, false])
    #expect(scores.pairwise == 1 && scores.bcubed == 1)
  }
}
