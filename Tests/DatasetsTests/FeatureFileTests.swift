import Communication
import Datasets
import Foundation
import LinearAlgebra
import Testing

struct FeatureFileTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test(arguments: ["npy", "fvecs", "fbin", "bin", "NPY"])
  func readsWhatItWrites(suffix: String) throws {
    let features = numbers(rows: 7, columns: 5)
    let path = scratch("x.\(suffix)")
    try FeatureFile.write(
      features, rowCount: 7, firstRow: 0, to: path, overwrite: false, on: SingleRank())
    let file = try FeatureFile(path: path, dimensions: suffix == "bin" ? 5 : nil)
    #expect(file.path == path)
    #expect(file.format.rawValue == suffix.lowercased())
    #expect((file.rowCount, file.columnCount) == (7, 5))
    #expect(try file.rows(0..<7) == features)
    #expect(try file.rows(2..<4) == features.slice(2..<4))
    #expect(try file.rows(7..<7).rowCount == 0)
  }

  @Test(arguments: [ElementType.float16, .float32, .float64])
  func writesEveryFloatingTypeOfNumPy(type: ElementType) throws {
    let features = numbers(rows: 3, columns: 4)
    let path = scratch("x.npy")
    try FeatureFile.write(
      features, rowCount: 3, firstRow: 0, to: path, as: type, overwrite: false, on: SingleRank())
    #expect(try ArrayFile(path: path).elementType == type)
    #expect(try FeatureFile(path: path).rows(0..<3) == features)
  }

  @Test func layoutsAreAsPublished() throws {
    let features = Matrix(rows: 2, columns: 1, elements: [1, 2])
    func written(_ suffix: String) throws -> [UInt8] {
      let path = scratch("x.\(suffix)")
      try FeatureFile.write(
        features, rowCount: 2, firstRow: 0, to: path, overwrite: false, on: SingleRank())
      return try bytes(of: path)
    }
    let (one, two) = (bytes([1 as Float]), bytes([2 as Float]))
    #expect(try written("bin") == one + two)
    #expect(try written("fbin") == [2, 0, 0, 0, 1, 0, 0, 0] + one + two)
    #expect(try written("fvecs") == [1, 0, 0, 0] + one + [1, 0, 0, 0] + two)
    let array = try written("npy")
    #expect(array.count == 128 + 8)
    #expect(
      Array(array[..<128])
        == npy(
          header: "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }"
            + String(repeating: " ", count: 58) + "\n", []))
  }

  @Test func recordsLongerThanABlockAreReadWhole() throws {
    let features = numbers(rows: 3, columns: 300_000)
    let path = scratch("x.fvecs")
    try FeatureFile.write(
      features, rowCount: 3, firstRow: 0, to: path, overwrite: false, on: SingleRank())
    #expect(try FeatureFile(path: path).rows(1..<3) == features.slice(1..<3))
  }

  @Test func manyRecordsAreReadWhole() throws {
    let features = numbers(rows: 100_000, columns: 6)
    let path = scratch("x.fvecs")
    try FeatureFile.write(
      features, rowCount: 100_000, firstRow: 0, to: path, overwrite: false, on: SingleRank())
    #expect(try FeatureFile(path: path).rows(1..<100_000) == features.slice(1..<100_000))
  }

  @Test func filesWithoutRowsAreOrdinary() throws {
    #expect(try FeatureFile(path: scratch.file("e.fvecs", []), dimensions: 3).rowCount == 0)
    #expect(try FeatureFile(path: scratch.file("e.bin", []), dimensions: 3).columnCount == 3)
    #expect(try FeatureFile(path: scratch.file("e.fbin", bytes([0, 3] as [UInt32]))).rowCount == 0)
    #expect(
      try FeatureFile(path: scratch.file("e.npy", npy("<f4", shape: "(0, 3)", [])))
        .rows(0..<0).columnCount == 3)
  }

  @Test(arguments: [("PAR1", "a Parquet"), ("\u{89}HDF\r\n\u{1a}\n", "an HDF5")])
  func whatPythonConvertsIsSaid(magic: String, kind: String) throws {
    let bytes = magic.unicodeScalars.map { UInt8($0.value) } + [0, 0, 0, 0]
    let found = problem { _ = try FeatureFile(path: scratch.file("x.table", bytes)) }
    #expect(
      found?.hasSuffix("it is \(kind) file, which Python converts: Docs/Formats.md says how")
        == true)
  }

  @Test(
    arguments: [
      (
        "x.csv", nil, [],
        "unknown extension '.csv'; features are .npy, .fvecs, .fbin, .bin, .u8bin, .i8bin, .bvecs, .ivecs, .safetensors or .npz; it is "
          + "empty"
      ),
      (
        "x", nil, [],
        "no extension; features are .npy, .fvecs, .fbin, .bin, .u8bin, .i8bin, .bvecs, .ivecs, .safetensors or .npz; it is empty"
      ),
      (
        "x.bin", nil, [0, 0, 0, 0],
        "a .bin file does not say its number of columns; give the dimensions (--dimensions)"
      ),
      ("x.bin", 2, [0, 0, 0, 0], "4 bytes; expected a multiple of 8 for rows of 2 float32"),
      ("x.bin", 0, [], "0 dimensions asked for; expected 1 ... 2147483647"),
      ("x.fbin", nil, [1, 0, 0], "3 bytes; expected a header of 8"),
      (
        "x.fbin", nil, [1, 0, 0, 0, 2, 0, 0, 0],
        "8 bytes; a header of 8 bytes and [1 × 2] float32 make 16"
      ),
      (
        "x.fbin", nil, [0, 0, 0, 0, 1, 0, 0, 0, 9],
        "9 bytes; a header of 8 bytes and [0 × 1] float32 make 8"
      ),
      (
        "x.fbin", nil, [255, 255, 255, 255, 255, 255, 255, 255],
        "8 bytes; a header of 8 bytes and [4294967295 × 4294967295] float32 make more"
      ),
      ("x.fbin", nil, [0, 0, 0, 0, 0, 0, 0, 0], "rows of 0 columns; expected at least 1"),
      ("x.fbin", 4, [0, 0, 0, 0, 3, 0, 0, 0], "rows of 3 columns; expected 4"),
      ("x.fvecs", nil, [], "0 bytes; expected at least one record"),
      ("x.fvecs", nil, [255, 255, 255, 255], "record 0 has -1 columns; expected > 0"),
      (
        "x.fvecs", nil, [1, 0, 0, 0, 0, 0, 0],
        "7 bytes; expected a multiple of 8 for records of 1 columns"
      ),
      (
        "x.npy", nil, npy("<f4", shape: "(1,)", [0, 0, 0, 0]),
        "float32 of shape (1,); expected numbers of two dimensions"
      ),
      ("x.npy", nil, npy("<f4", shape: "(3, 0)", []), "rows of 0 columns; expected at least 1"),
      (
        "x.npy", nil, npy("<f4", shape: "(0, 4611686018427387904)", []),
        "rows of 4611686018427387904 columns; expected at most 2147483647"
      ),
      (
        "x.fbin", nil, [0, 0, 0, 0, 255, 255, 255, 255],
        "rows of 4294967295 columns; expected at most 2147483647"
      ),
      ("x.npy", 2, npy("<f4", shape: "(1, 1)", [0, 0, 0, 0]), "rows of 1 columns; expected 2"),
    ] as [(String, Int?, [UInt8], String)])
  func damagedFilesAreNamed(name: String, dimensions: Int?, bytes: [UInt8], expected: String) throws
  {
    let path = try scratch.file(name, bytes)
    #expect(problem { _ = try FeatureFile(path: path, dimensions: dimensions) } == expected)
  }

  @Test func aRecordOfAnotherLengthIsFoundWhenItIsRead() throws {
    let records = [1, 7, 1, 8, 2, 9].map { UInt32($0) }
    let file = try FeatureFile(path: scratch.file("x.fvecs", bytes(records)))
    #expect(try file.rows(0..<2).rowCount == 2)
    #expect(
      problem { _ = try file.rows(1..<3) } == "record 2 has 2 columns; expected 1 as in record 0")
  }

  @Test(arguments: 1...5, ["npy", "fvecs", "fbin", "bin"])
  func slicesOfRanksMakeTheSameFile(ranks: Int, suffix: String) throws {
    let features = numbers(rows: 4, columns: 3)
    let (alone, together) = (scratch("alone.\(suffix)"), scratch("together.\(suffix)"))
    try FeatureFile.write(
      features, rowCount: 4, firstRow: 0, to: alone, overwrite: false, on: SingleRank())
    let read = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let rows = share(of: 4, communicator)
      try FeatureFile.write(
        features.slice(rows), rowCount: 4, firstRow: rows.lowerBound, to: together,
        overwrite: false, on: communicator)
      return try FeatureFile(path: together, dimensions: 3).rows(rows).elements
    }
    #expect(try bytes(of: together) == bytes(of: alone))
    #expect(read.flatMap { $0 } == features.elements)
    #expect(try scratch.names == ["alone.\(suffix)", "together.\(suffix)"])
  }

  @Test func formatsRefuseWhatTheyCannotHold() throws {
    func writing(_ name: String, _ type: ElementType, columns: Int = 2) -> String? {
      do {
        try FeatureFile.write(
          Matrix(rows: 0, columns: columns), rowCount: 0, firstRow: 0, to: scratch(name), as: type,
          overwrite: false, on: SingleRank())
        return nil
      } catch {
        return "\(error)"
      }
    }
    let path = scratch.path
    #expect(
      writing("x.bin", .float16)
        == "\(path)/x.bin: features cannot be written as float16 in .bin")
    #expect(
      writing("x.npy", .int32) == "\(path)/x.npy: features cannot be written as int32 in .npy")
    #expect(
      writing("x.npy", .float32, columns: 0)
        == "\(path)/x.npy: features without columns cannot be written")
    #expect(
      writing("x.txt", .float32)
        == "\(path)/x.txt: unknown extension '.txt'; features are .npy, .fvecs, .fbin, .bin, "
        + ".u8bin, .i8bin, .bvecs, .ivecs, .safetensors or .npz")
    #expect(try scratch.names == [])
  }
}
