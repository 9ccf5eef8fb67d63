import Foundation
import HierarchicalClustering
import LinearAlgebra
import RandomInputs
import Subprocess
import Testing

/// A file of `highland plan --constants` in which all work has the same rate.
func planRates(unitsPerSecond rate: Double) -> String {
  let works = Work.allCases.map { "\"\($0.rawValue)\": \(rate)" }.joined(separator: ", ")
  return """
    {"processor": "p", "kernels": "k", "unitsPerSecond": {\(works)}, "bytesPerSecond": 1e9,
     "secondsPerMessage": 1e-6, "bytesPerSecondBetweenHosts": 1e9,
     "secondsPerMessageBetweenHosts": 1e-5, "areMessagesMeasured": true}
    """
}

extension Programs {
  @Suite struct Plans {
    private func plan(_ arguments: [String], ranks: Int = 1) async throws -> [String: Any] {
      let outcome = try await run("highland", ["plan", "--json"] + arguments, ranks: ranks)
      #expect(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
      let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      return try #require(object as? [String: Any])
    }

    private func total(_ plan: [String: Any], _ name: String) throws -> Double {
      let total = try #require(plan["total"] as? [String: Any])
      return try #require(total[name] as? Double)
    }

    /// A billion points on 512 ranks that are not there.
    @Test func reachABillionPoints() async throws {
      let size = ["--points", "1e9", "--dimensions", "256", "--threads", "4"]
      let some = try await plan(size + ["--ranks", "512", "--hosts", "64"])
      #expect(some["pointCount"] as? Int == 1_000_000_000)
      let more = try await plan(size + ["--ranks", "1024", "--hosts", "128"])
      #expect(try total(more, "seconds") < total(some, "seconds"))
      #expect(try total(some, "bytesToOtherHosts") < total(some, "bytesSent"))
      #expect(try total(some, "bytesToOtherHosts") > 0)
      #expect(try total(some, "memoryBytes") > 1e9 * 1024 / 512)
      #expect(try total(some, "workSeconds") < total(some, "seconds"))
      let phases = try #require(some["phases"] as? [[String: Any]])
      let search = try #require(phases.first { $0["phase"] as? String == "neighbors" })
      let forms = try #require(search["byForm"] as? [String: [String: Double]])
      let sent = forms.values.reduce(0) { $0 + $1["bytesSent"]! }
      let cost = try #require(search["cost"] as? [String: Double])
      #expect(forms.keys.sorted() == ["allGather", "exchange"])
      #expect(abs(sent / cost["bytesSent"]! - 1) < 1e-9)
    }

    /// The plan of a file is that of its size and type.
    @Test func ofAFileAreThoseOfItsSize() async throws {
      let scratch = try Scratch()
      let path = try scratch.write(randomMatrix(200, 24, seed: 8), as: "x.npy")
      var ofFile = try await plan([path, "--ranks", "3"])
      let ofSize = try await plan([
        "--points", "200", "--dimensions", "24", "--element-type", "float32", "--ranks", "3",
      ])
      #expect(ofFile.removeValue(forKey: "features") as? String == path)
      #expect(NSDictionary(dictionary: ofFile) == NSDictionary(dictionary: ofSize))
    }

    /// What does not fit is said to break first, with a number of ranks that fits.
    @Test func nameWhatBreaksAndWhatHelps() async throws {
      let arguments = ["--points", "100M", "--dimensions", "128", "--memory", "8G"]
      let one = try await plan(arguments)
      #expect(one["fits"] as? Bool == false)
      let remedies = try #require(one["remedies"] as? [[String: Any]])
      let ranks = try #require(
        remedies.compactMap { $0["change"] as? String }.first { $0.hasPrefix("--ranks ") })
      let more = try await plan(arguments + ranks.split(separator: " ").map(String.init))
      #expect(more["fits"] as? Bool == true)
      #expect(remedies.contains { $0["change"] as? String == "rows of 8-bit numbers" })
    }

    /// An exact search of many points takes longest, and an approximate one would take less.
    @Test func adviseAnApproximateSearch() async throws {
      let plan = try await plan([
        "--points", "3M", "--dimensions", "128", "--search", "exact", "--command", "knn",
      ])
      #expect(plan["breaksFirst"] as? String == "neighbors")
      let remedies = try #require(plan["remedies"] as? [[String: Any]])
      let approximate = try #require(
        remedies.first { $0["change"] as? String == "--search approximate" })
      #expect(try #require(approximate["seconds"] as? Double) < total(plan, "seconds") / 3)
    }

    /// Another partition of the search costs what a plan with one more has more.
    @Test(arguments: ["1", "4"]) func tellWhatAFurtherPartitionCosts(ranks: String) async throws {
      let arguments = [
        "--points", "3M", "--dimensions", "64", "--command", "knn", "--ranks", ranks,
      ]
      let one = try await plan(arguments + ["--partitions", "1"])
      let two = try await plan(arguments + ["--partitions", "2"])
      #expect(one["partitionCount"] as? Int == 1)
      let further = try #require(one["furtherPartition"] as? [String: Double])
      for name in ["seconds", "bytesSent"] {
        let difference = try total(two, name) - total(one, name)
        #expect(abs(try #require(further[name]) - difference) <= 1e-9 * difference)
      }
      #expect(further["seconds"]! > 0.3 * (try total(one, "seconds")))
      #expect(try total(two, "memoryBytes") == total(one, "memoryBytes"))
      let exact = try await plan(arguments + ["--search", "exact"])
      #expect(exact["furtherPartition"] == nil && exact["partitionCount"] == nil)
      let text = try await run("highland", ["plan"] + arguments)
      #expect(
        text.output.contains("This is for 2 partitions of the search; each further one, "),
        "\(text)")
    }

    /// Under several ranks one plan is printed.
    @Test func arePrintedOnce() async throws {
      let alone = try await plan(["--points", "1e6", "--dimensions", "16"])
      let many = try await plan(["--points", "1e6", "--dimensions", "16"], ranks: 2)
      #expect(NSDictionary(dictionary: alone) == NSDictionary(dictionary: many))
    }

    @Test func takeTheRatesOfAFile() async throws {
      let scratch = try Scratch()
      let arguments = ["--points", "1e5", "--dimensions", "16", "--constants"]
      let slow = try scratch.write(planRates(unitsPerSecond: 1e6), as: "slow.json")
      let fast = try scratch.write(planRates(unitsPerSecond: 1e7), as: "fast.json")
      let seconds = try await (
        total(plan(arguments + [slow]), "seconds"), total(plan(arguments + [fast]), "seconds")
      )
      #expect(abs(seconds.0 / seconds.1 - 10) < 1e-6)
    }

    @Test(arguments: [
      ("{}", "no rates of highland plan --calibrate"),
      ("", "no rates of highland plan --calibrate"),
      ("zero", "readNumbers: 0.0 units per second"),
    ])
    func refuseFilesWithoutRates(text: String, problem: String) async throws {
      let scratch = try Scratch()
      let text = text == "zero" ? planRates(unitsPerSecond: 0) : text
      let path = try scratch.write(text, as: "rates.json")
      let outcome = try await run(
        "highland", ["plan", "--points", "10", "--dimensions", "2", "--constants", path])
      #expect(outcome.exitCode == 1 && outcome.output.isEmpty, "\(outcome)")
      #expect(outcome.errors.contains(path) && outcome.errors.contains(problem), "\(outcome)")
    }

    @Test(arguments: [
      ("--points 0 --dimensions 3", "--points"), ("--points 1.5 --dimensions 3", "--points"),
      ("--points 1e30 --dimensions 3", "--points"), ("--points 10", "--dimensions"),
      ("--points 10 --dimensions 3 --hosts 2", "--hosts 2"),
      ("--points 10 --dimensions 3 --network 1G", "--network"),
      ("--points 10 --dimensions 3 --diffuse", "--diffuse"),
      ("--points 10 --dimensions 3 --partitions 2", "--partitions"),
      ("--calibrate --ranks 2", "--ranks"), ("--calibrate --overwrite", "--overwrite"),
      ("a.npy --points 3 --dimensions 3", "--points"), ("", "--points"),
    ])
    func refuseWhatTheyCannotPlan(words: String, name: String) async throws {
      let outcome = try await run(
        "highland", ["plan"] + words.split(separator: " ").map(String.init))
      #expect(outcome.exitCode == 64 || outcome.exitCode == 1, "\(outcome)")
      #expect(outcome.output.isEmpty && outcome.errors.contains(name), "\(outcome)")
    }

    /// On a machine so slow that a small run takes more than ten minutes, runs say so; on another they do not.
    @Test(arguments: [
      ["knn", "--neighbors", "n.npy", "--similarities", "s.npy"],
      ["cluster", "--method", "network"],
    ])
    func areSpokenOfBeforeLongRuns(words: [String]) async throws {
      let scratch = try Scratch()
      let features = try scratch.write(randomMatrix(600, 8, seed: 9), as: "x.npy")
      try FileManager.default.createDirectory(
        atPath: scratch("highland"), withIntermediateDirectories: true)
      for (rate, isSlow) in [(100.0, true), (1e9, false)] {
        try scratch.write(planRates(unitsPerSecond: rate), as: "highland/rates.json")
        let outcome = try await run(
          .name("env"),
          ["XDG_CACHE_HOME=\(scratch.path)", "highland", words[0], features]
            + words.dropFirst().map { $0.hasSuffix(".npy") ? scratch("\(rate)\($0)") : $0 })
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errors.contains("predicted to take") == isSlow, "\(outcome)")
      }
    }

    /// Rates are measured and written where they are asked for, and plans take them.
    @Test(
      .enabled(
        if: ProcessInfo.processInfo.environment["HIGHLAND_CALIBRATION"] != nil,
        "it takes half a minute: HIGHLAND_CALIBRATION=1"))
    func measureTheMachine() async throws {
      let scratch = try Scratch()
      let path = scratch("rates.json")
      let measured = try await run(
        "highland", ["plan", "--calibrate", "--constants", path], ranks: 2)
      #expect(measured.exitCode == 0 && measured.errors.isEmpty, "\(measured)")
      let size = ["--points", "1e5", "--dimensions", "16", "--constants", path]
      #expect(try await total(plan(size), "seconds") > 0)
      let again = try await run("highland", ["plan", "--calibrate", "--constants", path])
      #expect(again.exitCode == 1 && again.errors.contains(path), "\(again)")
    }
  }
}
