import Evaluation
import RandomInputs
import SpeakerTurns
import Testing

@Suite struct DiarizationErrors {
  private func turn(_ speaker: String, _ start: Double, _ end: Double) -> SpeakerTurn<String> {
    SpeakerTurn(speaker, Interval(start, end))
  }

  /// 10 s of A, then 10 s of B, of which the last 2 with C.
  private let truth = [
    SpeakerTurn("A", Interval(0, 10)), SpeakerTurn("B", Interval(10, 20)),
    SpeakerTurn("C", Interval(18, 20)),
  ]

  @Test func whatIsRightHasNoError() {
    let found = diarizationError(
      truth: truth, predicted: truth.map { turn("x\($0.speaker)", $0.start, $0.end) })
    #expect(found.rate == 0 && found.purity == 1 && found.coverage == 1)
    #expect(found.truthSeconds == 22 && found.trueSpeakers == 3 && found.predictedSpeakers == 3)
  }

  /// By hand: 1 is A and 2 is B, so that 10–12 is confused. Of 18–20 one of two is missed, and 20–23 is false.
  private let predicted = [
    SpeakerTurn("1", Interval(0, 12)), SpeakerTurn("2", Interval(12, 23)),
  ]

  @Test func partsAddUpAsByHand() {
    let found = diarizationError(truth: truth, predicted: predicted)
    #expect(found.missedSeconds == 2)
    #expect(found.falseAlarmSeconds == 3)
    #expect(found.confusedSeconds == 2)
    #expect(found.rate == 7.0 / 22)
    // 10 of 12 s and 8 of 11 s; 10 of 10 s, 8 of 10 s and 2 of 2 s.
    #expect(found.predictedSeconds == 23 && found.pureSeconds == 18)
    #expect(found.coveredSeconds == 20)
  }

  @Test func aCollarIsOnEachSideOfEveryTrueStartAndEnd() {
    // Out are −0.5–0.5, 9.5–10.5, 17.5–18.5 and 19.5–20.5.
    let found = diarizationError(
      truth: truth, predicted: predicted, in: ScoredTimes(collarSeconds: 0.5))
    #expect(found.truthSeconds == 9 + 7 + 1 + 1)
    #expect(found.missedSeconds == 1)
    #expect(found.falseAlarmSeconds == 2.5)
    #expect(found.confusedSeconds == 1.5)
  }

  @Test func overlapsOfTheTruthCanBeLeftOut() {
    let found = diarizationError(
      truth: truth, predicted: predicted, in: ScoredTimes(skipsOverlap: true))
    #expect(found.truthSeconds == 18 && found.missedSeconds == 0 && found.trueSpeakers == 2)
    #expect(found.falseAlarmSeconds == 3 && found.confusedSeconds == 2)
  }

  @Test func onlyGivenRegionsAreScored() {
    let regions = IntervalSet([Interval(11, 13), Interval(22, 30)])
    let found = diarizationError(
      truth: truth, predicted: predicted, in: ScoredTimes(regions: regions))
    #expect(found.truthSeconds == 2 && found.falseAlarmSeconds == 1)
    // Either of the two may be B.
    #expect(found.confusedSeconds == 1 && found.trueSpeakers == 1 && found.predictedSpeakers == 2)
  }

  /// Greedily 1 would be A, and 2 nobody.
  @Test func theMapIsTheBestAndNotTheGreedyOne() {
    let truth = [turn("A", 0, 11), turn("B", 11, 16)]
    let predicted = [turn("1", 0, 6), turn("2", 6, 11), turn("1", 11, 16)]
    #expect(diarizationError(truth: truth, predicted: predicted).confusedSeconds == 6)
  }

  @Test func whoOverlapsHimselfSpeaksOnce() {
    let truth = [turn("A", 0, 4), turn("A", 2, 6), turn("A", 3, 3)]
    let found = diarizationError(truth: truth, predicted: [turn("1", 0, 6), turn("1", 1, 2)])
    #expect(found.truthSeconds == 6 && found.rate == 0)
  }

  @Test func nothingIsMissedOfSilence() {
    let none: [SpeakerTurn<String>] = []
    let silence = diarizationError(truth: none, predicted: none)
    #expect(silence.rate.isNaN && silence.purity.isNaN)
    #expect(diarizationError(truth: none, predicted: predicted).falseAlarmSeconds == 23)
    #expect(diarizationError(truth: truth, predicted: none).rate == 1)
  }

  /// Against a sum over ticks, with every map tried.
  @Test(arguments: 0..<60)
  func agreesWithCountingTicks(seed: Int) {
    var random = SeededGenerator(seed: seed)
    func turns(speakers: Int) -> [SpeakerTurn<Int>] {
      (0..<Int.random(in: 0...8, using: &random)).map { _ in
        let start = Int.random(in: 0...30, using: &random)
        return SpeakerTurn(
          Int.random(in: 0..<speakers, using: &random),
          Interval(Double(start), Double(start + Int.random(in: 0...9, using: &random))))
      }
    }
    let (truth, predicted) = (turns(speakers: 3), turns(speakers: 4))
    func speakers(_ turns: [SpeakerTurn<Int>], _ tick: Int) -> Set<Int> {
      Set(turns.filter { $0.start <= Double(tick) && Double(tick) < $0.end }.map(\.speaker))
    }
    var (missed, falseAlarm, paired) = (0, 0, 0)
    var together = Array(repeating: Array(repeating: 0, count: 4), count: 3)
    for tick in 0..<40 {
      let (r, h) = (speakers(truth, tick), speakers(predicted, tick))
      missed += max(r.count - h.count, 0)
      falseAlarm += max(h.count - r.count, 0)
      paired += min(r.count, h.count)
      for speaker in r { for other in h { together[speaker][other] += 1 } }
    }
    var right = 0
    for a in 0..<4 {
      for b in 0..<4 where b != a {
        for c in 0..<4 where c != a && c != b {
          right = max(right, together[0][a] + together[1][b] + together[2][c])
        }
      }
    }
    let found = diarizationError(truth: truth, predicted: predicted)
    #expect(found.missedSeconds == Double(missed), "seed \(seed)")
    #expect(found.falseAlarmSeconds == Double(falseAlarm), "seed \(seed)")
    #expect(found.confusedSeconds == Double(paired - right), "seed \(seed)")
  }

  @Test(arguments: [(0, 0), (1, 1), (1, 4), (4, 1), (3, 3), (4, 5), (6, 4)])
  func theBestAssignmentIsTheBestOfAll(rows: Int, columns: Int) {
    for seed in 0..<20 {
      var random = SeededGenerator(seed: seed)
      let weights = (0..<rows).map { _ in
        (0..<columns).map { _ in Double(Int.random(in: -3...9, using: &random)) }
      }
      let found = bestAssignment(weights)
      #expect(found.count == rows)
      let taken = found.compactMap { $0 }
      #expect(Set(taken).count == taken.count && taken.count == min(rows, columns))
      let sum = found.enumerated().reduce(0.0) { sum, pair in
        sum + (pair.element.map { weights[pair.offset][$0] } ?? 0)
      }
      #expect(sum == best(weights, from: 0, [], leaving: max(rows - columns, 0)), "seed \(seed)")
    }
  }

  /// By trying all.
  private func best(
    _ weights: [[Double]], from row: Int, _ taken: Set<Int>, leaving count: Int
  ) -> Double {
    guard row < weights.count else { return 0 }
    var sums = weights[row].indices.filter { !taken.contains($0) }.map {
      weights[row][$0] + best(weights, from: row + 1, taken.union([$0]), leaving: count)
    }
    if count > 0 { sums.append(best(weights, from: row + 1, taken, leaving: count - 1)) }
    return sums.max() ?? -.infinity
  }
}
