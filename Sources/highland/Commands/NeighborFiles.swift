import Datasets
import DistributedGraphs
import Glibc
import LinearAlgebra

/// A kNN graph in two arrays of the same shape: indices and similarities.
struct NeighborFiles {
  private let neighbors: ArrayFile
  private let similarities: ArrayFile

  private let areCosines: Bool

  /// - Parameter areCosines: Whether similarities must be cosines; else they may be any numbers that
  ///   are greater for what is nearer, as inner products.
  /// - Throws: ``DataError`` if a file cannot be read or the shapes differ.
  init(neighbors: String, similarities: String, areCosines: Bool = true) throws {
    self.areCosines = areCosines
    self.neighbors = try ArrayFile(path: neighbors)
    self.similarities = try ArrayFile(path: similarities)
    guard self.neighbors.shape == self.similarities.shape else {
      throw DataError(
        path: similarities,
        problem: "shape \(self.similarities.shape); expected \(self.neighbors.shape) as "
          + "in \(neighbors)")
    }
  }

  var rowCount: Int { neighbors.rowCount }
  var listLength: Int { neighbors.columnCount }

  /// Some rows as lists.
  ///
  /// - Throws: ``DataError`` naming the row and place of an index that is no point or of a similarity
  ///   that is none; if lists ascend, as distances do; if there is not a row per point.
  func lists(_ rows: Range<Int>, nodeCount: Int) throws -> NeighborLists {
    guard rowCount == nodeCount else {
      throw DataError(
        path: neighbors.path, problem: "\(rowCount) rows; expected \(nodeCount), one per point")
    }
    guard listLength > 0 || rowCount == 0 else {
      throw DataError(path: neighbors.path, problem: "rows of 0 columns; expected at least 1")
    }
    let indices = try neighbors.integers(rows: rows)
    let values = try similarities.floats(rows: rows).elements
    for (place, index) in indices.enumerated() where !(-1..<Int64(nodeCount)).contains(index) {
      throw DataError(
        path: neighbors.path,
        problem: "row \(rows.lowerBound + place / listLength), place \(place % listLength): "
          + "index \(index); expected 0 ..< \(nodeCount), or -1 for none")
    }
    for (place, value) in values.enumerated() where indices[place] >= 0 {
      guard !value.isFinite || areCosines && abs(value) > 1 + Self.tolerance else { continue }
      throw DataError(
        path: similarities.path,
        problem: "row \(rows.lowerBound + place / listLength), place \(place % listLength): "
          + "\(value); expected "
          + (areCosines ? "a cosine similarity, -1 ... 1" : "a finite similarity"))
    }
    try checkOrder(from: rows.lowerBound, indices, values)
    return NeighborLists(
      listLength: listLength, neighbors: indices.map { GlobalNode($0) }, similarities: values)
  }

  /// How far beyond 1 a cosine may be by rounding: the step of `bfloat16` there.
  private static let tolerance: Float = 0x1p-7

  /// Rows that are looked at together, on every rank the same, as a short one alone may ascend by
  /// accident.
  private static let sampleCount = 1000

  /// Refuses lists that ascend from their first to their last place: distances, nearest first.
  ///
  /// Lists may be in any order otherwise. A list of m different values ascends by accident once in m!
  /// times: what one row (of twelve values or more) or all of the sample together would do once in
  /// 2²⁸ or 2²⁰ times is none.
  private func checkOrder(from firstRow: Int, _ indices: [Int64], _ values: [Float]) throws {
    guard listLength > 1 else { return }
    for row in 0..<values.count / listLength {
      if let bits = ascent(row, indices, values), bits >= 28 {
        throw ascending(firstRow + row, row, indices, values)
      }
    }
    let sample = 0..<min(rowCount, Self.sampleCount)
    let (indices, values) = (
      try neighbors.integers(rows: sample), try similarities.floats(rows: sample).elements
    )
    let ascents = sample.map { ascent($0, indices, values) }
    if ascents.allSatisfy({ $0 != nil }), ascents.reduce(0, { $0 + $1! }) >= 20,
      let row = ascents.firstIndex(where: { $0! > 0 })
    {
      throw ascending(row, row, indices, values)
    }
  }

  /// log₂ m! of a row with m different values if it ascends; nil if it descends somewhere.
  private func ascent(_ row: Int, _ indices: [Int64], _ values: [Float]) -> Double? {
    var last = Float.infinity
    var (count, bits) = (0.0, 0.0)
    for place in row * listLength..<(row + 1) * listLength where indices[place] >= 0 {
      if count > 0, values[place] < last { return nil }
      if count == 0 || values[place] > last {
        count += 1
        bits += log2(count)
      }
      last = values[place]
    }
    return bits
  }

  private func ascending(
    _ row: Int, _ place: Int, _ indices: [Int64], _ values: [Float]
  ) -> DataError {
    let list = (place * listLength..<(place + 1) * listLength).filter { indices[$0] >= 0 }
    return DataError(
      path: similarities.path,
      problem: "row \(row) ascends, from \(values[list.first!]) to \(values[list.last!]), as distances do; "
        + "expected " + (areCosines ? "cosine similarities" : "similarities")
        + ", the greatest first")
  }
}
