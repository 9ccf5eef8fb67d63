import LinearAlgebra
import SpeakerTurns
import Testing

@Suite struct OverlappingSpeechOfSpeakers {
  private func turn(_ speaker: String, _ start: Double, _ end: Double) -> SpeakerTurn<String> {
    SpeakerTurn(speaker, Interval(start, end))
  }

  private let windows = [
    SpeakerTurn("a", Interval(0, 2)), SpeakerTurn("b", Interval(2, 4)),
    SpeakerTurn("c", Interval(4, 6)), SpeakerTurn("b", Interval(6, 8)),
  ]

  /// The last window is mostly c, and somewhat a: so b, whom it was found to be, is not among them.
  @Test func aRegionHasTheTwoSpeakersThatAreMostSimilar() {
    let rows = Matrix(rows: 4, columns: 3, elements: [2, 0, 0, 0, 1, 0, 0, 0, 3, 0.5, 0.25, 1])
    let found = likeliestSpeakers(in: IntervalSet([Interval(6, 8)]), of: windows, rows: rows)
    #expect(found == [OverlappingSpeech(Interval(6, 8), speakers: ["c", "a"])])
  }

  @Test func windowsCountAsLongAsTheyLastInTheRegion() {
    let rows = Matrix(rows: 4, columns: 3, elements: [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0])
    // 0.5 s of a, 2 s of b, 1 s of c.
    let found = likeliestSpeakers(in: IntervalSet([Interval(1.5, 5)]), of: windows, rows: rows)
    #expect(found.map(\.speakers) == [["b", "c"]])
    // Nobody has a window there.
    #expect(likeliestSpeakers(in: IntervalSet([Interval(8, 9)]), of: windows, rows: rows).isEmpty)
  }

  @Test func aRecordingOfOneSpeakerHasNoSecond() {
    let rows = Matrix(rows: 1, columns: 1, elements: [1])
    let found = likeliestSpeakers(
      in: IntervalSet([Interval(0, 9)]), of: [turn("a", 0, 2)], rows: rows)
    #expect(found.map(\.speakers) == [["a"]])
  }

  @Test func rowsWithoutADirectionDoNotCount() {
    let rows = Matrix(
      rows: 4, columns: 2, elements: [1, 0, .nan, 1, 0, 1, 0, 0])
    let found = likeliestSpeakers(in: IntervalSet([Interval(0, 8)]), of: windows, rows: rows)
    #expect(found.map(\.speakers) == [["a", "c"]])
  }

  @Test func twoSpeakInARegionAndOneElsewhere() {
    let turns = SpeakerTurns.turns(
      [turn("a", 0, 3), turn("b", 3, 5), turn("a", 5, 6)],
      overlappingIn: [
        OverlappingSpeech(Interval(2.5, 3.5), speakers: ["b", "a"]),
        OverlappingSpeech(Interval(5.5, 7), speakers: ["c", "a"]),
      ])
    #expect(
      turns == [turn("a", 0, 3.5), turn("b", 2.5, 5), turn("a", 5, 7), turn("c", 5.5, 7)])
  }
}
