/// Where the entries of a sparse matrix are: compressed sparse rows.
///
/// The columns of row i are `columns[rowOffsets[i] ..< rowOffsets[i + 1]]`, in the order in which sums
/// over the row run. An entry is known by its place in ``columns``.
public struct SparsePattern: Equatable, Sendable {
  /// Shape `[rowCount + 1]`, ascending from 0.
  public let rowOffsets: [Int]
  /// Shape `[entryCount]`.
  public let columns: [Int32]
  public let columnCount: Int

  /// - Precondition: The offsets ascend from 0 to the number of columns; the columns exist.
  public init(rowOffsets: [Int], columns: [Int32], columnCount: Int) {
    precondition(
      rowOffsets.first == 0 && rowOffsets.last == columns.count
        && zip(rowOffsets, rowOffsets.dropFirst()).allSatisfy { $0 <= $1 },
      "\(rowOffsets.count) offsets for \(columns.count) entries")
    precondition(
      columns.allSatisfy { $0 >= 0 && Int($0) < columnCount }, "a column past \(columnCount)")
    self.rowOffsets = rowOffsets
    self.columns = columns
    self.columnCount = columnCount
  }

  /// One entry per row: row i of a product with it is row `columns[i]` of the other matrix.
  public init(selecting columns: [Int32], of columnCount: Int) {
    self.init(
      rowOffsets: Array(0...columns.count), columns: columns, columnCount: columnCount)
  }

  /// The entries in their order as columns: row i of a product with it is the sum of its entries.
  public init(segments rowOffsets: [Int]) {
    let count = rowOffsets.last ?? 0
    self.init(
      rowOffsets: rowOffsets, columns: (0..<count).map { Int32($0) }, columnCount: count)
  }

  public var rowCount: Int { rowOffsets.count - 1 }
  public var entryCount: Int { columns.count }

  /// The entries of a row.
  public func entries(ofRow row: Int) -> Range<Int> { rowOffsets[row]..<rowOffsets[row + 1] }

  /// The row of every entry. Shape `[entryCount]`.
  public var rows: [Int32] {
    var rows: [Int32] = []
    rows.reserveCapacity(entryCount)
    for row in 0..<rowCount {
      rows.append(contentsOf: repeatElement(Int32(row), count: entries(ofRow: row).count))
    }
    return rows
  }

  /// The transpose, and the place here of each of its entries. Rows ascend within a column.
  ///
  /// - Complexity: O(rows + columns + entries).
  public func transposed() -> (pattern: SparsePattern, entries: [Int32]) {
    var counts = Array(repeating: 0, count: columnCount + 1)
    for column in columns { counts[Int(column) + 1] += 1 }
    for column in 0..<columnCount { counts[column + 1] += counts[column] }
    var next = counts
    var rows = Array(repeating: Int32(0), count: entryCount)
    var entries = rows
    for row in 0..<rowCount {
      for entry in self.entries(ofRow: row) {
        let place = next[Int(columns[entry])]
        next[Int(columns[entry])] += 1
        rows[place] = Int32(row)
        entries[place] = Int32(entry)
      }
    }
    return (
      SparsePattern(rowOffsets: counts, columns: rows, columnCount: rowCount), entries
    )
  }
}
