import Communication
import Datasets
import Foundation
import LinearAlgebra
import Testing

struct ArrayFileTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test(arguments: [1, 2, 3] as [UInt8])
  func readsEveryVersion(version: UInt8) throws {
    let path = try scratch.file(
      "a.npy", npy("<f4", shape: "(2, 3)", version: version, bytes([1, 2, 3, 4, 5, 6] as [Float])))
    let file = try ArrayFile(path: path)
    #expect(file.shape == [2, 3])
    #expect(file.elementType == .float32)
    #expect(try file.floats(rows: 1..<2) == Matrix(rows: 1, columns: 3, elements: [4, 5, 6]))
  }

  @Test(arguments: [
    "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }",
    "{\"shape\":(3,),\"fortran_order\":False,\"descr\":\"=i4\"}   \n",
    "{'descr': '|i4', 'shape': (3L,), 'fortran_order': False}\n",
    "{ 'descr' : '<i4' , 'fortran_order' : False , 'shape' : ( 3 ) }",
  ])
  func readsHeadersHoweverSpaced(header: String) throws {
    let path = try scratch.file("a.npy", npy(header: header, bytes([7, -8, 9] as [Int32])))
    #expect(try ArrayFile(path: path).integers(rows: 0..<3) == [7, -8, 9])
  }

  private func integersRoundTrip<T: ArrayElement & FixedWidthInteger>(_ type: T.Type) throws {
    let values = [T.min, 0, 1, 100, T.max > Int64.max ? T(Int64.max) : T.max]
    let path = scratch("\(type).npy")
    try writeArray(
      values, shape: [5], firstRow: 0, to: path, overwrite: false, on: SingleRank())
    let file = try ArrayFile(path: path)
    #expect(file.elementType == T.elementType)
    #expect(try file.integers(rows: 0..<5) == values.map { Int64($0) })
    #expect(try file.integers(rows: 3..<4) == [100])
    #expect(try file.floats(rows: 0..<5).elements == values.map { Float($0) })
  }

  @Test func integersOfEveryTypeAreReadAsWritten() throws {
    try integersRoundTrip(Int8.self)
    try integersRoundTrip(Int16.self)
    try integersRoundTrip(Int32.self)
    try integersRoundTrip(Int64.self)
    try integersRoundTrip(UInt8.self)
    try integersRoundTrip(UInt16.self)
    try integersRoundTrip(UInt32.self)
    try integersRoundTrip(UInt64.self)
  }

  @Test func truthValuesAreZeroAndOne() throws {
    let path = try scratch.file("b.npy", npy("|b1", shape: "(2, 2)", [1, 0, 0, 1]))
    #expect(try ArrayFile(path: path).integers(rows: 0..<2) == [1, 0, 0, 1])
  }

  private func floatsRoundTrip<T: ArrayElement & BinaryFloatingPoint>(_ type: T.Type) throws {
    let values: [T] = [0, -1.5, 0.333251953125, 65504, 6.103515625e-05, .infinity]
    let path = scratch("\(type).npy")
    try writeArray(
      values, shape: [3, 2], firstRow: 0, to: path, overwrite: false, on: SingleRank())
    let file = try ArrayFile(path: path)
    #expect(file.elementType == T.elementType)
    let expected = Matrix(rows: 3, columns: 2, elements: values.map { Float($0) })
    #expect(try file.floats(rows: 0..<3) == expected)
    #expect(try file.floats(rows: 1..<2) == expected.slice(1..<2))
    #expect(
      problem { _ = try file.integers(rows: 0..<1) }
        == "elements of type \(T.elementType); expected integers")
  }

  @Test func floatsOfEveryTypeAreReadAsWritten() throws {
    try floatsRoundTrip(Float16.self)
    try floatsRoundTrip(Float.self)
    try floatsRoundTrip(Double.self)
  }

  @Test func everyHalfIsWidenedExactly() throws {
    let patterns = (0...UInt16.max).map { Float16(bitPattern: $0) }
    let path = scratch("halves.npy")
    try writeArray(
      patterns, shape: [1 << 16], firstRow: 0, to: path, overwrite: false, on: SingleRank())
    let found = try ArrayFile(path: path).floats(rows: 0..<1 << 16).elements
    for (value, half) in zip(found, patterns) {
      let expected = Float(half)
      let isSame = expected.isNaN ? value.isNaN : value.bitPattern == expected.bitPattern
      if !isSame { Issue.record("\(half) is read as \(value)") }
    }
  }

  @Test func doublesAreRoundedToNearest() throws {
    let path = try scratch.file("d.npy", npy("<f8", shape: "(1,)", bytes([0.1])))
    #expect(try ArrayFile(path: path).floats(rows: 0..<1).elements == [0.1 as Float])
  }

  @Test func arraysLongerThanABlockAreReadWhole() throws {
    let values = (0..<700_001).map { Float16($0 % 2048) }
    let path = scratch("long.npy")
    try writeArray(
      values, shape: [700_001], firstRow: 0, to: path, overwrite: false, on: SingleRank())
    let rows = 100_000..<700_001
    #expect(
      try ArrayFile(path: path).floats(rows: rows).elements == values[rows].map { Float($0) })
  }

  @Test(arguments: ["(0,)", "(0, 4)", "(4, 0)"])
  func emptyArraysAreOrdinary(shape: String) throws {
    let path = try scratch.file("e.npy", npy("<i8", shape: shape, []))
    let file = try ArrayFile(path: path)
    #expect(try file.integers(rows: 0..<file.rowCount) == [])
  }

  @Test func unsignedBeyondInt64IsAnErrorThatNamesTheRow() throws {
    let path = try scratch.file("u.npy", npy("<u8", shape: "(2, 2)", bytes([0, 1, 2, UInt64.max])))
    let file = try ArrayFile(path: path)
    #expect(try file.integers(rows: 0..<1) == [0, 1])
    #expect(
      problem { _ = try file.integers(rows: 1..<2) }
        == "row 1: 18446744073709551615 is above 9223372036854775807")
  }

  @Test(
    arguments: [
      (
        npy("<c8", shape: "(0,)", []),
        "elements of type '<c8'; expected bool, int8, int16, int32, int64, uint8, uint16, uint32, "
          + "uint64, float16, float32 or float64"
      ),
      (
        npy(header: "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", []),
        "elements of several fields; expected numbers"
      ),
      (
        npy("<f4", shape: "(2, 3)", [0, 0, 0, 0]),
        "too short: 74 bytes; a header of 70 bytes and float32 of shape (2, 3) make 94"
      ),
      (
        npy("<f4", shape: "(1,)", [0, 0, 0, 0, 0]),
        "too long: 73 bytes; a header of 68 bytes and float32 of shape (1,) make 72"
      ),
      (npy("<f4", shape: "(-1, 3)", []), "negative length in the shape (-1, 3)"),
      (
        npy("<f4", shape: "(4611686018427387904, 2)", []),
        "the shape (4611686018427387904, 2) is too large"
      ),
      (
        npy("<f4", shape: "(99999999999999999999,)", []),
        "malformed .npy header '{'descr': '<f4', 'fortran_order': False, "
          + "'shape': (99999999999999999999,), }\\n'"
      ),
      (
        npy("<f4", shape: "()", [0, 0, 0, 0]), "float32 of shape (); expected one or two dimensions"
      ),
      (
        npy("<f4", shape: "(1, 1, 1)", [0, 0, 0, 0]),
        "float32 of shape (1, 1, 1); expected one or two dimensions"
      ),
      (npy(header: "{'descr': '<f4', 'shape': (0,)}", []), "no 'fortran_order' in .npy header"),
      (npy(header: "[1, 2]", []), "malformed .npy header '[1, 2]'"),
      (npy(header: "{'descr' '<f4'}\n", []), "malformed .npy header '{'descr' '<f4'}\\n'"),
      (npy(header: "{} x", []), "malformed .npy header '{} x'"),
      (npy("<f4", shape: "(1,)", version: 4, [0, 0, 0, 0]), ".npy version 4; expected 1, 2 or 3"),
      (
        Array("PK\u{3}\u{4} an archive".utf8),
        "does not begin as a .npy file does; it is a zip archive (as .npz, .pt and .pth files are)"
      ),
      ([], "does not begin as a .npy file does; it is empty"),
      (
        Array(npy("<f4", shape: "(1,)", []).prefix(40)),
        "ends inside the .npy header: 40 bytes; the header alone has 68"
      ),
      (Array(npy("<f4", shape: "(1,)", version: 2, []).prefix(11)), "ends inside the .npy header"),
      (
        npy(header: String(repeating: " ", count: 1 << 16 + 1), version: 2, []),
        ".npy header of 65537 bytes; expected < 65536"
      ),
    ] as [([UInt8], String)])
  func damagedFilesAreNamed(bytes: [UInt8], expected: String) throws {
    let path = try scratch.file("bad.npy", bytes)
    #expect(problem { _ = try ArrayFile(path: path) } == expected)
  }

  @Test func errorsNameTheFileOnOneLine() throws {
    let missing = scratch("none.npy")
    let error = #expect(throws: DataError.self) { try ArrayFile(path: missing) }
    #expect(error?.description == "\(missing): cannot open: No such file or directory")
    #expect(
      problem { _ = try ArrayFile(path: scratch.path) } == "is a directory; expected a file")
    #expect(
      problem { _ = try ArrayFile(path: "/dev/null") } == "is not an ordinary file; expected a file"
    )
  }

  @Test func aFileThatShrinksAfterwardsIsAnError() throws {
    let path = try scratch.file("s.npy", npy("<f4", shape: "(2,)", bytes([1, 2] as [Float])))
    let file = try ArrayFile(path: path)
    try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: 70)
    #expect(problem { _ = try file.floats(rows: 0..<2) } == "ends at byte 70; expected 76 bytes")
  }

  @Test func rowsBeyondTwoToThe31ElementsAreReachable() throws {
    let (rowCount, columnCount) = ((1 << 28) + 3, 9)
    let header = npy("<f4", shape: "(\(rowCount), \(columnCount))", [])
    let path = try scratch.file("sparse.npy", header)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    let byteCount = header.count + rowCount * columnCount * 4
    try handle.truncate(atOffset: UInt64(byteCount))
    try handle.seek(toOffset: UInt64(byteCount - 18 * 4))
    try handle.write(contentsOf: Data(bytes((1...18).map { Float($0) })))
    try handle.close()
    let expected = Matrix(rows: 2, columns: 9, elements: (1...18).map { Float($0) })
    let last = rowCount - 2..<rowCount
    #expect(try ArrayFile(path: path).floats(rows: last) == expected)
    #expect(try FeatureFile(path: path).rows(last) == expected)
  }
}
