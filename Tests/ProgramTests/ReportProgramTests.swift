import Evaluation
import Foundation
import HierarchyReports
import LinearAlgebra
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

extension Programs {
  @Suite struct ReportsOfTheProgram {
    /// Clusters the fixture; returns the directory of the hierarchy.
    private func makeHierarchy(_ scratch: Scratch) async throws -> String {
      let outcome = try await run(
        "highland",
        ["cluster", Fixture.features, "--model", Fixture.model, "--output", scratch("labels.npy")]
          + Fixture.options + ["--hierarchy", scratch("levels")])
      #expect(outcome.exitCode == 0, "\(outcome)")
      return scratch("levels")
    }

    private func report(_ arguments: [String], ranks: Int? = nil) async throws -> Outcome {
      let arguments = ["report"] + arguments
      return if let ranks { try await run("highland", arguments, ranks: ranks) } else {
        try await run("highland", arguments)
      }
    }

    @Test func haveTheSameBytesOnAnyRanks() async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      let first = try await report([levels, "-o", scratch("0.html"), "--truth", Fixture.truth])
      #expect(first.exitCode == 0 && first.errorLines.isEmpty, "\(first)")
      #expect(first.outputLines.count == 1, "\(first)")
      #expect(first.output.hasPrefix("\(scratch("0.html")): 300 points in "), "\(first)")
      let page = try bytes(of: scratch("0.html"))
      for ranks in [1, 3] {
        let outcome = try await report(
          [levels + "/", "--output", scratch("\(ranks).html"), "--truth", Fixture.truth],
          ranks: ranks)
        #expect(outcome.exitCode == 0 && outcome.outputLines.count == 1, "\(outcome)")
        #expect(try bytes(of: scratch("\(ranks).html")) == page)
      }
      #expect(XMLParser(data: Data(page)).parse())
      let text = String(decoding: page, as: UTF8.self)
      for heading in [
        "Sizes", "Levels", "Linkage and density", "Agreement with the truth", "Calibration",
        "Most mixed clusters", "Most spread true clusters", "Largest clusters",
        "Least certain clusters", "Merges with most at stake", "Settings",
      ] {
        #expect(text.contains("<h2>\(heading)</h2>"))
      }
      for outside in ["<script", "<link", "<img", "url(", "@import", "href=", "src="] {
        #expect(!text.contains(outside))
      }
    }

    @Test func drawAMap() async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      let reduced = try await run(
        "highland", ["convert", Fixture.features, scratch("map.npy"), "--reduce", "2"])
      #expect(reduced.exitCode == 0, "\(reduced)")
      let outcome = try await report([levels, "-o", scratch("a.html"), "--map", scratch("map.npy")])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let page = String(decoding: try bytes(of: scratch("a.html")), as: UTF8.self)
      #expect(page.contains("<h2>Map</h2>") && page.components(separatedBy: "<circle").count > 300)
      for (shape, path) in [([300, 3], "wide.npy"), ([299, 2], "short.npy")] {
        let refused = try scratch.write(
          Array(repeating: Float(0), count: shape.reduce(1, *)), shape: shape, as: path)
        try await expectError(
          ["report", levels, "--json", "--map", refused],
          "\(refused): shape \(shape); expected [300, 2], two numbers per point")
      }
    }

    @Test(arguments: [nil, 3]) func haveLabelsOfEveryLevel(ranks: Int?) async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      let all = try integers(of: "\(levels)/labels.npy")
      let count = all.count / 300
      try #require(count > 2)
      for level in [0, 1, count - 1] {
        let outcome = try await run(
          "highland",
          ["cut", levels, "--level", "\(level)", "--output", scratch("cut.npy"), "--overwrite"],
          onRanks: ranks)
        let found = try labels(of: scratch("cut.npy"))
        #expect(found == Array(all[300 * level..<300 * (level + 1)]))
        #expect(
          outcome.output == "level \(level) of 0 ... \(count - 1): 300 points in "
            + "\(Set(found).count) clusters\n", "\(outcome)")
      }
      for (directory, problem) in [
        (levels, "has \(count) levels, 0 ... \(count - 1) (--level \(count))"),
        (scratch.path, "holds no hierarchy.json; expected what highland cluster --hierarchy wrote"),
      ] {
        try await expectError(
          ["cut", directory, "--level", "\(count)", "--output", scratch("x.npy")],
          "\(directory): \(problem)", onRanks: ranks)
      }
      try await expectError(
        ["cut", levels, "--level", "0", "--output", "\(levels)/labels.npy", "--overwrite"],
        "\(levels)/labels.npy: is an input; an output needs a name of its own", onRanks: ranks)
    }

    /// Every merge is in the JSON of so small a hierarchy: together they make the labels, and without
    /// one of them its cluster falls into parts of the sizes said.
    @Test func mergesHoldTheClustersTogether() async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      let outcome = try await report([levels, "--json", "--top", "1000"])
      #expect(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
      let report = try JSONDecoder().decode(
        HierarchyReport.self, from: Data(outcome.output.utf8))
      let labels = try labels(of: scratch("labels.npy")).map { Int($0) }
      let merges = report.mostAtStake
      #expect(merges.count == 300 - report.clusters.clusterCount && merges.count > 100)
      #expect(Set(merges.map(\.level)).count > 2)

      /// The component of a point by the merges but one.
      func component(of point: Int, without cut: Int?) -> Set<Int> {
        var found: Set = [point]
        var open = [point]
        while let point = open.popLast() {
          for (place, merge) in merges.enumerated() where place != cut {
            for (a, b) in [
              (merge.point.row, merge.parent.row), (merge.parent.row, merge.point.row),
            ]
            where a == point && found.insert(b).inserted { open.append(b) }
          }
        }
        return found
      }
      for point in stride(from: 0, to: 300, by: 7) {
        let members = labels.indices.filter { labels[$0] == labels[point] }
        #expect(component(of: point, without: nil) == Set(members))
      }
      for (place, merge) in merges.enumerated() {
        #expect(component(of: merge.point.row, without: place).count == merge.splitCount)
        #expect(merge.distinctCount == labels.count { $0 == merge.cluster })
      }
      for cluster in report.leastCertain {
        let lowest = merges.filter { $0.cluster == cluster.label }.map(\.probability).min()
        #expect(cluster.certainty == lowest && cluster.bridges[0].probability == lowest)
      }
      #expect(
        report.largest.map(\.size) == report.largest.map(\.size).sorted(by: >)
          && report.largest.count == report.clusters.clusterCount)
      // A page of them all has a place for each, and no other file.
      #expect(try !scratch.names.contains { $0.hasSuffix(".html") })
    }

    @Test func showNamesAsText() async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      let names = try scratch.write(
        (0..<300).map { "</td><script>alert(\($0))</script> & \"\($0)\"\n" }.joined(),
        as: "names.txt")
      let outcome = try await report([levels, "-o", scratch("r.html"), "--names", names])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let page = try bytes(of: scratch("r.html"))
      #expect(XMLParser(data: Data(page)).parse())
      let text = String(decoding: page, as: UTF8.self)
      #expect(text.contains("&lt;/td&gt;&lt;script&gt;alert("))
      #expect(!text.contains("<script"))
    }

    @Test func holdImagesOfTheRowsThatTheyList() async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      try FileManager.default.createDirectory(
        atPath: scratch("images"), withIntermediateDirectories: false)
      let gif = Array("GIF89a".utf8)
      for row in 0..<300 where row % 7 != 0 {
        try scratch.write(gif + Array("image \(row)".utf8), as: "images/\(row)")
      }
      let paths = try scratch.write(
        (0..<300).map { $0 % 7 == 0 ? "\n" : "images/\($0)\n" }.joined(), as: "paths.txt")
      let names = try scratch.write((0..<300).map { "row \($0)\n" }.joined(), as: "names.txt")
      var pages: Set<[UInt8]> = []
      for ranks in [nil, 3] {
        let outcome = try await report(
          [levels, "-o", scratch("r.html"), "--images", paths, "--names", names, "--overwrite"],
          ranks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
        pages.insert(try bytes(of: scratch("r.html")))
      }
      let page = try #require(pages.first)
      #expect(pages.count == 1 && XMLParser(data: Data(page)).parse())
      let text = String(decoding: page, as: UTF8.self)
      var shown = 0
      for row in 0..<300 {
        let data = Data(gif + Array("image \(row)".utf8)).base64EncodedString()
        let image =
          "<img src=\"data:image/gif;base64,\(data)\" alt=\"\" title=\"#\(row) row \(row)\"/>"
        let count = text.components(separatedBy: image).count - 1
        #expect(
          count == text.components(separatedBy: "#\(row) row \(row)</span>").count - 1
            || row % 7 == 0)
        shown += count
      }
      #expect(shown > 10 && shown == text.components(separatedBy: "<img").count - 1)
    }

    @Test(arguments: [nil, 3])
    func areRefusedWithImagesThatCannotBeShown(ranks: Int?) async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      let text = try scratch.write("no image", as: "text")
      let large = try scratch.write(
        Array("GIF89a".utf8) + Array(repeating: 0, count: 1 << 18), as: "large")
      func list(_ path: String, _ count: Int = 300, as name: String) throws -> String {
        try scratch.write(String(repeating: "\(path)\n", count: count), as: name)
      }
      let array = try scratch.write(
        Array(repeating: UInt8(0), count: 299 * 4), shape: [299, 2, 2], as: "few.npy")
      let wide = try scratch.write(
        Array(repeating: UInt8(0), count: 300 * 4), shape: [300, 4], as: "rows.npy")
      let floats = try scratch.write(
        Array(repeating: Float(0), count: 300 * 4), shape: [300, 2, 2], as: "floats.npy")
      let shape = "expected uint8 of shape (points, height, width) or (points, height, width, 3)"
      for (images, message) in [
        (
          try list("no.png", as: "0.txt"),
          "line 1: \(scratch("no.png")): cannot open: No such file or directory"
        ),
        (
          try list("text", as: "1.txt"),
          "line 1: \(text): no PNG, JPEG, GIF or WebP image; it is a text"
        ),
        (
          try list(large, as: "2.txt"),
          "line 1: \(large): 262150 bytes; expected an image of 262144 at most, such as a thumbnail"
        ),
        (try list("text", 299, as: "3.txt"), "299 lines; expected 300, one per point"),
        (array, "299 images; expected 300, one per point"),
        (wide, "uint8 of shape (300, 4); \(shape)"),
        (floats, "float32 of shape (300, 2, 2); \(shape)"),
      ] {
        try await expectError(
          ["report", levels, "-o", scratch("r.html"), "--top", "1000", "--images", images],
          "\(images): \(message)", onRanks: ranks)
      }
      let unshown = try await report([levels, "--json", "--images", array], ranks: ranks)
      #expect(unshown.exitCode == 64 && unshown.output.isEmpty, "\(unshown)")
      #expect(
        unshown.errors.contains("--images are shown on a page: expected --output"), "\(unshown)")
      #expect(try !scratch.names.contains { $0.hasSuffix(".html") })
    }

    @Test func stayShortForLongLists() async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      for top in [1, 3] {
        let outcome = try await report([levels, "--json", "--top", "\(top)"])
        let report = try JSONDecoder().decode(
          HierarchyReport.self, from: Data(outcome.output.utf8))
        #expect(report.largest.count == top && report.leastCertain.count == top)
        #expect(report.mostAtStake.count == top)
      }
    }

    /// Ten times each of eight points, with a model of structure of k = 10: no levels.
    @Test func ofCopiesAlone() async throws {
      let scratch = try Scratch()
      let few = try Fixture.rows(0..<8).elements
      let features = try scratch.write(
        (0..<10).flatMap { _ in few }, shape: [80, 16], as: "copies.npy")
      let clustered = try await run(
        "highland",
        ["cluster", features, "--hierarchy", scratch("levels"), "--progress", "none"], ranks: 2)
      #expect(clustered.exitCode == 0, "\(clustered)")
      let outcome = try await report([scratch("levels"), "--json", "-o", scratch("r.html")])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let report = try JSONDecoder().decode(
        HierarchyReport.self, from: Data(outcome.output.utf8))
      #expect(report.largest.map(\.size) == Array(repeating: 10, count: 8))
      #expect(report.copyCount == 72 && report.leastCertain.isEmpty)
      #expect(XMLParser(data: Data(try bytes(of: scratch("r.html")))).parse())
    }

    @Test func replacePagesIfAsked() async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      try scratch.write("precious", as: "r.html")
      let refused = try await report([levels, "-o", scratch("r.html")], ranks: 2)
      #expect(refused.exitCode == 1 && refused.output.isEmpty, "\(refused)")
      #expect(
        refused.errorLines == [
          "error: \(scratch("r.html")): exists already, and is not overwritten unless that is "
            + "asked for (--overwrite)"
        ])
      #expect(try bytes(of: scratch("r.html")) == Array("precious".utf8))
      let replaced = try await report([levels, "-o", scratch("r.html"), "--overwrite"])
      #expect(replaced.exitCode == 0, "\(replaced)")
      #expect(try bytes(of: scratch("r.html")).starts(with: Array("<!DOCTYPE html>".utf8)))
    }

    @Test(arguments: [nil, 3])
    func ofBadInputAreNone(ranks: Int?) async throws {
      let scratch = try Scratch()
      let levels = try await makeHierarchy(scratch)
      let names = try scratch.write("one\ntwo\n", as: "names.txt")
      let truth = try scratch.write([Int64](0..<299), shape: [299], as: "truth.npy")
      try FileManager.default.copyItem(atPath: levels, toPath: scratch("cut"))
      try FileManager.default.removeItem(atPath: scratch("cut/level-1/linkage.npy"))
      let before = try scratch.names
      for (arguments, message) in [
        (
          [scratch("none")],
          "\(scratch("none")): no such directory; expected one that highland cluster --hierarchy "
            + "wrote"
        ),
        (
          [scratch.path],
          "\(scratch.path): holds no hierarchy.json; expected what highland cluster --hierarchy wrote"
        ),
        (
          [scratch("cut")],
          "\(scratch("cut"))/level-1/linkage.npy: cannot open: No such file or directory"
        ),
        ([levels, "--names", names], "\(names): 2 lines; expected 300, one per point"),
        ([levels, "--truth", truth], "\(truth): 299 labels; expected 300, one per point"),
        (
          [levels, "--names", scratch("no.txt")],
          "\(scratch("no.txt")): cannot open: No such file or directory"
        ),
      ] {
        let outcome = try await report(arguments + ["-o", scratch("out.html")], ranks: ranks)
        #expect(outcome.exitCode == 1 && outcome.output.isEmpty, "\(outcome)")
        #expect(outcome.errorLines == ["error: \(message)"], "\(outcome)")
        #expect(try scratch.names == before, "\(outcome)")
      }
    }
  }
}
