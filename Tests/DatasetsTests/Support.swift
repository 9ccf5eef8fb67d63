import Communication
import Datasets
import Foundation
import LinearAlgebra

/// A directory of one test, removed with its contents at the end.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/datasets-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file; returns its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
    return self(name)
  }

  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

func bytes(of path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

func bytes<T: BitwiseCopyable>(_ values: [T]) -> [UInt8] {
  unsafe values.withUnsafeBytes { unsafe Array($0) }
}

/// What the error says without the file's name; nil if there is none.
func problem(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch let error as DataError {
    return error.problem
  } catch {
    return "another error: \(error)"
  }
}

/// The bytes of a `.npy` file.
func npy(
  _ descriptor: String, shape: String, version: UInt8 = 1, order: String = "False", _ data: [UInt8]
) -> [UInt8] {
  npy(
    header: "{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': \(shape), }\n",
    version: version, data)
}

func npy(header: String, version: UInt8 = 1, _ data: [UInt8]) -> [UInt8] {
  let text = Array(header.utf8)
  let length =
    version == 1 ? bytes([UInt16(text.count)]) : bytes([UInt32(text.count)])
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + data
}

/// Numbers that `Float16` holds exactly.
func numbers(rows: Int, columns: Int) -> Matrix {
  Matrix(
    rows: rows, columns: columns,
    elements: (0..<rows * columns).map { Float($0 * 37 % 101) / 8 - 5 })
}

/// The rank's part of `count` rows, the larger parts first.
func share(of count: Int, _ communicator: some Communicator) -> Range<Int> {
  let (size, rank) = (communicator.size, communicator.rank.index)
  let lower = count / size * rank + min(count % size, rank)
  return lower..<lower + count / size + (rank < count % size ? 1 : 0)
}

extension Matrix {
  func slice(_ rows: Range<Int>) -> Matrix {
    Matrix(rows: rows.count, columns: columnCount, elements: elements(inRows: rows))
  }
}
