import Communication
import Datasets
import Evaluation
import Foundation
import HierarchyReports
import Testing

@Suite struct HierarchyReportTests {
  private func report(
    _ hierarchy: SmallHierarchy = SmallHierarchy(), truth: [Int64]? = nil, names: String? = nil,
    top: Int = 10
  ) throws -> HierarchyReport {
    let scratch = try Scratch()
    let path = try hierarchy.write(in: scratch)
    let file = try names.map { text in
      try text.write(toFile: scratch("names"), atomically: false, encoding: .utf8)
      return try NameFile(path: scratch("names"))
    }
    return try HierarchyReport(
      of: StoredHierarchy(path: path + "/"), truth: truth, names: file, top: top)
  }

  @Test func sizesAndLevelsAreThoseOfPaper() throws {
    let report = try report()
    #expect(report.pointCount == 8 && report.copyCount == 1)
    #expect(report.clusters.clusterCount == 3 && report.clusters.singletonCount == 1)
    #expect(report.clusters.sizes.median == 3 && report.clusters.sizes.maximum == 4)
    #expect(report.sizeClasses.map(\.smallest) == [1, 2, 4])
    #expect(report.sizeClasses.map(\.largest) == [1, 3, 7])
    #expect(report.sizeClasses.map(\.clusterCount) == [1, 1, 1])
    #expect(report.sizeClasses.map(\.pointCount) == [1, 3, 4])
    #expect(report.levels.map(\.mergedCount) == [3, 1])
    #expect(report.levels.map(\.tau) == [0.6, 0.5])
    #expect(report.levels.map(\.lowestMergeProbability) == [0.75, Double(Float(0.65))])
    let mean = (Double(Float(0.95)) + Double(Float(0.9)) + 0.75) / 3
    #expect(report.levels[0].meanMergeProbability == mean)
    #expect(report.agreement == nil)
  }

  @Test func aMapHasThePlacesOfThePoints() throws {
    let scratch = try Scratch()
    let path = try SmallHierarchy().write(in: scratch)
    func map(_ places: [Float]) throws -> HierarchyReport.Map? {
      try writeArray(
        places, shape: [8, 2], firstRow: 0, to: scratch("map.npy"), overwrite: true,
        on: SingleRank())
      return try HierarchyReport(
        of: StoredHierarchy(path: path), truth: SmallHierarchy.truth,
        coordinates: ArrayFile(path: scratch("map.npy")), top: 2
      ).map
    }
    let places = (0..<16).map { Float($0) / 4 }
    let found = try #require(try map(places))
    #expect(found.step == 1 && found.points.map(\.point.row) == Array(0..<8))
    #expect(found.points.map(\.cluster) == [0, 0, 0, 1, 1, 1, 2, 0])
    #expect(found.points.flatMap { [$0.x, $0.y] } == places.map(Double.init))
    #expect(found.points.map(\.point.truth) == SmallHierarchy.truth)
    #expect(throws: DataError.self) {
      try map(places.map { $0 == 1.75 ? .infinity : $0 })
    }
  }

  @Test func histogramsCountEveryEdgeAndNodeOnce() throws {
    let judgements = try report().judgements
    #expect(judgements.map(\.firstLevel) == [0, 1] && judgements.map(\.lastLevel) == [0, 1])
    #expect(judgements.map(\.tau) == [0.6, 0.5])
    func counts(_ bins: [Int]) -> [Int: Int] {
      Dictionary(uniqueKeysWithValues: bins.enumerated().filter { $1 > 0 }.map { ($0, $1) })
    }
    #expect(
      counts(judgements[0].edges) == [
        2: 1, 10: 1, 15: 2, 25: 1, 35: 2, 37: 1, 40: 1, 42: 1, 44: 1, 47: 2,
      ])
    #expect(counts(judgements[0].merges) == [37: 1, 44: 1, 47: 1])
    // Of −1 ... 1, in bins of 0.04.
    #expect(judgements[0].nodes.reduce(0, +) == 7 && judgements[0].nodes[12] == 1)
    #expect(judgements[0].peaks.reduce(0, +) == 4 && judgements[0].peaks[12] == 1)
    #expect(counts(judgements[1].merges) == [32: 1])
    #expect(judgements[1].edges.reduce(0, +) == 6 && judgements[1].peaks.reduce(0, +) == 3)
  }

  @Test func mergesKnowWhatTheyBridge() throws {
    let report = try report()
    let merges = report.mostAtStake
    #expect(merges.map(\.point.row) == [3, 4, 2, 0])
    #expect(merges.map(\.parent.row) == [5, 3, 1, 1])
    #expect(merges.map(\.level) == [1, 0, 0, 0])
    #expect(merges.map(\.cluster) == [1, 1, 0, 0])
    // The node of point 3 at level 1 stands for 3 and 4. The copy of 0 does not count.
    #expect(merges.map(\.splitCount) == [2, 1, 1, 1])
    #expect(merges.map(\.distinctCount) == [3, 3, 3, 3])
    for (merge, stake) in zip(merges, [0.7, 0.5, 0.2, 0.1]) {
      #expect(abs(merge.stake - stake) < 1e-6)
    }
    #expect(merges.map { Float($0.similarity) } == [0.5, 0.7, 0.85, 0.9])
  }

  @Test func clustersAreInTheirOrders() throws {
    let report = try report()
    #expect(report.largest.map(\.label) == [0, 1, 2])
    #expect(report.largest.map(\.size) == [4, 3, 1])
    #expect(report.largest.map(\.distinctCount) == [3, 3, 1])
    #expect(report.largest.map { $0.examples.map(\.row) } == [[0, 1, 2], [3, 4, 5], [6]])
    // A cluster of one distinct point has no certainty, and is not among the least certain.
    #expect(report.largest[2].certainty == nil && report.largest[2].bridges.isEmpty)
    #expect(report.leastCertain.map(\.label) == [1, 0])
    #expect(report.leastCertain.map { Float($0.certainty!) } == [0.65, 0.9])
    #expect(report.leastCertain[0].bridges.map(\.point.row) == [3, 4])
    let first = try self.report(top: 1)
    #expect(first.largest == [report.largest[0]])
    #expect(first.leastCertain == [report.leastCertain[0]])
    #expect(first.mostAtStake == [report.mostAtStake[0]])
  }

  @Test func tiesGoToTheMoreEvenSplitThenToTheLowerLabel() throws {
    var hierarchy = SmallHierarchy()
    // p of 4 → 3 as that of 3 → 5, which parts two from one as well; of 2 → 1 and of 0 → 1 too.
    hierarchy.levels[0].linkage[8] = 0.65
    hierarchy.levels[0].linkage[4] = 0.65
    hierarchy.levels[0].linkage[0] = 0.65
    let report = try report(hierarchy)
    #expect(report.leastCertain.map(\.label) == [0, 1])
    #expect(report.leastCertain[0].bridges.map(\.point.row) == [0, 2])
    #expect(report.leastCertain[1].bridges.map(\.point.row) == [4, 3])
    #expect(report.mostAtStake.map(\.point.row) == [0, 2, 4, 3])
  }

  @Test func theTruthIsCounted() throws {
    let report = try report(truth: SmallHierarchy.truth)
    #expect(report.judgements.map { $0.trueEdges!.reduce(0, +) } == [9, 2])
    #expect(report.judgements[0].trueEdges![47] == 2 && report.judgements[0].trueEdges![40] == 0)
    let calibrations = try report.levels.map { try #require($0.calibration) }
    #expect(calibrations.map(\.edgeCount) == [13, 6] && calibrations.map(\.trueCount) == [9, 2])
    #expect(abs(calibrations[1].meanProbability! - 2.88 / 6) < 1e-6)
    let page = report.page()
    #expect(page.contains("<h2>Calibration</h2>") && page.contains("level 1"))
    let agreement = try #require(report.agreement)
    #expect(agreement.metrics.pairwise.precision == 7.0 / 9)
    #expect(agreement.purity == 7.0 / 8)
    #expect(agreement.pointsByPurity == [0, 0, 0, 0, 0, 0, 3, 0, 0, 5])
    #expect(agreement.mostMixed.map(\.label) == [1])
    #expect(agreement.mostMixed.map(\.mainTruth) == [9])
    #expect(agreement.mostMixed.map(\.purity) == [2.0 / 3])
    let spread = try #require(agreement.mostSpread.first)
    #expect(agreement.mostSpread.count == 1 && spread.truth == 5 && spread.size == 5)
    #expect(spread.clusterCount == 2 && spread.mainCluster == 0 && spread.mainCount == 4)
    #expect(report.mostAtStake[0].point.truth == 5 && report.mostAtStake[0].parent.truth == 9)
  }

  @Test func pointsHaveTheirNames() throws {
    let report = try report(names: (0..<8).map { "name \($0)" }.joined(separator: "\n"))
    #expect(report.mostAtStake[0].point.name == "name 3")
    #expect(report.mostAtStake[0].parent.name == "name 5")
    #expect(report.largest[2].examples.map(\.name) == ["name 6"])
  }

  /// What stands between the parts of every image of a page: its media type and bytes, and the row of its title.
  private func images(of page: String) throws -> [(type: String, bytes: [UInt8], row: Int)] {
    try page.components(separatedBy: "<img src=\"data:").dropFirst().map { text in
      let parts = text.components(separatedBy: "\"")
      let data = parts[0].components(separatedBy: ";base64,")
      try #require(data.count == 2 && parts[3] == " title=")
      let bytes = try #require(Data(base64Encoded: data[1]))
      let row = try #require(Int(parts[4].dropFirst().prefix { $0.isNumber }))
      return (data[0], Array(bytes), row)
    }
  }

  @Test func aPageHoldsTheImagesOfTheRowsThatItLists() throws {
    let scratch = try Scratch()
    let jpeg = [0xff, 0xd8, 0xff] + Array(UInt8.min...UInt8.max)
    let contents = (0..<8).map { row -> [UInt8] in
      row == 3 ? jpeg : Array("GIF89a".utf8) + Array(repeating: UInt8(row), count: 100 + row)
    }
    for (row, bytes) in contents.enumerated() {
      try Data(bytes).write(to: URL(fileURLWithPath: scratch("\(row).image")))
    }
    try (0..<8).map { $0 == 5 ? " " : "\($0).image" }.joined(separator: "\n")
      .write(toFile: scratch("paths.txt"), atomically: false, encoding: .utf8)
    let list = try ImageList(path: scratch("paths.txt"), pointCount: 8)
    for (top, rows) in [(10, [0, 1, 2, 3, 4, 5, 6] as Set), (1, [0, 1, 2, 3, 4, 5])] {
      let report = try report(names: (0..<8).map { "name \($0)" }.joined(separator: "\n"), top: top)
      #expect(report.listedRows == rows)
      let page = report.page(images: try list.images(of: report.listedRows))
      let shown = try images(of: page)
      #expect(Set(shown.map(\.row)) == rows.subtracting([5]))
      for image in shown {
        #expect(image.bytes == contents[image.row])
        #expect(image.type == (image.row == 3 ? "image/jpeg" : "image/gif"))
      }
      // With its name, wherever the row stands.
      #expect(page.components(separatedBy: "title=\"#3 name 3\"/>#3 name 3<").count > 2)
      #expect(page.contains("#5 name 5"))
      #expect(!report.page().contains("<img"))
    }
    // The last row is no first row of a cluster and bridges nothing: its file need not be there.
    try FileManager.default.removeItem(atPath: scratch("7.image"))
    _ = try list.images(of: report().listedRows)
  }

  @Test func withoutLevelsEveryDistinctPointIsAlone() throws {
    var hierarchy = SmallHierarchy()
    hierarchy.levels = []
    hierarchy.labels = [[0, 1, 0, 0, 2, 3, 4, 5]]
    let start = try #require(hierarchy.json.range(of: "\"levels\": ["))
    hierarchy.json = hierarchy.json[..<start.upperBound] + "]}"
    hierarchy.json.replace("\"clusterCount\": 3", with: "\"clusterCount\": 6")
    let copies = try report(hierarchy)
    #expect(copies.clusters.clusterCount == 6 && copies.copyCount == 2)
    #expect(copies.judgements.isEmpty && copies.levels.isEmpty && copies.leastCertain.isEmpty)
    #expect(copies.largest.map(\.size) == [3, 1, 1, 1, 1, 1])
    // No points at all.
    hierarchy.json.replace("\"clusterCount\": 6", with: "\"clusterCount\": 0")
    hierarchy.json.replace("\"pointCount\": 8", with: "\"pointCount\": 0")
    hierarchy.labels = [[]]
    let nothing = try report(hierarchy, truth: [])
    #expect(nothing.largest.isEmpty && nothing.sizeClasses.isEmpty)
    #expect(nothing.agreement?.purity == nil)
    _ = try JSONEncoder().encode(nothing)
  }

  /// What is wrong with a hierarchy, and what the error says behind its directory.
  struct BadHierarchy: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var change: @Sendable (inout SmallHierarchy) -> Void
    var message: String

    init(
      _ name: String, _ message: String,
      _ change: @escaping @Sendable (inout SmallHierarchy) -> Void
    ) {
      testDescription = name
      self.change = change
      self.message = message
    }

    static let all = [
      BadHierarchy(
        "no JSON", "/hierarchy.json: is not JSON; expected what highland cluster --hierarchy wrote"
      ) {
        $0.json = "{"
      },
      BadHierarchy(
        "JSON of something else",
        "/hierarchy.json: no 'pointCount'; expected what highland cluster --hierarchy wrote"
      ) { $0.json = #"{"highland": "0.1.0", "parameters": \#(parameters)}"# },
      BadHierarchy(
        "a number that is a word",
        "/hierarchy.json: 'levels' [0] 'edgeCount' is of another type than "
          + "highland cluster --hierarchy writes"
      ) { $0.json.replace("13", with: "\"x\"") },
      BadHierarchy(
        "counts that do not add up",
        "/hierarchy.json: level 0 of 7 nodes, 2 merged, 4 clusters; expected level 0, numbers that "
          + "add up, and the clusters of the level before as nodes"
      ) { $0.json.replace("\"mergedCount\": 3", with: "\"mergedCount\": 2") },
      BadHierarchy(
        "labels of one level",
        "/labels.npy: int64 of shape [1, 8]; expected integers of [2, 8], for the levels and points "
          + "of hierarchy.json"
      ) { $0.labels.removeLast() },
      BadHierarchy(
        "labels out of order",
        "/labels.npy: row 1: point 3 has the label 2; expected 0 ... 1, as labels count by first "
          + "appearance"
      ) { $0.labels[1] = [0, 0, 0, 2, 2, 2, 1, 0] },
      BadHierarchy(
        "more clusters than said", "/labels.npy: 4 clusters; expected 3, as in hierarchy.json"
      ) { $0.labels[1][7] = 3 },
      BadHierarchy(
        "labels of other merges",
        "/level-1/parent.npy: row 1: merges the points 3 and 5, which have the labels 1 and 2 in "
          + "labels.npy"
      ) { $0.labels[1] = [0, 0, 0, 1, 1, 2, 0, 0] },
      BadHierarchy(
        "roots that share a label",
        "/labels.npy: the 3 nodes that are left have 2 labels; expected one each"
      ) { $0.labels[1] = [0, 0, 0, 1, 1, 1, 0, 2] },
      BadHierarchy(
        "nodes of another level",
        "/level-1/nodes.npy: other points than the peaks of level 0"
      ) { $0.levels[1].nodes = [1, 2, 5, 6] },
      BadHierarchy(
        "nodes past the points",
        "/level-0/nodes.npy: row 6: input point 8; expected ascending ones in 0 ..< 8"
      ) { $0.levels[0].nodes[6] = 8 },
      BadHierarchy(
        "a short file",
        "/level-0/density.npy: shape [6]; expected [7], for the nodes of level 0"
      ) { $0.levels[0].density.removeLast() },
      BadHierarchy(
        "lists of other nodes",
        "/level-1/neighbors.npy: shape [3, 2]; expected [4, neighbours], for the nodes of level 1"
      ) { $0.levels[1].neighbors.removeLast(2) },
      BadHierarchy("a density that is none", "/level-0/density.npy: row 2: density nan") {
        $0.levels[0].density[2] = .nan
      },
      BadHierarchy(
        "a parent past the nodes", "/level-0/parent.npy: row 4: index 7; expected 0 ..< 7"
      ) {
        $0.levels[0].parent[4] = 7
      },
      BadHierarchy(
        "a ring of parents",
        "/level-0/parent.npy: row 1: its parent 0 is not denser; expected so of all parents"
      ) { $0.levels[0].parent[1] = 0 },
      BadHierarchy(
        "a parent of equal density and higher index",
        "/level-0/parent.npy: row 0: its parent 1 is not denser; expected so of all parents"
      ) { $0.levels[0].density[0] = 0.6 },
      BadHierarchy(
        "fewer merges than said",
        "/level-0/parent.npy: 2 nodes with a parent; expected 3, as in hierarchy.json"
      ) { $0.levels[0].parent[0] = 0 },
      BadHierarchy(
        "a parent that is no neighbour",
        "/level-0/parent.npy: row 0: its parent 3 is none of its neighbours"
      ) { $0.levels[0].parent[0] = 3 },
      BadHierarchy(
        "a neighbour past the nodes",
        "/level-0/neighbors.npy: row 6: index 7; expected 0 ..< 7, or -1 for none"
      ) { $0.levels[0].neighbors[12] = 7 },
      BadHierarchy(
        "a linkage that is no probability",
        "/level-1/linkage.npy: row 0: probability 1.5; expected 0 ... 1"
      ) { $0.levels[1].linkage[0] = 1.5 },
      BadHierarchy(
        "fewer edges than said",
        "/level-0/similarity.npy: 12 edges; expected 13, as in hierarchy.json"
      ) { $0.levels[0].similarity[12] = 0 },
    ]

    private static let parameters = #"{"features": "x", "model": "m", "k": 3, "tau": 0.6}"#
  }

  @Test(arguments: BadHierarchy.all)
  func contradictionsAreNamed(bad: BadHierarchy) throws {
    let scratch = try Scratch()
    var hierarchy = SmallHierarchy()
    bad.change(&hierarchy)
    let path = try hierarchy.write(in: scratch)
    #expect(throws: DataErrorText("\(path)\(bad.message)")) {
      try Self.naming { try HierarchyReport(of: StoredHierarchy(path: path), top: 10) }
    }
  }

  @Test func aParentOfEqualDensityAndLowerIndexIsDenser() throws {
    let scratch = try Scratch()
    var hierarchy = SmallHierarchy()
    hierarchy.levels[0].density[2] = 0.6
    let report = try HierarchyReport(
      of: StoredHierarchy(path: hierarchy.write(in: scratch)), top: 10)
    #expect(report.levels[0].mergedCount == 3)
  }

  @Test(arguments: [
    "hierarchy.json", "labels.npy", "level-1", "level-0/nodes.npy", "level-1/linkage.npy",
  ])
  func missingFilesAreNamed(file: String) throws {
    let scratch = try Scratch()
    let path = try SmallHierarchy().write(in: scratch)
    try FileManager.default.removeItem(atPath: "\(path)/\(file)")
    let expected =
      switch file {
      case "hierarchy.json":
        "\(path): holds no hierarchy.json; expected what highland cluster --hierarchy wrote"
      case "level-1": "\(path)/level-1/neighbors.npy: cannot open: No such file or directory"
      default: "\(path)/\(file): cannot open: No such file or directory"
      }
    #expect(throws: DataErrorText(expected)) {
      try Self.naming { try HierarchyReport(of: StoredHierarchy(path: path), top: 10) }
    }
  }

  @Test func whatIsNoDirectoryIsNamed() throws {
    let scratch = try Scratch()
    let ending = "; expected one that highland cluster --hierarchy wrote"
    #expect(throws: DataErrorText("\(scratch("none")): no such directory\(ending)")) {
      try Self.naming { try StoredHierarchy(path: scratch("none")) }
    }
    try "x".write(toFile: scratch("file"), atomically: false, encoding: .utf8)
    #expect(throws: DataErrorText("\(scratch("file")): is a file\(ending)")) {
      try Self.naming { try StoredHierarchy(path: scratch("file")) }
    }
  }

  /// The whole line of a `DataError`.
  private struct DataErrorText: Error, Equatable {
    var line: String
    init(_ line: String) { self.line = line }
  }

  private static func naming(_ body: () throws -> some Any) throws {
    do {
      _ = try body()
    } catch let error as DataError {
      throw DataErrorText("\(error)")
    }
  }
}
