import Foundation
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  /// `highland diarize`, and `highland evaluate --rttm` of what it writes.
  @Suite struct Diarizations {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// Two recordings of 36 windows, 1.5 s long every 0.75 s, in which two speakers change every six windows.
    private func write() throws -> (windows: String, features: String) {
      var rows = randomMatrix(72, 8, seed: 5, scale: 0.02)
      var text = ""
      for row in 0..<72 {
        rows[row, row / 6 % 2] += 1
        let start = 0.75 * Double(row % 36)
        text += "utterance-\(row) talk\(row / 36) \(start) \(start + 1.5)\n"
      }
      return (try scratch.write(text, as: "segments"), try scratch.write(rows, as: "x.npy"))
    }

    private func diarize(_ more: [String], ranks: Int? = nil) async throws -> Outcome {
      let (windows, features) = try write()
      return try await run(
        "highland",
        ["diarize", windows, "--features", features, "--output", scratch("turns")] + more,
        onRanks: ranks)
    }

    private func turns(of recording: String) throws -> [String] {
      try String(decoding: bytes(of: scratch("turns/\(recording).rttm")), as: UTF8.self)
        .split(separator: "\n").map(String.init)
    }

    @Test(arguments: [nil, 3])
    func haveTheSameFilesOnAnyNumberOfRanks(ranks: Int?) async throws {
      let outcome = try await diarize(["--clusters", "2"], ranks: ranks)
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(outcome.output.contains("2 recordings: 12 turns, 55.5 s of speech."), "\(outcome)")
      #expect(
        try turns(of: "talk0").prefix(3) == [
          "SPEAKER talk0 1 0.000 4.875 <NA> <NA> speaker1 <NA> <NA>",
          "SPEAKER talk0 1 4.875 4.500 <NA> <NA> speaker2 <NA> <NA>",
          "SPEAKER talk0 1 9.375 4.500 <NA> <NA> speaker1 <NA> <NA>",
        ])
      #expect(
        try turns(of: "talk1").map { $0.split(separator: " ")[7] } == [
          "speaker1", "speaker2", "speaker1", "speaker2", "speaker1", "speaker2",
        ])
      let json = try String(decoding: bytes(of: scratch("turns/diarize.json")), as: UTF8.self)
      #expect(json.contains("\"speakerCount\" : 2") && !json.contains("lapsedSeconds"), "\(json)")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: scratch("turns")).sorted() == [
          "diarize.json", "talk0.rttm", "talk1.rttm",
        ])
    }

    @Test func regionsOfOverlapHaveTwoSpeakers() async throws {
      let overlaps = try scratch.write("talk0 4 5\ntalk1 100 101\n", as: "overlaps.txt")
      let outcome = try await diarize(["--clusters", "2", "--overlaps", overlaps])
      #expect(outcome.exitCode == 0, "\(outcome)")
      #expect(
        try turns(of: "talk0").prefix(2) == [
          "SPEAKER talk0 1 0.000 5.000 <NA> <NA> speaker1 <NA> <NA>",
          "SPEAKER talk0 1 4.000 5.375 <NA> <NA> speaker2 <NA> <NA>",
        ])
      #expect(try turns(of: "talk1").count == 6)
    }

    @Test func areReplacedOnlyIfThatIsAskedFor() async throws {
      #expect(try await diarize([]).exitCode == 0)
      let again = try await diarize([])
      #expect(again.exitCode == 1 && again.errors.contains("--overwrite"), "\(again)")
      #expect(try await diarize(["--overwrite", "--clusters", "1"]).exitCode == 0)
      #expect(try turns(of: "talk1").count == 1)
      // What is not ours stays.
      try FileManager.default.removeItem(atPath: scratch("turns/diarize.json"))
      let foreign = try await diarize(["--overwrite"])
      #expect(foreign.errors.contains("holds files, but no diarize.json"), "\(foreign)")
    }

    @Test(arguments: [
      ("r 0 1\n", "windows.txt: no group for row 1; expected 2 rows, one per point"),
      (
        "r 0 1\nr 1 1\n",
        "windows.txt: line 2: expected a start of 0 or later, and an end after it, found 'r 1 1'"
      ),
      (
        "r\t0\t1\na/b\t0\t1\n",
        "windows.txt: line 2: the recording's name holds a '/'; expected one for a file, and a field of RTTM"
      ),
      (
        "r\t0\t1\nr 1\t0\t1\n",
        "windows.txt: line 2: the recording's name holds a blank; expected one for a file, and a field of "
          + "RTTM"
      ),
      ("r\nr\n", "windows.txt: line 1: expected a recording, a start and an end, found 'r'"),
    ])
    func windowsThatAreNoneAreNamed(text: String, message: String) async throws {
      let windows = try scratch.write(text, as: "windows.txt")
      let features = try scratch.write(randomMatrix(2, 4, seed: 1), as: "x.npy")
      try await expectError(
        ["diarize", windows, "--features", features, "--output", scratch("turns")],
        "\(scratch.path)/\(message)")
      #expect(try scratch.names == ["windows.txt", "x.npy"])
    }

    @Test func overlapsOfAnotherRecordingAreNamed() async throws {
      let overlaps = try scratch.write("talk0 4 5\ntalk7 4 5\n", as: "overlaps.txt")
      let outcome = try await diarize(["--overlaps", overlaps], ranks: 2)
      #expect(outcome.exitCode == 1, "\(outcome)")
      #expect(
        outcome.errors.contains(
          "line 2: expected a recording of \(scratch("segments")), found 'talk7'"),
        "\(outcome)")
    }

    // MARK: - evaluate --rttm

    private func evaluate(_ truth: String, _ found: String, _ more: [String] = []) async throws
      -> Outcome
    {
      try await run("highland", ["evaluate", "--rttm", truth, "--predicted", found] + more)
    }

    @Test func aDiarizationIsComparedWithItself() async throws {
      #expect(try await diarize([]).exitCode == 0)
      let outcome = try await evaluate(scratch("turns"), scratch("turns"))
      #expect(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
      #expect(
        outcome.outputLines.last == "The number of speakers is right in 2 of 2 recordings.",
        "\(outcome)")
    }

    @Test func turnsAreNotComparedAsLabels() async throws {
      let outcome = try await run(
        "highland", ["evaluate", "--truth", "a.rttm", "--predicted", "b.txt"])
      #expect(
        outcome.exitCode == 64
          && outcome.errors.contains("a.rttm: turns of speakers, which --rttm"),
        "\(outcome)")
    }

    @Test func recordingsOfOneSideAreNoted() async throws {
      func line(_ recording: String, _ onset: Int) -> String {
        "SPEAKER \(recording) 1 \(onset) 4 <NA> <NA> s <NA> <NA>\n"
      }
      let truth = try scratch.write(line("a", 0) + line("b", 0), as: "truth.rttm")
      let found = try scratch.write(line("b", 1) + line("c", 0), as: "found.rttm")
      let outcome = try await evaluate(truth, found, ["--json"])
      #expect(
        outcome.errorLines == [
          "note: 1 recording without a turn in \(found)",
          "note: 1 recording of \(found) not scored",
        ], "\(outcome)")
      let json = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      let all = try #require(json["all"] as? [String: Any])
      // Of 8 s all 4 of a and 1 of b are missed, and 1 s is false.
      #expect(all["rate"] as? Double == 0.75 && all["missed"] as? Double == 0.625)
      #expect(all["falseAlarm"] as? Double == 0.125 && all["confusion"] as? Double == 0)
      #expect(json["rightCounts"] as? Int == 1)
      let uem = try scratch.write("b 1 2 9\nd 1 0 1\n", as: "some.uem")
      let some = try await evaluate(truth, found, ["--uem", uem])
      #expect(some.outputLines.count == 5, "\(some)")
      #expect(
        some.outputLines[1].split(separator: " ").prefix(6) == [
          "b", "2.00", "0.00", "50.00", "0.00", "50.00",
        ], "\(some)")
    }

    @Test(arguments: [nil, 3])
    func aLineThatIsNoTurnIsNamed(ranks: Int?) async throws {
      let path = try scratch.write("SPEAKER r 1 0 1 <NA> <NA> A\nr 1 2\n", as: "t.rttm")
      try await expectError(
        ["evaluate", "--rttm", path, "--predicted", path],
        "\(path): line 2: expected SPEAKER, or another type of line of RTTM, found 'r 1 2'",
        onRanks: ranks)
    }
  }
}
