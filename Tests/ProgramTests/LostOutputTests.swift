import Foundation
import Subprocess
import Testing

extension Programs {
  /// What is finished is not lost with the place where it was to be written.
  @Suite struct LostOutputs {
    let scratch = try! Scratch()

    /// The program stops before it writes, and goes on when the directory is gone.
    @Test func labelsAreKeptWhenTheirDirectoryVanishes() async throws {
      let made = try await run(
        "highland", ["generate", "--points", "400", "--dimensions", "8", "-o", scratch("set")])
      try #require(made.exitCode == 0, "\(made)")
      let cluster = ["cluster", scratch("set/features_test.npy"), "--tau", "0.5", "-o"]
      let plain = try await run("highland", cluster + [scratch("labels.npy")])
      try #require(plain.exitCode == 0, "\(plain)")

      let directory = scratch("vanishes")
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: false)
      let words = (cluster + ["\(directory)/labels.npy"]).map { "'\($0)'" }.joined(separator: " ")
      let script = """
        HIGHLAND_DISRUPTION=0:STOP:0:write highland \(words) & pid=$!
        until [ "$(cut -d ' ' -f 3 /proc/$pid/stat)" = T ]; do sleep 0.02; done
        rm -r '\(directory)'
        kill -CONT $pid
        wait $pid
        """
      let outcome = try await run(
        .name("bash"), ["-c", script], environment: ["TMPDIR": scratch.path])
      #expect(outcome.exitCode == 1, "\(outcome)")
      let place = try #require(
        outcome.errorLines.last?.components(separatedBy: "is complete in ").last?
          .components(separatedBy: " on ").first, "\(outcome)")
      #expect(place.hasPrefix(scratch.path), "\(outcome)")
      #expect(try bytes(of: place) == bytes(of: scratch("labels.npy")))
    }
  }
}
