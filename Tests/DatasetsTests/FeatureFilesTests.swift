import Communication
import Datasets
import Foundation
import LinearAlgebra
import Testing

/// Several files as one matrix.
struct FeatureFilesTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Files of 3, 0, 1 and 4 rows.
  private static let bounds = [0..<3, 3..<3, 3..<4, 4..<8]

  private func writeParts(
    of matrix: Matrix, as suffix: String, _ type: ElementType = .float32,
    _ bounds: [Range<Int>] = bounds
  ) throws {
    for (number, rows) in bounds.enumerated() {
      try FeatureFile.write(
        matrix.slice(rows), rowCount: rows.count, firstRow: 0, to: scratch("x-\(number).\(suffix)"),
        as: type, overwrite: false, on: SingleRank())
    }
  }

  @Test(arguments: ["npy", "fbin", "bin", "fvecs"])
  func rowsOfFilesFollowEachOther(suffix: String) throws {
    let matrix = numbers(rows: 8, columns: 5)
    // Records have no place for columns without rows.
    let bounds = suffix == "fvecs" ? Self.bounds.filter { !$0.isEmpty } : Self.bounds
    try writeParts(of: matrix, as: suffix, .float32, bounds)
    let files = try FeatureFiles(path: scratch("x-*.\(suffix)"), dimensions: 5)
    #expect((files.rowCount, files.columnCount) == (8, 5))
    #expect(files.path == scratch("x-*.\(suffix)") && files.elementName == "float32")
    for first in 0...8 {
      for last in first...8 {
        #expect(try files.rows(first..<last) == matrix.slice(first..<last))
        #expect(try files.directions(first..<last).matrix == matrix.slice(first..<last))
      }
    }
    #expect(try files.storedRows(0..<8) == nil)
    for (row, place) in [(0, (0, 0)), (2, (0, 2)), (3, (-2, 0)), (4, (-1, 0)), (7, (-1, 3))] {
      let number = place.0 < 0 ? bounds.count + place.0 : 0
      #expect(files.place(of: row) == (scratch("x-\(number).\(suffix)"), place.1))
    }
  }

  @Test(arguments: [ElementType.float16, .int8])
  func shortNumbersStayShort(type: ElementType) throws {
    let values = numbers(rows: 8, columns: 5).elements.map { $0.rounded() + 0.25 }
    let matrix = Matrix(
      rows: 8, columns: 5, elements: type == .int8 ? values.map { $0.rounded() } : values)
    try writeParts(of: matrix, as: "npy", type)
    try FeatureFile.write(
      matrix, rowCount: 8, firstRow: 0, to: scratch("whole.npy"), as: type, overwrite: false,
      on: SingleRank())
    let files = try FeatureFiles(path: scratch("x-?.npy"))
    let whole = try FeatureFile(path: scratch("whole.npy"))
    #expect(files.storedElement == whole.storedElement && files.storedElement != .float32)
    for range in [0..<8, 0..<3, 2..<5, 3..<4, 6..<8, 3..<3] {
      var (found, expected) = (
        try #require(try files.storedRows(range)), try #require(try whole.storedRows(range))
      )
      #expect(found.measure() == expected.measure())
      let rows = 0..<range.count
      #expect(found.copy(ofRows: rows) == expected.copy(ofRows: rows))
      #expect(try files.rows(range) == matrix.slice(range))
    }
  }

  @Test func directionsSayWhichRowsOfAllAreScaled() throws {
    for (name, factor) in [("a", 1.0), ("b", 1e60)] {
      let values = [1, 2, 3, 4].map { factor * $0 }
      _ = try scratch.file("\(name).npy", npy("<f8", shape: "(2, 2)", bytes(values)))
    }
    let files = try FeatureFiles(path: scratch("[ab].npy"))
    #expect(try files.directions(0..<4).scaledRows == [2, 3])
    #expect(try files.directions(3..<4).scaledRows == [3])
    #expect(problem { _ = try files.rows(0..<4) }?.hasPrefix("row 0: values up to 2e+60") == true)
  }

  // MARK: - Which files

  private func touch(_ names: String...) throws {
    for name in names {
      _ = try scratch.file(name, npy("<f4", shape: "(1, 2)", bytes([1, 2] as [Float])))
    }
  }

  private func names(of paths: FeaturePaths) -> [String] {
    paths.parts.map { String($0.dropFirst(scratch.path.count + 1)) }
  }

  @Test func filesOfAPatternAreInTheOrderOfTheirNumbers() throws {
    try touch(
      "p-10.npy", "p-9.npy", "p-1.npy", "p-01.npy", "p-2-b.npy", "p-2-a.npy", "p-.npy", "q-1.npy",
      "p-100000000000000000000000.npy", "p-99999999999999999999999.npy")
    let ordered = [
      "p-.npy", "p-01.npy", "p-1.npy", "p-2-a.npy", "p-2-b.npy", "p-9.npy", "p-10.npy",
      "p-99999999999999999999999.npy", "p-100000000000000000000000.npy",
    ]
    #expect(try names(of: FeaturePaths(scratch("p-*.npy"))) == ordered)
    #expect(try names(of: FeaturePaths(scratch.path)) == ordered + ["q-1.npy"])
    #expect(try names(of: FeaturePaths(scratch("[!p]-?.npy"))) == ["q-1.npy"])
  }

  @Test func aFileWhoseNameIsAPatternIsAFile() throws {
    try touch("x[1].npy", "x1.npy")
    let paths = try FeaturePaths(scratch("x[1].npy"))
    #expect(names(of: paths) == ["x[1].npy"] && !paths.areSeveral)
    #expect(try FeaturePaths(scratch("none.npy")).parts == [scratch("none.npy")])
  }

  @Test func aListSaysTheOrder() throws {
    try touch("b.npy", "a.npy")
    let text = "\u{feff}b.npy\r\n\n  a.npy \t\n\(scratch.path)/b.npy\n\n"
    let path = try scratch.file("all.files", Array(text.utf8))
    let paths = try FeaturePaths(path)
    #expect(names(of: paths) == ["b.npy", "a.npy", "b.npy"])
    #expect(paths.list == path && paths.areSeveral && paths.files == paths.parts + [path])
    #expect(try FeatureFiles(paths).rowCount == 3)
  }

  @Test func aDirectoryStandsForItsFeatures() throws {
    try touch("2.npy", "1.npy", ".3.npy")
    _ = try scratch.file("readme.md", [])
    for path in [scratch.path, scratch.path + "/"] {
      #expect(try FeaturePaths(path).parts == [scratch("1.npy"), scratch("2.npy")])
    }
    _ = try scratch.file("x.fbin", bytes([0, 3] as [UInt32]))
    #expect(
      problem { _ = try FeaturePaths(scratch.path) }
        == "holds features as .npy and .fbin, such as 1.npy and x.fbin; expected one format, or a "
        + "pattern: '*.npy'")
  }

  @Test func whatIsNothingIsRefused() throws {
    #expect(
      problem { _ = try FeaturePaths(scratch("x*.npy")) }
        == "no file matches; expected one or more of features")
    #expect(
      problem { _ = try FeaturePaths(scratch.path) }
        == "is a directory; expected a file, or files of features in it")
    #expect(
      problem { _ = try FeaturePaths(scratch.file("x.list", Array("\n \n".utf8))) }
        == "lists no files; expected a path on each line")
    #expect(
      problem {
        _ = try FeaturePaths(
          scratch.file("y.list", Array(("a\n" + String(repeating: "b", count: 5000)).utf8)))
      }
        == "line 2: expected the path of a file")
    let missing = try scratch.file("z.list", Array("a.npy\n".utf8))
    #expect(
      failure { _ = try FeatureFiles(path: missing) }
        == DataError(path: scratch("a.npy"), problem: "cannot open: No such file or directory"))
    #expect(
      problem { _ = try FeaturePaths(scratch("none.list")) }
        == "cannot open: No such file or directory")
  }

  private func failure(_ body: () throws -> Void) -> DataError? {
    do {
      try body()
      return nil
    } catch { return error as? DataError }
  }

  @Test func filesMustBeAlike() throws {
    try touch("a-1.npy", "b-1.npy")
    _ = try scratch.file("a-2.npy", npy("<f4", shape: "(0, 3)", []))
    _ = try scratch.file("b-2.npy", npy("<f2", shape: "(1, 2)", [0, 0, 0, 0]))
    #expect(
      failure { _ = try FeatureFiles(path: scratch("a-*")) }
        == DataError(
          path: scratch("a-2.npy"),
          problem: "rows of 3 columns; expected 2, as in \(scratch("a-1.npy"))"))
    #expect(
      failure { _ = try FeatureFiles(path: scratch("b-*")) }
        == DataError(
          path: scratch("b-2.npy"),
          problem: "float16 numbers; expected float32, as in \(scratch("b-1.npy"))"))
  }

  @Test func moreFilesThanStayOpenAreRead() throws {
    let matrix = numbers(rows: 300, columns: 2)
    try writeParts(of: matrix, as: "npy", .float32, (0..<300).map { $0..<$0 + 1 })
    let files = try FeatureFiles(path: scratch.path)
    #expect(try files.rows(0..<300) == matrix)
    let changed = try scratch.file("x-299.npy", npy("<f4", shape: "(0, 2)", []))
    #expect(try files.rows(0..<299) == matrix.slice(0..<299))
    #expect(
      failure { _ = try files.rows(299..<300) }
        == DataError(
          path: changed,
          problem: "0 rows of float32; it had 1 of float32 when the run began"))
  }

  @Test(arguments: 1...4)
  func everyRankTakesWhatTheFirstFinds(ranks: Int) throws {
    try touch("b.npy", "a.npy")
    let list = try scratch.file("all.list", Array("b.npy\na.npy\n".utf8))
    for name in [scratch("*.npy"), list, scratch("a.npy"), scratch.path] {
      let found = try ThreadCommunicator.run(ranks: ranks) { try FeaturePaths(name, on: $0) }
      #expect(try found == Array(repeating: FeaturePaths(name), count: ranks))
    }
    #expect(throws: AgreedFailure.self) {
      try ThreadCommunicator.run(ranks: ranks) { _ = try FeaturePaths(scratch("c*"), on: $0) }
    }
  }

  @Test func onlyRawFilesTakeDimensionsOfOthers() throws {
    try touch("a.npy")
    _ = try scratch.file("b.BIN", bytes([1, 2, 3] as [Float]))
    #expect(try FeaturePaths(scratch("a*")).dimensionsIfRaw(3) == nil)
    #expect(try FeaturePaths(scratch("b*")).dimensionsIfRaw(3) == 3)
  }
}
