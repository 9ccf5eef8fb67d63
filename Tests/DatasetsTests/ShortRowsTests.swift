import Communication
import Datasets
import Foundation
import LinearAlgebra
import Testing

/// Features whose numbers are shorter than `float32`.
@Suite struct FilesOfShortNumbers {
  private let scratch: Scratch
  private let values: [Float] = (0..<60).map { Float($0 * 37 % 101) }

  init() throws { scratch = try Scratch() }

  /// A file of 12 rows of 5 columns.
  private func file(_ kind: String) throws -> (path: String, element: StoredElement) {
    let counts = bytes([12, 5] as [UInt32])
    let unsigned = values.map { UInt8($0) }
    let signed = bytes(values.map { Int8($0 - 50) })
    return switch kind {
    case "u1": (try scratch.file("u1.npy", npy("|u1", shape: "(12, 5)", unsigned)), .uint8)
    case "i1": (try scratch.file("i1.npy", npy("|i1", shape: "(12, 5)", signed)), .int8)
    case "bool":
      (
        try scratch.file("b1.npy", npy("|b1", shape: "(12, 5)", values.map { $0 > 50 ? 1 : 0 })),
        .uint8
      )
    case "f2":
      (
        try scratch.file(
          "f2.npy", npy("<f2", shape: "(12, 5)", bytes(values.map { Float16($0 / 8) }))), .float16
      )
    case "transposed":
      (
        try scratch.file("t.npy", npy("|u1", shape: "(12, 5)", order: "True", unsigned)), .uint8
      )
    case "u8bin": (try scratch.file("x.u8bin", counts + unsigned), .uint8)
    case "i8bin": (try scratch.file("x.i8bin", counts + signed), .int8)
    case "BF16":
      (
        try tensors(
          "BF16", bytes(values.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) })), .bfloat16
      )
    case "F16": (try tensors("F16", bytes(values.map { Float16($0) })), .float16)
    case "I8": (try tensors("I8", signed), .int8)
    default: (try tensors("F32", bytes(values)), .float32)
    }
  }

  private func tensors(_ type: String, _ data: [UInt8], others: String = "") throws -> String {
    let header = Array(
      #"{"x":{"dtype":"\#(type)","shape":[12,5],"data_offsets":[0,\#(data.count)]}\#(others)}"#.utf8
    )
    return try scratch.file(
      "x.safetensors", bytes([UInt64(header.count)]) + header + data)
  }

  @Test(
    arguments: [
      "u1", "i1", "bool", "f2", "transposed", "u8bin", "i8bin", "BF16", "F16", "I8", "F32",
    ])
  func areReadAsTheyAreAndAsFloats(kind: String) throws {
    let (path, element) = try file(kind)
    let features = try FeatureFile(path: path, dimensions: 5)
    #expect(features.rowCount == 12 && features.columnCount == 5)
    #expect(features.storedElement == element)
    let all = try features.rows(0..<12)
    let expected: [Float] =
      switch kind {
      case "u1", "u8bin", "F32", "F16": values
      case "i1", "i8bin", "I8": values.map { $0 - 50 }
      case "bool": values.map { $0 > 50 ? 1 : 0 }
      case "f2": values.map { $0 / 8 }
      case "transposed": (0..<60).map { values[$0 % 5 * 12 + $0 / 5] }
      default: values
      }
    #expect(all.elements == expected)
    for range in [0..<12, 3..<4, 5..<11, 7..<7] {
      #expect(try features.rows(range) == all.slice(range))
      guard element != .float32 else {
        #expect(try features.storedRows(range) == nil)
        continue
      }
      var stored = try #require(try features.storedRows(range))
      let largest = stored.measure()
      #expect(largest == range.map { all.row($0).map(abs).max()! })
      let rows = stored.copy(ofRows: 0..<range.count)
      for row in 0..<range.count {
        let numbers = all.row(range.lowerBound + row)
        let norm = Float(numbers.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
        #expect(rows.row(row) == numbers.map { $0 / norm })
      }
    }
  }

  @Test func ofSeveralTensorsAreRefusedUnlessOneIsAMatrix() throws {
    let data = bytes(values)
    let vector =
      #","v":{"dtype":"F32","shape":[2],"data_offsets":[\#(data.count),\#(data.count + 8)]}"#
    let path = try tensors("F32", data, others: vector)
    let whole = try bytes(of: path) + Array(repeating: 0, count: 8)
    #expect(try FeatureFile(path: scratch.file("y.safetensors", whole)).rowCount == 12)
    let matrix = vector.replacingOccurrences(of: "[2]", with: "[2,1]")
    let two = try bytes(of: tensors("F32", data, others: matrix)) + Array(repeating: 0, count: 8)
    #expect(
      problem { _ = try FeatureFile(path: scratch.file("z.safetensors", two)) }
        == "2 tensors of two dimensions; expected one, which holds the features; there are 'x' and "
        + "'v': name one, as in \(scratch("z.safetensors")):x")
    #expect(try FeatureFile(path: scratch("z.safetensors:v")).columnCount == 1)
    #expect(
      problem { _ = try FeatureFile(path: tensors("I64", bytes(values.map { Int64($0) }))) }
        == "tensor 'x' has the type I64; expected F32, F16, BF16, I8 or U8")
  }

  @Test func thatAreTooShortOrOfAnotherKindAreRefused() throws {
    let counts = bytes([12, 5] as [UInt32])
    #expect(
      problem { _ = try FeatureFile(path: scratch.file("a.u8bin", counts + [1, 2, 3])) }
        == "11 bytes; a header of 8 bytes and [12 × 5] uint8 make 68")
    let floats = try scratch.file("b.i8bin", counts + bytes(values))
    #expect(
      problem { _ = try FeatureFile(path: floats) }
        == "is laid out as .fbin: it begins with the numbers of rows and columns, 12 and 5; "
        + "expected .i8bin")
    for suffix in ["u8bin", "i8bin", "safetensors"] {
      let failure = #expect(throws: AgreedFailure.self) {
        try FeatureFile.write(
          numbers(rows: 2, columns: 3), rowCount: 2, firstRow: 0, to: scratch("w.\(suffix)"),
          overwrite: false, on: SingleRank())
      }
      #expect(failure?.reason.contains("features are not written as .\(suffix)") == true)
    }
  }
}
