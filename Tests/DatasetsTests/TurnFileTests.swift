import Datasets
import SpeakerTurns
import Testing

@Suite struct TurnFileTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func file(_ text: String, _ name: String = "turns.rttm") throws -> String {
    try scratch.file(name, Array(text.utf8))
  }

  @Test func turnsAreOfRecordings() throws {
    let path = try file(
      """
      ;; a comment
      SPKR-INFO r 1 <NA> <NA> <NA> unknown A <NA>
      SPEAKER r 1 0.5 1.25 <NA> <NA> A <NA> <NA>

      SPEAKER\ts\t<NA>\t3\t0\t<NA>\t<NA>\tB\t<NA>
      SPEAKER r 2 1 1e0 <NA> <NA> B\r

      """)
    #expect(
      try TurnFile.turns(path: path) == [
        "r": [SpeakerTurn("A", Interval(0.5, 1.75)), SpeakerTurn("B", Interval(1, 2))],
        "s": [SpeakerTurn("B", Interval(3, 3))],
      ])
  }

  @Test func aDirectoryHasTheTurnsOfItsFiles() throws {
    _ = try file("SPEAKER r 1 0 1 <NA> <NA> A <NA> <NA>\n", "r.rttm")
    _ = try file("SPEAKER s 1 0 1 <NA> <NA> A <NA> <NA>\n", "s.rttm")
    _ = try file("no turns\n", "notes.txt")
    #expect(try TurnFile.turns(path: scratch.path).keys.sorted() == ["r", "s"])
    _ = try file("SPEAKER r 1 0 1 <NA> <NA> A <NA> <NA>\n", "t.rttm")
    #expect(
      problem { _ = try TurnFile.turns(path: scratch.path) }
        == "recording 'r' is in r.rttm, too")
  }

  @Test func aDirectoryWithoutTurnsIsRefused() throws {
    #expect(
      problem { _ = try TurnFile.turns(path: scratch.path) }
        == "holds no file whose name ends in .rttm")
  }

  private static let expected =
    "expected SPEAKER, a recording, a channel, onset, duration, two fields and a speaker, found "

  @Test(arguments: [
    ("SPEAKER r 1 0 1 <NA> <NA>\n", "line 1: \(expected)'SPEAKER r 1 0 1 <NA> <NA>'"),
    ("\nSPEAKER r 1 0 -1 <NA> <NA> A\n", "line 2: \(expected)'SPEAKER r 1 0 -1 <NA> <NA> A'"),
    ("SPEAKER r 1 x 1 <NA> <NA> A\n", "line 1: \(expected)'SPEAKER r 1 x 1 <NA> <NA> A'"),
    ("SPEAKER r 1 0 inf <NA> <NA> A\n", "line 1: \(expected)'SPEAKER r 1 0 inf <NA> <NA> A'"),
    (
      "r 0 1\n", "line 1: expected SPEAKER, or another type of line of RTTM, found 'r 0 1'"
    ),
  ])
  func aLineThatIsNoTurnIsNamed(text: String, expected: String) throws {
    let path = try file(text)
    #expect(problem { _ = try TurnFile.turns(path: path) } == expected)
  }

  @Test func timesAreWrittenInMilliseconds() throws {
    let text = TurnFile.text(
      of: [
        SpeakerTurn("A", Interval(0.0004, 1.0626)), SpeakerTurn("B", Interval(1.0626, 1.0629)),
        SpeakerTurn("B", Interval(12.5, 3600.05)),
      ], in: "r")
    #expect(
      text == """
        SPEAKER r 1 0.000 1.063 <NA> <NA> A <NA> <NA>
        SPEAKER r 1 12.500 3587.550 <NA> <NA> B <NA> <NA>

        """)
    #expect(
      try TurnFile.turns(path: file(text)).values.first?.map(\.speaker) == ["A", "B"])
  }

  @Test func scoredTimesAreUnions() throws {
    let path = try file("r 1 0 2\nr 1 1 3\n;; none\ns 1 5 5\n", "all.uem")
    let times = try TurnFile.scoredTimes(path: path)
    #expect(times["r"]?.intervals == [Interval(0, 3)] && times["s"]?.intervals == [])
    let wrong = try file("r 1 0 2\nr 1 3\n", "wrong.uem")
    #expect(
      problem { _ = try TurnFile.scoredTimes(path: wrong) }
        == "line 2: expected a recording, a channel, a start and an end, found 'r 1 3'")
  }

  @Test(arguments: [
    ("r-1_a.b", nil), ("", "is empty"), ("a b", "holds a blank"), ("a\u{2028}", "holds a blank"),
    ("a/b", "holds a '/'"), ("..", "begins with '.'"), (";x", "begins with ';'"),
    (String(repeating: "x", count: 201), "has more than 200 bytes"),
  ])
  func namesThatMakeNoFileAreKnown(name: String, problem: String?) {
    #expect(TurnFile.problem(ofName: name) == problem)
  }

  @Test func windowsAreOfRecordings() throws {
    let windows = try RecordingWindows(
      GroupFile(path: file("u1 s 0 1.5\nu2 r 0.75 2\nu3 s 1 2\n", "segments")))
    #expect(windows.names == ["s", "r"] && windows.firstRows == [0, 1])
    #expect(windows.recordings == [0, 1, 0])
    #expect(windows.times == [Interval(0, 1.5), Interval(0.75, 2), Interval(1, 2)])
  }

  @Test(arguments: [
    ("a\nb\n", "line 1: expected a recording, a start and an end, found 'a'"),
    (
      "recording,start,end\nr,1,0\n",
      "line 2: expected a start of 0 or later, and an end after it, found 'r,1,0'"
    ),
    ("r 0 1\nr 1\n", "line 2: expected a recording, a start and an end, as on line 1, found 'r 1'"),
    (
      "r 0 1\nr 2 1\n", "line 2: expected a start of 0 or later, and an end after it, found 'r 2 1'"
    ),
    ("r -1 1\n", "line 1: expected a start of 0 or later, and an end after it, found 'r -1 1'"),
    (
      "r 1 1e300\n",
      "line 1: expected a start of 0 or later, and an end after it, found 'r 1 1e300'"
    ),
  ])
  func aLineThatIsNoWindowIsNamed(text: String, expected: String) throws {
    let path = try file(text, "segments")
    #expect(problem { _ = try RecordingWindows(GroupFile(path: path)) } == expected)
  }

  @Test func anArrayHasNoWindows() throws {
    let path = try scratch.file("g.npy", npy("<i8", shape: "(1,)", bytes([Int64(1)])))
    #expect(
      problem { _ = try RecordingWindows(GroupFile(path: path)) }
        == "an array; expected lines of a recording, a start and an end")
  }
}
