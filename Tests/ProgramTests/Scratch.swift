import Communication
import Datasets
import Foundation
import LinearAlgebra

/// A directory of one test, removed with its contents at the end.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/program-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a name in it.
  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// What is in it, sub-directories and all.
  var names: [String] {
    get throws { try FileManager.default.subpathsOfDirectory(atPath: path).sorted() }
  }

  @discardableResult
  func write(_ bytes: [UInt8], as name: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
    return self(name)
  }

  @discardableResult
  func write(_ text: String, as name: String) throws -> String {
    try write(Array(text.utf8), as: name)
  }

  /// A `.npy` file.
  @discardableResult
  func write<Element: ArrayElement>(_ elements: [Element], shape: [Int], as name: String) throws
    -> String
  {
    try writeArray(
      elements, shape: shape, firstRow: 0, to: self(name), overwrite: true, on: SingleRank())
    return self(name)
  }

  @discardableResult
  func write(_ matrix: Matrix, as name: String) throws -> String {
    try write(matrix.elements, shape: [matrix.rowCount, matrix.columnCount], as: name)
  }

  /// A `.npy` file of one that has another header: the elements stay as they are.
  @discardableResult
  func write(header: String, like path: String, as name: String) throws -> String {
    let original = try bytes(of: path)
    let length = Int(original[8]) + Int(original[9]) << 8
    let text = Array(header.utf8)
    let padded = text + Array(repeating: UInt8(ascii: " "), count: length - text.count - 1)
    return try write(
      original[..<10] + padded + [UInt8(ascii: "\n")] + original[(10 + length)...], as: name)
  }
}

func bytes(of path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

func labels(of path: String) throws -> [Int64] {
  let file = try LabelFile(path: path)
  return try file.labels(0..<file.count)
}

func integers(of path: String) throws -> [Int64] {
  let file = try ArrayFile(path: path)
  return try file.integers(rows: 0..<file.rowCount)
}

func floats(of path: String) throws -> [Float] {
  let file = try ArrayFile(path: path)
  return try file.floats(rows: 0..<file.rowCount).elements
}

/// The reference's small case: 300 points of 16 dimensions.
enum Fixture {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/tiny").path

  static let features = "\(folder)/features.npy"
  static let truth = "\(folder)/labels.npy"
  /// k = 5, τ = 0.5, four levels and more.
  static let model = "\(folder)/sage_cf_k5_tau05/model.safetensors"
  static let labels = "\(folder)/sage_cf_k5_tau05/pred_labels.npy"
  static let options = ["-k", "5", "--tau", "0.5", "--max-levels", "20", "--progress", "none"]

  /// Some of its rows.
  static func rows(_ range: Range<Int>) throws -> Matrix {
    try FeatureFile(path: features).rows(range)
  }
}
