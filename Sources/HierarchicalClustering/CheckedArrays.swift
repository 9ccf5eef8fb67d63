internal import Communication
internal import Datasets
internal import DistributedGraphs
internal import LinearAlgebra
internal import RandomNumbers

/// Arrays in files whose paths begin alike, each with a checksum that does not depend on who owns which rows.
///
/// Every file is a `.npy` array of the shape [count × width].
struct CheckedArrays {
  private let start: String
  /// Replicated. By name, in hexadecimal digits.
  private(set) var checksums: [String: String] = [:]

  /// - Parameter start: What comes before the name of an array in its path.
  init(at start: String, checksums: [String: String] = [:]) {
    self.start = start
    self.checksums = checksums
  }

  /// Writes an array of which every rank has some rows.
  ///
  /// > Collective: over `communicator`, as ``writeArray(_:shape:firstRow:to:overwrite:on:)``, and a round of
  /// > 8 bytes per rank.
  ///
  /// - Parameters:
  ///   - elements: Owned. Row after row.
  ///   - width: Replicated.
  ///   - firstRow: The place of the first of them.
  ///   - count: Replicated. The rows of all ranks.
  mutating func write<Element: CheckedElement>(
    _ elements: [Element], as name: String, width: Int = 1, firstRow: Int, of count: Int,
    on communicator: some Communicator
  ) throws {
    try write(
      count: elements.count, as: name, width: width, firstRow: firstRow, of: count,
      on: communicator
    ) { Array(elements[$0]) }
  }

  /// The same of elements that are made in blocks.
  ///
  /// - Parameters:
  ///   - ownCount: How many elements this rank has.
  ///   - block: Some of them, by their places.
  mutating func write<Element: CheckedElement>(
    count ownCount: Int, as name: String, width: Int = 1, firstRow: Int, of count: Int,
    on communicator: some Communicator, _ block: (Range<Int>) -> [Element]
  ) throws {
    let first = firstRow * width
    var sum: UInt64 = 0
    try writeArray(
      count: ownCount, shape: [count, width], firstRow: firstRow, to: path(name),
      overwrite: true, on: communicator
    ) { range in
      let elements = block(range)
      sum &+= Element.checksum(elements, from: first + range.lowerBound)
      return elements
    }
    checksums[name] = try checksum(sum, on: communicator)
  }

  /// Rows of an array, checked with those of the other ranks.
  ///
  /// > Collective: over `communicator`. Rounds of 1 and 8 bytes per rank.
  ///
  /// - Parameter rows: The ranks' rows make up `0 ..< count`.
  /// - Throws: ``AgreedFailure`` on every rank, if the array is not the one that was written.
  func read<Element: CheckedElement>(
    _ name: String, width: Int = 1, rows: Range<Int>, of count: Int,
    on communicator: some Communicator
  ) throws -> [Element] {
    try read(name, width: width, rows: rows, of: count, on: communicator) { $0 }
  }

  /// The same, with what becomes of each element.
  func read<Element: CheckedElement, Value>(
    _ name: String, width: Int = 1, rows: Range<Int>, of count: Int,
    on communicator: some Communicator, _ value: (Element) -> Value
  ) throws -> [Value] {
    var sum: UInt64 = 0
    let values = try communicator.agree { () -> [Value] in
      let file = try ArrayFile(path: path(name))
      guard file.shape == [count, width] else {
        throw DataError(
          path: file.path, problem: "damaged: shape \(file.shape); expected \([count, width])")
      }
      var values: [Value] = []
      values.reserveCapacity(rows.count * width)
      let blockLength = max(1, (1 << 17) / max(width, 1))
      for first in stride(from: rows.lowerBound, to: rows.upperBound, by: blockLength) {
        let block = try Element.elements(file, first..<min(first + blockLength, rows.upperBound))
        sum &+= Element.checksum(block, from: first * width)
        for element in block { values.append(value(element)) }
      }
      return values
    }
    guard try checksum(sum, on: communicator) == checksums[name] else {
      throw AgreedFailure(reason: "\(path(name)): damaged: it does not have its checksum")
    }
    return values
  }

  private func path(_ name: String) -> String { "\(start)\(name).npy" }

  /// - Parameter sum: Of the hashes of this rank's elements.
  private func checksum(_ sum: UInt64, on communicator: some Communicator) throws -> String {
    String(try communicator.allReduce(sum, &+), radix: 16)
  }
}

/// What ``CheckedArrays`` hold.
protocol CheckedElement: ArrayElement {
  /// The sum of a hash of every element and its place, which begin here.
  static func checksum(_ elements: [Self], from place: Int) -> UInt64
  static func elements(_ file: ArrayFile, _ rows: Range<Int>) throws -> [Self]
}

extension Int64: CheckedElement {
  static func checksum(_ elements: [Int64], from place: Int) -> UInt64 {
    sumOfHashes(elements, from: place) { UInt64(bitPattern: $0) }
  }

  static func elements(_ file: ArrayFile, _ rows: Range<Int>) throws -> [Int64] {
    try file.integers(rows: rows)
  }
}

extension Float: CheckedElement {
  static func checksum(_ elements: [Float], from place: Int) -> UInt64 {
    sumOfHashes(elements, from: place) { UInt64($0.bitPattern) }
  }

  static func elements(_ file: ArrayFile, _ rows: Range<Int>) throws -> [Float] {
    try file.roundedFloats(rows: rows).elements
  }
}

/// - Parameter bits: Of an element. Inlined, as this takes a tenth of the time for a known type.
@inline(__always)
private func sumOfHashes<Element>(
  _ elements: [Element], from place: Int, _ bits: (Element) -> UInt64
) -> UInt64 {
  var sum: UInt64 = 0
  for index in elements.indices {
    sum &+= mixed(mixed(UInt64(place + index)) &+ bits(elements[index]))
  }
  return sum
}
