import RandomInputs
import SpeakerTurns
import Testing

@Suite struct TurnsOfWindows {
  private func turn(_ speaker: String, _ start: Double, _ end: Double) -> SpeakerTurn<String> {
    SpeakerTurn(speaker, Interval(start, end))
  }

  private func turns(
    _ windows: [SpeakerTurn<String>], gap: Double = 0
  ) -> [SpeakerTurn<String>] {
    SpeakerTurns.turns(ofWindows: windows, closingGapsBelow: gap)
  }

  @Test func twoSpeakersAreCutAtTheMiddleOfTheOverlap() {
    #expect(turns([turn("a", 0, 2), turn("b", 1, 4)]) == [turn("a", 0, 1.5), turn("b", 1.5, 4)])
  }

  @Test func neighborsOfOneSpeakerAreJoined() {
    let windows = [
      turn("a", 0, 1.5), turn("a", 0.75, 2.25), turn("b", 1.5, 3), turn("b", 2.25, 3.75),
      turn("b", 3.75, 4),
    ]
    #expect(turns(windows.reversed()) == [turn("a", 0, 1.875), turn("b", 1.875, 4)])
  }

  /// Six windows meet at every time; between two neighbours is the middle of their centres.
  @Test func windowsThatMeetManyOthersHaveTheTimeAroundTheirCentre() {
    let windows = (0..<12).map { turn("\($0)", 0.25 * Double($0), 0.25 * Double($0) + 1.5) }
    let found = turns(windows)
    #expect(found.map(\.speaker) == windows.map(\.speaker))
    let middles = (1..<12).map { 0.25 * Double($0) + 0.625 }
    #expect(found.map(\.start) == [0] + middles)
    #expect(found.map(\.end) == middles + [4.25])
  }

  @Test func gapsBelowTheLimitAreClosedWithinOneSpeaker() {
    let windows = [turn("a", 0, 1), turn("a", 1.25, 2), turn("b", 2.125, 3), turn("b", 3.5, 4)]
    #expect(turns(windows, gap: 0.25) == windows)
    #expect(
      turns(windows, gap: 0.375)
        == [turn("a", 0, 2), turn("b", 2.125, 3), turn("b", 3.5, 4)])
    #expect(turns(windows, gap: 0.75) == [turn("a", 0, 2), turn("b", 2.125, 4)])
  }

  @Test func aWindowWithinAnotherKeepsItsTime() {
    let windows = [turn("a", 0, 10), turn("b", 4, 5), turn("a", 4.25, 4.5), turn("c", 9, 11)]
    #expect(
      turns(windows) == [
        turn("a", 0, 4), turn("b", 4, 4.25), turn("a", 4.25, 4.5), turn("b", 4.5, 5),
        turn("a", 5, 9.5), turn("c", 9.5, 11),
      ])
    #expect(turns([turn("a", 0, 10), turn("a", 4, 5)]) == [turn("a", 0, 10)])
  }

  @Test func theFirstOfTwoWindowsWithEqualTimesCounts() {
    #expect(turns([turn("b", 1, 2), turn("a", 1, 2)]) == [turn("b", 1, 2)])
    #expect(
      turns([turn("a", 0, 3), turn("b", 1, 2), turn("c", 1, 2)])
        == [turn("a", 0, 1), turn("b", 1, 2), turn("a", 2, 3)])
  }

  @Test func noWindowsHaveNoTurns() { #expect(turns([]).isEmpty) }

  @Test(arguments: 0..<40)
  func oneSpeaksAtEveryTimeOfAWindowAndNobodyElsewhere(seed: Int) {
    var random = SeededGenerator(seed: seed)
    let windows = (0..<Int.random(in: 1...30, using: &random)).map { _ in
      let start = Double(Int.random(in: 0...80, using: &random)) / 4
      return turn(
        "\(Int.random(in: 0...3, using: &random))", start,
        start + Double(Int.random(in: 1...12, using: &random)) / 4)
    }
    let found = turns(windows)
    for (first, second) in zip(found, found.dropFirst()) {
      #expect(first.end <= second.start, "seed \(seed)")
      #expect(first.end < second.start || first.speaker != second.speaker, "seed \(seed)")
    }
    #expect(IntervalSet(found.map(\.interval)) == IntervalSet(windows.map(\.interval)))
    // Who speaks has a window there.
    for turn in found {
      let own = IntervalSet(windows.filter { $0.speaker == turn.speaker }.map(\.interval))
      #expect(IntervalSet([turn.interval]).subtracting(own).intervals.isEmpty, "seed \(seed)")
    }
  }
}

@Suite struct IntervalSets {
  private func set(_ intervals: (Double, Double)...) -> IntervalSet {
    IntervalSet(intervals.map { Interval($0.0, $0.1) })
  }

  @Test func theUnionJoinsWhatTouches() {
    #expect(
      set((3, 4), (0, 1), (1, 2), (3.5, 3.75), (5, 5)).intervals
        == [Interval(0, 2), Interval(3, 4)])
  }

  @Test func whatIsSubtractedIsOut() {
    let some = set((0, 2), (3, 6), (8, 9))
    #expect(some.subtracting(set((1, 4), (5, 5.5), (8, 9))) == set((0, 1), (4, 5), (5.5, 6)))
    #expect(some.subtracting(set((-1, 10))) == set())
    #expect(some.subtracting(set()) == some)
  }
}
