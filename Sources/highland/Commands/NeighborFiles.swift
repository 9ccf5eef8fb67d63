import Datasets
import DistributedGraphs
import LinearAlgebra

/// A kNN graph in two arrays of the same shape: indices and similarities.
struct NeighborFiles {
  private let neighbors: ArrayFile
  private let similarities: ArrayFile

  /// - Throws: ``DataError`` if a file cannot be read or the shapes differ.
  init(neighbors: String, similarities: String) throws {
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
  /// - Throws: ``DataError`` naming the row of an index that is no point or of a similarity that is
  ///   no number; if there is not a row per point.
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
        problem: "row \(rows.lowerBound + place / listLength): index \(index); "
          + "expected 0 ..< \(nodeCount), or -1 for none")
    }
    for (place, value) in values.enumerated() where indices[place] >= 0 && !value.isFinite {
      throw DataError(
        path: similarities.path,
        problem: "row \(rows.lowerBound + place / listLength): similarity \(value)")
    }
    return NeighborLists(
      listLength: listLength, neighbors: indices.map { GlobalNode($0) }, similarities: values)
  }
}
