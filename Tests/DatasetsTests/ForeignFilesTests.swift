import Communication
import Datasets
import LinearAlgebra
import Testing

/// Files as other programs write them: other types, orders and marks, and other names than they
/// should have.
struct ForeignFilesTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func rows(
    _ descriptor: String, _ data: [UInt8], order: String = "False", shape: String = "(2, 3)"
  ) throws -> [Float] {
    let path = try scratch.file("x.npy", npy(descriptor, shape: shape, order: order, data))
    let file = try FeatureFile(path: path)
    return try file.rows(0..<file.rowCount).elements
  }

  @Test(arguments: ["<f4", "=f4", "|f4", "f4", "float32", "f", "<f", "single"])
  func aTypeIsKnownByAllNamesThatNumPyHasForIt(name: String) throws {
    let values: [Float] = [1, -2, 3.5, 4, 5, -0.25]
    #expect(try rows(name, bytes(values)) == values)
  }

  @Test func otherTypesAreKnownByTheirNamesToo() throws {
    #expect(try rows("float64", bytes([1, 2, 3, 4, 5, 6] as [Double])) == [1, 2, 3, 4, 5, 6])
    #expect(try rows("float", bytes([1, 2, 3, 4, 5, 6] as [Double])) == [1, 2, 3, 4, 5, 6])
    #expect(try rows("half", bytes([1, 2, 3, 4, 5, 6] as [Float16])) == [1, 2, 3, 4, 5, 6])
    #expect(try rows("int64", bytes([1, 2, 3, -4, 5, 6] as [Int64])) == [1, 2, 3, -4, 5, 6])
    #expect(try rows("int", bytes([1, 2, 3, -4, 5, 6] as [Int64])) == [1, 2, 3, -4, 5, 6])
    #expect(
      try rows("uint16", bytes([1, 2, 3, 4, 5, 65535] as [UInt16])) == [1, 2, 3, 4, 5, 65535])
    #expect(try rows("bool", [0, 1, 1, 0, 0, 1]) == [0, 1, 1, 0, 0, 1])
    let problem = problem { _ = try rows("float128", []) }
    #expect(problem?.hasPrefix("elements of type 'float128'; expected bool, int8") == true)
  }

  /// What `Float` holds is exact; all else is as `Float` rounds it.
  @Test func integersAreFeatures() throws {
    let values: [Int64] = [1 << 24, -(1 << 24), 1 << 24 + 1, .max, .min, 0]
    #expect(try rows("<i8", bytes(values)) == values.map { Float($0) })
    let large: [UInt64] = [.max, 1 << 63, 3, 4, 5, 6]
    #expect(try rows("<u8", bytes(large)) == large.map { Float($0) })
    #expect(try rows("|i1", bytes([-128, 127, 0, 1, 2, 3] as [Int8])) == [-128, 127, 0, 1, 2, 3])
  }

  @Test func otherByteOrdersAreRead() throws {
    let values: [Float] = [1, -2, 3.5, 4, 5, -0.25]
    #expect(try rows(">f4", bytes(values.map(\.bitPattern.bigEndian))) == values)
    let doubles = values.map { Double($0).bitPattern.bigEndian }
    #expect(try rows(">f8", bytes(doubles)) == values)
    let path = try scratch.file(
      "l.npy", npy(">i4", shape: "(3,)", bytes([5, -6, 7].map { Int32($0).bigEndian })))
    #expect(try LabelFile(path: path).labels(0..<3) == [5, -6, 7])
  }

  /// By slices, past the border of a tile of 256 rows.
  @Test func fortranOrderIsReadBySlices() throws {
    let (rowCount, columnCount) = (700, 11_000)
    let value = { (row: Int, column: Int) in Float(row * 7 + column % 13) }
    let data = (0..<columnCount).flatMap { column in (0..<rowCount).map { value($0, column) } }
    let path = try scratch.file(
      "x.npy", npy("<f4", shape: "(700, 11000)", order: "True", bytes(data)))
    let file = try FeatureFile(path: path)
    for range in [0..<0, 0..<3, 100..<613, 699..<700] {
      let found = try file.rows(range)
      #expect(
        range.allSatisfy { row in
          stride(from: 0, to: columnCount, by: 97).allSatisfy {
            found[row - range.lowerBound, $0] == value(row, $0)
          }
        }, "\(range)")
    }
    #expect(
      try rows("<f8", bytes([1, 4, 2, 5, 3, 6] as [Double]), order: "True") == [1, 2, 3, 4, 5, 6])
    let labels = try scratch.file(
      "l.npy", npy("<i8", shape: "(3, 1)", order: "True", bytes([5, 6, 7] as [Int64])))
    #expect(try LabelFile(path: labels).labels(1..<3) == [6, 7])
  }

  @Test(arguments: ["False", "True"], [1e60, 1e-60, 0x1p-1040, 1.7e308])
  func directionsOfFloat64BeyondFloatAreKept(order: String, factor: Double) throws {
    let plain: [Double] = [0.3, -0.25, 0.125, 0.5, 0.0625, -1]
    let (a, b) = (plain[..<3].map { $0 * factor }, plain[3...])
    let data = order == "True" ? zip(a, b).flatMap { [$0, $1] } : a + b
    let path = try scratch.file("x.npy", npy("<f8", shape: "(2, 3)", order: order, bytes(data)))
    let (matrix, scaled) = try FeatureFile(path: path).directions(0..<2)
    #expect(scaled == [0])
    for column in 0..<3 {
      let ratio = Double(matrix[0, column]) / Double(matrix[0, 0])
      #expect(abs(ratio - plain[column] / plain[0]) < 1e-6)
      #expect(matrix[1, column] == Float(plain[3 + column]))
    }
    #expect(
      problem { _ = try FeatureFile(path: path).rows(0..<2) }
        == "row 0: values up to \(a.map(abs).max()!) are too \(factor < 1 ? "small" : "large") for "
        + "float32; divide every row by its length, or all by one number")
    #expect(try FeatureFile(path: path).rows(1..<2).elements == b.map { Float($0) })
  }

  @Test func zerosAndWhatIsNoNumberAreNotScaled() throws {
    let values: [Double] = [0, 0, 0, .infinity, 1e60, 1]
    let path = try scratch.file("x.npy", npy("<f8", shape: "(2, 3)", bytes(values)))
    #expect(try FeatureFile(path: path).directions(0..<2).scaledRows.isEmpty)
    #expect(try FeatureFile(path: path).rows(0..<2).elements == values.map { Float($0) })
  }

  /// Bytes of formats that are not features, and what they are called.
  private static let others: [(String, [UInt8])] = [
    ("an .npy array", npy("<f4", shape: "(8, 4)", bytes([Float](repeating: 1, count: 32)))),
    (
      "a zip archive (as .npz, .pt and .pth files are)",
      [0x50, 0x4b, 3, 4] + Array(repeating: 0, count: 60)
    ),
    ("compressed by gzip", [0x1f, 0x8b, 8, 0] + Array(repeating: 7, count: 60)),
    ("a Parquet file", Array("PAR1".utf8) + Array(repeating: 9, count: 60)),
    ("an HDF5 file", [0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10] + Array(repeating: 0, count: 56)),
    ("a pickle of Python", [0x80, 4, 0x95] + Array(repeating: 0, count: 60) + [0x2e]),
    (
      "a .safetensors file",
      [56, 0, 0, 0, 0, 0, 0, 0] + Array("{\"a\":{}".utf8) + Array(repeating: 32, count: 49)
    ),
    ("a text", Array("0.25,0.5,0.125,1\n0.25,0.5,0.125,1\n0.25,0.5,0.125,1\n\n\n\n".utf8)),
    ("an HTML page", Array("<!DOCTYPE html><html><head><title>Not Found</title>   ".utf8)),
    ("a text in JSON", Array("{\"features\": [[0.25, 0.5, 0.125, 1]], \"labels\": [0]}".utf8)),
  ]

  @Test(arguments: ForeignFilesTests.others, ["bin", "fbin", "fvecs"])
  func filesOfOtherFormatsAreNamed(other: (kind: String, bytes: [UInt8]), suffix: String) throws {
    let path = try scratch.file("x.\(suffix)", other.bytes)
    #expect(
      problem { _ = try FeatureFile(path: path, dimensions: 1) }
        == "is \(other.kind); expected features as .\(suffix)")
  }

  @Test func recordsAndCountedRowsAreNotTakenForPlainOnes() throws {
    let matrix = numbers(rows: 6, columns: 3)
    for (written, others) in [("fvecs", ["bin", "fbin"]), ("fbin", ["bin", "fvecs"])] {
      let path = scratch("x.\(written)")
      try FeatureFile.write(
        matrix, rowCount: 6, firstRow: 0, to: path, overwrite: true, on: SingleRank())
      for other in others {
        let renamed = try scratch.file("y.\(other)", try bytes(of: path))
        let found = problem { _ = try FeatureFile(path: renamed, dimensions: 1) }
        #expect(
          found?.hasPrefix("is laid out as .\(written)") == true
            && found?.hasSuffix("expected .\(other)") == true, "\(found ?? "")")
      }
      #expect(try FeatureFile(path: path).rows(0..<6) == matrix)
    }
    let bytesOfVectors = try scratch.file("u8.bin", [4, 0, 0, 0, 4, 0, 0, 0] + Array(1...16))
    #expect(
      problem { _ = try FeatureFile(path: bytesOfVectors, dimensions: 2) }
        == "is laid out as vectors of 1-byte numbers: it begins with the numbers of rows and columns, "
        + "4 and 4; expected .bin")
    // Plain rows, zeros among them, are none of these.
    for values in [[Float](repeating: 0, count: 12), numbers(rows: 4, columns: 3).elements] {
      let path = try scratch.file("plain.bin", bytes(values))
      #expect(try FeatureFile(path: path, dimensions: 3).rows(0..<4).elements == values)
    }
  }

  @Test func aByteOrderMarkIsNoPartOfATextAndOtherEncodingsAreNamed() throws {
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    let labels = try scratch.file("l.txt", mark + Array("6\n7\n".utf8))
    #expect(try LabelFile(path: labels).labels(0..<2) == [6, 7])
    let names = try scratch.file("n.txt", mark + Array("Ada\nBo".utf8))
    #expect(try NameFile(path: names).names(of: 0..<2) == [0: "Ada", 1: "Bo"])
    let lines = try scratch.file("DS_A.txt", mark + Array("1, 2\n".utf8))
    #expect(try NumberLines.integers(path: lines, perLine: 2) == [1, 2])
    #expect(try LabelFile(path: scratch.file("m.txt", mark)).count == 0)

    // The lines that are marked, every 4096th, begin where they did.
    let many = try scratch.file("many.txt", mark + (0..<9000).flatMap { Array("\($0)\n".utf8) })
    #expect(try LabelFile(path: many).labels(8000..<9000) == Array(8000..<9000))

    let utf16: [UInt8] = [54, 0, 10, 0, 55, 0, 10, 0]
    let encoded: [([UInt8], String)] = [
      ([0xff, 0xfe] + utf16, "UTF-16"), ([0xfe, 0xff] + utf16.reversed(), "UTF-16"),
      (utf16, "UTF-16"), ([0xff, 0xfe, 0, 0, 54, 0, 0, 0], "UTF-32"),
    ]
    for (bytes, kind) in encoded {
      let path = try scratch.file("w.txt", bytes)
      let found = "text in \(kind); expected UTF-8"
      #expect(problem { _ = try LabelFile(path: path) } == found)
      #expect(problem { _ = try NumberLines.integers(path: path, perLine: 1) } == found)
    }
    let array = try scratch.file("a.txt", npy("<i8", shape: "(1,)", bytes([5] as [Int64])))
    #expect(problem { _ = try LabelFile(path: array) } == "an .npy array; expected a text")
  }

  @Test(arguments: [
    (
      "cluster\n1\n2\n",
      "3 labels; expected 2, one each; line 1 is 'cluster', no integer: is it a heading or a comment?"
    ),
    (
      "1\n2\n# end\n",
      "3 labels; expected 2, one each; line 3 is '# end', no integer: is it a heading or a comment?"
    ),
    ("1 2\n", "1 labels; expected 2, one each"),
    ("1\n2\n3\n", "3 labels; expected 2, one each"),
  ])
  func aLineTooManyIsShownIfItIsNoLabel(text: String, problem: String) throws {
    let file = try LabelFile(path: try scratch.file("l.txt", Array(text.utf8)))
    #expect(file.miscount(expected: 2, "one each").problem == problem)
  }

  @Test func nullMetadataMeanNone() throws {
    let header = Array(
      #"{"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8)
    let path = try scratch.file(
      "m.safetensors", bytes([UInt64(header.count)]) + header + bytes([2.5] as [Float]))
    let file = try TensorFile(path: path)
    #expect(file.metadata.isEmpty)
    #expect(try file.tensor("a").elements == [2.5])
  }

  @Test(arguments: [
    ("an .npy array", npy("<f4", shape: "(1,)", [0, 0, 0, 0])),
    ("a pickle of Python", [0x80, 2, 0x7d, 0x71, 0, 0, 0, 0, 0, 0x2e]),
    ("a zip archive (as .npz, .pt and .pth files are)", [0x50, 0x4b, 3, 4, 20, 0, 0, 8, 8, 0]),
    ("a text", Array("a model of mine".utf8)),
    ("an HTML page", Array("\n<html><body>404".utf8)),
    ("a text in JSON", Array("{\"a\": 1} ".utf8)),
    (
      "the index of a model that is stored in several files, in JSON",
      Array(#"{"metadata": {"total_size": 3}, "weight_map": {"a": "m-1-of-2.safetensors"}}"#.utf8)
    ),
  ])
  func whatIsNoModelIsNamed(kind: String, bytes: [UInt8]) throws {
    let path = try scratch.file("m.safetensors", bytes)
    #expect(
      problem { _ = try TensorFile(path: path) } == "is \(kind); expected a .safetensors file")
    let empty = try scratch.file("e.safetensors", [])
    #expect(
      problem { _ = try TensorFile(path: empty) }
        == "0 bytes; expected at least the 8 of a header's length; it is empty")
  }

  /// Over the border of a block, on several ranks; the text of every length of number.
  @Test(arguments: 1...3, ["l.npy", "l.txt"])
  func labelsMadeWhileTheyAreWrittenAreThoseOfAnArray(ranks: Int, name: String) throws {
    let count = 300_001
    let path = scratch(name)
    _ = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try LabelFile.write(
        count: count, owned: share(of: count, communicator), to: path, overwrite: true,
        on: communicator
      ) { $0.map { Int64($0) * ($0 % 3 == 0 ? -1 : 1) } }
    }
    #expect(
      try LabelFile(path: path).labels(0..<count)
        == (0..<count).map { Int64($0) * ($0 % 3 == 0 ? -1 : 1) })
  }

  @Test func aFileThatTheDiskCannotHoldIsRefusedBeforeItIsWritten() throws {
    let path = scratch("l.npy")
    let failure = #expect(throws: AgreedFailure.self) {
      try LabelFile.write(
        count: 1 << 55, owned: 0..<1 << 55, to: path, overwrite: false, on: SingleRank()
      ) { Array(repeating: 0, count: $0.count) }
    }
    #expect(failure?.reason.contains(" bytes are to be written; ") == true, "\(failure as Any)")
    #expect(try scratch.names.isEmpty)
  }
}
