internal import Datasets
internal import LinearAlgebra
internal import PrincipalComponents

/// Which rows have which label, and how much each counts. Replicated.
///
/// Only classes of two rows or more are kept: one row says nothing of what is the same within a class.
public struct LabelledRows: Sendable {
  /// The rows that are kept, by label, those of one in their order.
  let rows: [Int]
  /// Of ``rows``, each in 0 … 1.
  let weights: [Double]
  /// The places of each class in ``rows``.
  let classes: [Range<Int>]
  /// Of the file.
  let totalCount: Int

  /// - Parameters:
  ///   - labels: One for each row of the file.
  ///   - weights: How much each row counts, 0 … 1; rows that count 0 are left out. Empty for 1 each.
  public init(labels: [Int64], weights: [Float] = []) {
    precondition(weights.isEmpty || weights.count == labels.count, "\(weights.count) weights")
    totalCount = labels.count
    let counted = labels.indices.filter { weights.isEmpty || weights[$0] > 0 }
      .sorted { (labels[$0], $0) < (labels[$1], $1) }
    var (rows, classes): ([Int], [Range<Int>]) = ([], [])
    rows.reserveCapacity(counted.count)
    var first = 0
    while first < counted.count {
      let next =
        counted[first...].firstIndex { labels[$0] != labels[counted[first]] } ?? counted.count
      if next - first > 1 {
        classes.append(rows.count..<rows.count + next - first)
        rows += counted[first..<next]
      }
      first = next
    }
    self.rows = rows
    self.classes = classes
    self.weights = rows.map { weights.isEmpty ? 1 : Double(weights[$0]) }
  }

  /// Classes that are read at once: consecutive ones of 1024 rows together at most, or one of more.
  var parts: [Range<Int>] {
    var parts: [Range<Int>] = []
    var first = 0
    for place in classes.indices {
      let rowCount = classes[place].upperBound - classes[first].lowerBound
      if place > first, rowCount > 1024 {
        parts.append(first..<place)
        first = place
      }
    }
    if first < classes.count { parts.append(first..<classes.count) }
    return parts
  }

  /// Reads the rows of some places, as directions.
  ///
  /// - Parameter read: Reads consecutive rows of the file, each up to a positive factor.
  func directions(_ places: some Sequence<Int>, _ read: (Range<Int>) throws -> Matrix) throws
    -> Matrix
  {
    let runs = try places.map { rows[$0] }.runs.map(read)
    var matrix = Matrix(
      rows: runs.reduce(0) { $0 + $1.rowCount }, columns: runs.first?.columnCount ?? 0,
      elements: runs.flatMap(\.elements))
    matrix.makeDirections()
    return matrix
  }
}
