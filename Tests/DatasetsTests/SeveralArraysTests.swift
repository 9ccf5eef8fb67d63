import Communication
import Datasets
import Foundation
import LinearAlgebra
import Testing

private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("Fixtures/formats").path

/// What NumPy and the library safetensors wrote; Tests/Fixtures/formats/make.py says how.
private func fixture(_ name: String) -> String { "\(folder)/\(name)" }

private let numbers = (0..<21).map { (Float($0) - 4) / 8 }
private let small = (0..<21).map { Float($0 % 11 * 20) }

/// Files of features that hold several arrays, of which one is named.
struct SeveralArraysTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test(arguments: [
    ("one.npz", numbers, "float32"), ("one.npz:x", numbers, "float32"),
    ("one.npz:x.npy", numbers, "float32"), ("several.npz:x", numbers, "float32"),
    ("several.npz:turned", numbers, "float64"), ("several.npz:small", small, "uint8"),
    ("objects.npz", numbers, "float32"), ("several.safetensors:x", numbers, "float32"),
    ("several.safetensors:half", numbers, "float16"), ("x.bvecs", small, "uint8"),
    ("x.ivecs", (0..<21).map { Float(1000 * ($0 - 5)) }, "int32"),
  ])
  func whatOtherLibrariesWroteIsRead(name: String, expected: [Float], element: String) throws {
    let file = try FeatureFile(path: fixture(name))
    #expect(file.rowCount == 7 && file.columnCount == 3)
    #expect(file.elementName == element)
    #expect(try file.rows(0..<7).elements == expected)
    #expect(try file.rows(2..<5).elements == Array(expected[6..<15]))
    #expect(try file.directions(6..<7).matrix.elements == Array(expected[18...]))
    let stored = try file.storedRows(1..<4)
    #expect((stored != nil) == ["uint8", "float16"].contains(element))
    if var stored {
      _ = stored.measure()
      let plain = try scratch.file(
        "plain.fbin", bytes([7, 3] as [UInt32]) + bytes(expected))
      let rows = try FeatureFile(path: plain).rows(1..<4)
      for row in 0..<3 {
        let squares = rows.row(row).reduce(0.0) { $0 + Double($1) * Double($1) }
        let norm = Float(squares.squareRoot())
        #expect(stored.copy(ofRows: 0..<3).row(row) == rows.row(row).map { $0 / norm })
      }
    }
  }

  @Test(arguments: [
    (
      "several.npz",
      "3 arrays of two dimensions; expected one, which holds the features; there are 'x', 'turned' "
        + "and 'small': name one, as in \(fixture("several.npz")):x"
    ),
    (
      "several.npz:y", "no array 'y'; there are 'x', 'turned', 'small' and 'cube'"
    ),
    (
      "several.npz:cube",
      "float32 of shape (7, 3, 1); expected numbers of two dimensions"
    ),
    (
      "one.npz:labels", "int64 of shape (7,); expected numbers of two dimensions"
    ),
    (
      "compressed.npz",
      "'x.npy' is compressed; expected numbers as they are: write them by numpy.savez, not by "
        + "savez_compressed"
    ),
    (
      "several.safetensors",
      "2 tensors of two dimensions; expected one, which holds the features; there are 'x' and "
        + "'half': name one, as in \(fixture("several.safetensors")):x"
    ),
    (
      "several.safetensors:bias", "tensor 'bias' has the shape [3]; expected two dimensions"
    ),
    ("several.safetensors:y", "no tensor 'y'; there are 'bias', 'half', 'x'"),
  ])
  func whatIsNoMatrixIsNamed(name: String, expected: String) throws {
    let found = problem { _ = try FeatureFile(path: fixture(name)) }
    #expect(found == expected)
  }

  @Test func archivesThatAreNoneAreRefused() throws {
    let whole = try bytes(of: fixture("one.npz"))
    func problem(_ bytes: [UInt8]) throws -> String? {
      let path = try scratch.file("x.npz", bytes)
      return DatasetsTests.problem { _ = try FeatureFile(path: path).rows(0..<1) }
    }
    #expect(
      try problem(bytes(of: fixture("whole.npy")))
        == "does not begin as a .npz file does; it is an .npy array")
    #expect(try problem([]) == "does not begin as a .npz file does; it is empty")
    #expect(
      try problem(Array(whole.dropLast(5)))
        == "has no directory at its end; a zip archive is damaged or cut off")
    // A part is missing within: what follows lies elsewhere than the directory says.
    #expect(try problem(Array(whole[..<50] + whole[80...])) != nil)
    for place in stride(from: 4, to: whole.count, by: 3) {
      var damaged = whole
      damaged[place] ^= 0xff
      _ = try problem(damaged)  // an error or other numbers, but no trap
    }
  }

  /// Sizes and places of 64 bits, as of archives above 4 GiB.
  @Test(arguments: [false, true])
  func largeArchivesAreRead(isLarge: Bool) throws {
    let array = npy("<f4", shape: "(7, 3)", bytes(numbers))
    let path = try scratch.file("x.npz", archive([("a/x.npy", array)], isLarge: isLarge))
    #expect(try FeatureFile(path: path).rows(0..<7).elements == numbers)
    #expect(try FeatureFile(path: "\(path):a/x").rows(6..<7).elements == Array(numbers[18...]))
  }

  @Test func severalFilesMayBeArchives() throws {
    for part in [2, 10, 1] {
      let rows = npy("<f4", shape: "(1, 2)", bytes([Float(part), 1] as [Float]))
      let others = npy("<f4", shape: "(2, 2)", bytes([0, 0, 0, 1] as [Float]))
      _ = try scratch.file(
        "part-\(part).npz", archive([("x.npy", rows), ("y.npy", others)], isLarge: false))
    }
    let pattern = try FeaturePaths(scratch("part-*.npz:x"))
    #expect(pattern.parts == [1, 2, 10].map { scratch("part-\($0).npz:x") })
    #expect(pattern.files == [1, 2, 10].map { scratch("part-\($0).npz") })
    #expect(pattern.areSeveral)
    #expect(try FeatureFiles(pattern).rows(0..<3).elements == [1, 1, 2, 1, 10, 1])
    let list = try scratch.file("all.list", Array("part-10.npz:y\npart-1.NPZ:x\n".utf8))
    #expect(try FeaturePaths(list).parts == [scratch("part-10.npz:y"), scratch("part-1.NPZ:x")])
    let one = try FeaturePaths(scratch("part-1.npz:x"))
    #expect(!one.areSeveral)
    #expect(one.files == [scratch("part-1.npz")])
  }

  @Test func recordsOfAnotherKindAreNamed() throws {
    let small = try bytes(of: fixture("x.bvecs"))
    let floats = bytes([3] as [Int32]) + bytes([1, 2, 3] as [Float])
    for (name, contents, expected) in [
      (
        "x.fvecs", small,
        "is laid out as .bvecs: 7 records that begin with 3, their number of columns; expected .fvecs"
      ),
      (
        "x.bvecs", floats + floats + floats,
        "is laid out as .fvecs: 3 records that begin with 3, their number of columns; expected .bvecs"
      ),
      (
        "y.bvecs", Array(small.dropLast()),
        "48 bytes; expected a multiple of 7 for records of 3 columns"
      ),
      (
        "y.ivecs", Array(floats.dropLast()),
        "15 bytes; expected a multiple of 16 for records of 3 columns"
      ),
      ("z.ivecs", bytes([-3, 1, 1] as [Int32]), "record 0 has -3 columns; expected > 0"),
    ] {
      let path = try scratch.file(name, contents)
      #expect(problem { _ = try FeatureFile(path: path) } == expected)
    }
    // Beyond those that are looked at when the file is opened.
    var many = (0..<200).flatMap { _ in bytes([2] as [Int32]) + [7, 8] }
    many[6 * 131] = 3
    let path = try scratch.file("many.bvecs", many)
    #expect(
      problem { _ = try FeatureFile(path: path).rows(130..<133) }
        == "record 131 has 3 columns; expected 2 as in record 0")
  }

  @Test(arguments: ["npz", "bvecs", "ivecs"])
  func theyAreNotWritten(suffix: String) throws {
    let failure = #expect(throws: AgreedFailure.self) {
      try FeatureFile.write(
        DatasetsTests.numbers(rows: 2, columns: 3), rowCount: 2, firstRow: 0,
        to: scratch("w.\(suffix)"), overwrite: false, on: SingleRank())
    }
    #expect(failure?.reason.contains("features are not written as .\(suffix)") == true)
  }
}

/// A zip archive of stored files.
///
/// - Parameter isLarge: Sizes and places of 64 bits alone.
private func archive(_ files: [(name: String, bytes: [UInt8])], isLarge: Bool) -> [UInt8] {
  func small(_ numbers: Int...) -> [UInt8] { bytes(numbers.map { UInt16($0) }) }
  func middle(_ numbers: Int...) -> [UInt8] { bytes(numbers.map { UInt32($0) }) }
  func large(_ numbers: Int...) -> [UInt8] { bytes(numbers.map { UInt64($0) }) }
  let none = 0xffff_ffff
  var (contents, directory): ([UInt8], [UInt8]) = ([], [])
  for file in files {
    let (name, size, place) = (Array(file.name.utf8), file.bytes.count, contents.count)
    let sizes = isLarge ? large(size, size) : []
    contents +=
      middle(0x0403_4b50) + small(45, 0, 0, 0, 0) + middle(0)
      + (isLarge ? middle(none, none) : middle(size, size))
      + small(name.count, isLarge ? 20 : 0) + name + (isLarge ? small(1, 16) + sizes : [])
      + file.bytes
    directory +=
      middle(0x0201_4b50) + small(45, 45, 0, 0, 0, 0) + middle(0)
      + (isLarge ? middle(none, none) : middle(size, size))
      + small(name.count, isLarge ? 34 : 0, 0, 0, 0) + middle(0, isLarge ? none : place) + name
      // Something else before what is looked for.
      + (isLarge ? small(0x5455, 2, 7) + small(1, 24) + sizes + large(place) : [])
  }
  let start = contents.count
  var end: [UInt8] = []
  if isLarge {
    end =
      middle(0x0606_4b50) + large(44) + small(45, 45) + middle(0, 0)
      + large(files.count, files.count, directory.count, start)
      + middle(0x0706_4b50, 0) + large(start + directory.count) + middle(1)
  }
  end +=
    middle(0x0605_4b50) + small(0, 0)
    + (isLarge ? small(0xffff, 0xffff) : small(files.count, files.count))
    + (isLarge ? middle(none, none) : middle(directory.count, start)) + small(0)
  return contents + directory + end
}
