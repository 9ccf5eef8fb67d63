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
    let values = try similarities.roundedFloats(rows: rows).elements
    // Row by row, so that the first one at fault is named on any number of ranks; lists that ascend as a whole
    // come last.
    for row in 0..<rows.count {
      let name = rows.lowerBound + row
      try checkIndices(row, named: name, indices, below: nodeCount)
      if areCosines { try checkPlaces(row, named: name, indices, values) }
      try checkValues(row, named: name, indices, values)
    }
    try checkSample()
    for row in 0..<rows.count {
      let list = list(row, indices, values)
      if zip(list, list.dropFirst()).allSatisfy({ $0 <= $1 }), Set(list).count >= 12 {
        throw ascending(rows.lowerBound + row, list)
      }
    }
    return NeighborLists(
      listLength: listLength, neighbors: indices.map { GlobalNode($0) }, similarities: values)
  }

  /// Refuses lists that are none of nearest neighbours: with a neighbour twice, with one behind an empty
  /// place, or with the point itself at 0, as distances have it. The point itself may be in its list.
  private func checkPlaces(
    _ row: Int, named name: Int, _ indices: [Int64], _ values: [Float]
  ) throws {
    func error(_ path: String, _ place: Int, _ problem: String) -> DataError {
      DataError(path: path, problem: "row \(name), place \(place): \(problem)")
    }
    let list = indices[row * listLength..<(row + 1) * listLength]
    var placeOf: [Int64: Int] = [:]
    for (place, index) in list.enumerated() where index >= 0 {
      if place > 0, list[list.startIndex + place - 1] < 0 {
        throw error(
          neighbors.path, place,
          "index \(index) behind -1; expected -1 for none only at the end of a row")
      }
      if let first = placeOf.updateValue(place, forKey: index) {
        throw error(
          neighbors.path, place,
          "index \(index), as in place \(first); expected every neighbour once")
      }
      let value = values[row * listLength + place]
      if index == name, abs(value) < Self.tolerance {
        throw error(
          similarities.path, place,
          "\(value) of the point and itself, as of distances; expected a cosine similarity, 1")
      }
    }
  }

  /// - Throws: ``DataError`` for an index of row `row` that is no point.
  private func checkIndices(
    _ row: Int, named name: Int, _ indices: [Int64], below nodeCount: Int
  ) throws {
    for place in 0..<listLength {
      let index = indices[row * listLength + place]
      guard !(-1..<Int64(nodeCount)).contains(index) else { continue }
      throw DataError(
        path: neighbors.path,
        problem: "row \(name), place \(place): index \(index); expected 0 ..< \(nodeCount), or -1 "
          + "for none")
    }
  }

  /// How far beyond 1 a cosine may be by rounding: the step of `bfloat16` there.
  private static let tolerance: Float = 0x1p-7

  /// Rows that are looked at together, on every rank the same, as a short one alone may ascend by
  /// accident.
  private static let sampleCount = 1000

  /// Refuses lists that ascend: distances, nearest first.
  ///
  /// Lists may be in any order otherwise: refused is only what is none by accident. That is a row of
  /// twelve different values or more which never descends, or a sample whose rows ascend more than
  /// they descend (Kendall's τ of places and values has a mean of one half or more, and more than six
  /// deviations of what random orders have).
  private func checkSample() throws {
    guard listLength > 1 else { return }
    let sample = 0..<min(rowCount, Self.sampleCount)
    let (indices, values) = (
      try neighbors.integers(rows: sample), try similarities.roundedFloats(rows: sample).elements
    )
    for row in sample { try checkValues(row, named: row, indices, values) }
    let lists = sample.map { list($0, indices, values) }
    let orders = lists.map { kendall(Array($0.prefix(100))) }
    let counted = orders.compactMap { $0 }
    // Short lists, all of which ascend: whether that is less likely than one in a million.
    let logarithm = zip(lists, orders).reduce(0.0) { $1.1 == nil ? $0 : $0 + logFactorial($1.0) }
    if !counted.isEmpty, counted.allSatisfy({ $0.value == 1 }), logarithm > 14,
      let row = orders.firstIndex(where: { $0 != nil })
    {
      throw ascending(row, lists[row])
    }
    let sum = counted.reduce(0) { $0 + $1.value }
    let variance = counted.reduce(0) { $0 + $1.variance }
    if 2 * sum >= Double(counted.count), sum > 6 * variance.squareRoot(),
      let row = orders.firstIndex(where: { ($0?.value ?? 0) >= 0.5 })
    {
      throw ascending(row, lists[row])
    }
  }

  /// - Throws: ``DataError`` for a similarity of row `row` that is none.
  private func checkValues(
    _ row: Int, named name: Int, _ indices: [Int64], _ values: [Float]
  ) throws {
    for place in 0..<listLength where indices[row * listLength + place] >= 0 {
      let value = values[row * listLength + place]
      guard !value.isFinite || areCosines && abs(value) > 1 + Self.tolerance else { continue }
      throw DataError(
        path: similarities.path,
        problem: "row \(name), place \(place): \(value); expected "
          + (areCosines ? "a cosine similarity, -1 ... 1" : "a finite similarity"))
    }
  }

  /// The similarities of a row's neighbours.
  private func list(_ row: Int, _ indices: [Int64], _ values: [Float]) -> [Float] {
    (row * listLength..<(row + 1) * listLength).filter { indices[$0] >= 0 }.map { values[$0] }
  }

  /// Of all pairs of different values the share in ascending order less that in descending order; and
  /// its variance among random orders. Nil without such a pair.
  private func kendall(_ list: [Float]) -> (value: Double, variance: Double)? {
    var (ascending, descending) = (0.0, 0.0)
    for (place, value) in list.enumerated() {
      for other in list[(place + 1)...] {
        if other > value { ascending += 1 } else if other < value { descending += 1 }
      }
    }
    guard ascending + descending > 0 else { return nil }
    let m = Double(Set(list).count)
    return (
      (ascending - descending) / (ascending + descending),
      2 * (2 * m + 5) / (9 * m * (m - 1))
    )
  }

  /// ln m! for m different values.
  private func logFactorial(_ list: [Float]) -> Double {
    let count = Set(list.prefix(100)).count
    return count < 2 ? 0 : (2...count).reduce(0.0) { $0 + log(Double($1)) }
  }

  private func ascending(_ row: Int, _ list: [Float]) -> DataError {
    DataError(
      path: similarities.path,
      problem:
        "row \(row) ascends, from \(list.first!) to \(list.last!), as distances do; expected "
        + (areCosines ? "cosine similarities" : "similarities") + ", the greatest first")
  }
}
