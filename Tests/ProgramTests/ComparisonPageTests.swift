import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

extension Programs {
  /// `highland compare --output`.
  @Suite struct ComparisonPages {
    /// Labels before and after, and names: 1 splits, 2 and 3 merge, 0 stays.
    private func files(
      in scratch: Scratch
    ) throws -> (before: String, after: String, names: String) {
      let before: [Int64] = [0, 0, 1, 1, 1, 2, 2, 2, 2, 3]
      let after: [Int64] = [7, 7, 1, 1, 4, 2, 2, 2, 2, 2]
      return (
        try scratch.write(before, shape: [10], as: "before.npy"),
        try scratch.write(after, shape: [10], as: "after.npy"),
        try scratch.write((0..<10).map { "<name \($0)>\n" }.joined(), as: "names.txt")
      )
    }

    @Test func tellWhatChangedWithNamesOfRows() async throws {
      let scratch = try Scratch()
      let (before, after, names) = try files(in: scratch)
      var pages: Set<[UInt8]> = []
      for ranks in [nil, 3] {
        let outcome = try await run(
          "highland",
          [
            "compare", before, after, "--output", scratch("page.html"), "--names", names,
            "--overwrite",
          ], onRanks: ranks)
        #expect(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
        #expect(outcome.output.hasPrefix("10 points: 4 clusters became 4; 2 moved"), "\(outcome)")
        pages.insert(try bytes(of: scratch("page.html")))
      }
      #expect(pages.count == 1)
      let page = pages.first!
      #expect(XMLParser(data: Data(page)).parse())
      let text = String(decoding: page, as: UTF8.self)
      for wanted in [
        "10 points: 4 clusters became 4; 2 points moved.",
        "1 (3: 2 &lt;name 2&gt;, 3 &lt;name 3&gt;, 4 &lt;name 4&gt;)",
        "1 (2: 2 &lt;name 2&gt;, 3 &lt;name 3&gt;); 4 (1: 4 &lt;name 4&gt;)",
        "2 (4: 5 &lt;name 5&gt;, 6 &lt;name 6&gt;, 7 &lt;name 7&gt;, …); 3 (1: 9 &lt;name 9&gt;)",
      ] {
        #expect(text.contains(wanted), "\(wanted)")
      }
      #expect(!text.contains("Rearranged") && !text.contains("src="))
    }

    @Test func areRefusedWithOtherNamesAndNotReplaced() async throws {
      let scratch = try Scratch()
      let (before, after, names) = try files(in: scratch)
      let page = scratch("page.html")
      let few = try scratch.write("a\nb\n", as: "few.txt")
      try await expectError(
        ["compare", before, after, "--output", page, "--names", few],
        "\(few): 2 lines; expected 10, one per point")
      #expect(!FileManager.default.fileExists(atPath: page))
      let outcome = try await run("highland", ["compare", before, after, "--names", names])
      #expect(outcome.exitCode == 64, "\(outcome)")
      try scratch.write("old", as: "page.html")
      try await expectError(
        ["compare", before, after, "--output", page],
        "\(page): exists already, and is not overwritten unless that is asked for (--overwrite)")
    }
  }
}
