/// The one-to-one map of rows to columns whose weights have the largest sum.
///
/// The Hungarian method by shortest augmenting paths: rows are assigned one after the other; from the new row a
/// path of least reduced cost, of columns and the rows that hold them, leads to a free column, and all on it move
/// on by one. Prices keep every reduced cost at 0 or above, and at 0 where a row holds a column.
/// [Kuhn 1955; Jonker and Volgenant 1987]
///
/// - Parameter weights: Of equal counts of columns. Shape `[rows][columns]`.
/// - Returns: The column of every row; nil for as many rows as there are too many. Shape `[rows]`.
/// - Complexity: O(min² · max) of the numbers of rows and columns.
public func bestAssignment(_ weights: [[Double]]) -> [Int?] {
  let rowCount = weights.count
  let columnCount = weights.first?.count ?? 0
  precondition(weights.allSatisfy { $0.count == columnCount }, "rows of different lengths")
  if rowCount > columnCount {
    var columns = [Int?](repeating: nil, count: rowCount)
    let transposed = (0..<columnCount).map { column in weights.map { $0[column] } }
    for (column, row) in bestAssignment(transposed).enumerated() { columns[row!] = column }
    return columns
  }
  // The last column is where the path of a new row begins.
  let start = columnCount
  var rowOfColumn = [Int?](repeating: nil, count: columnCount + 1)
  var rowPrice = [Double](repeating: 0, count: rowCount)
  var columnPrice = [Double](repeating: 0, count: columnCount + 1)
  for newRow in 0..<rowCount {
    rowOfColumn[start] = newRow
    var distance = [Double](repeating: .infinity, count: columnCount)
    var previous = [Int](repeating: start, count: columnCount)
    var isReached = [Bool](repeating: false, count: columnCount + 1)
    var column = start
    while let row = rowOfColumn[column] {
      isReached[column] = true
      var nearest = start
      for other in 0..<columnCount where !isReached[other] {
        let cost = -weights[row][other] - rowPrice[row] - columnPrice[other]
        if cost < distance[other] { (distance[other], previous[other]) = (cost, column) }
        if nearest == start || distance[other] < distance[nearest] { nearest = other }
      }
      let step = distance[nearest]
      for other in 0...columnCount {
        if isReached[other] {
          rowPrice[rowOfColumn[other]!] += step
          columnPrice[other] -= step
        } else if other < columnCount {
          distance[other] -= step
        }
      }
      column = nearest
    }
    while column != start {
      rowOfColumn[column] = rowOfColumn[previous[column]]
      column = previous[column]
    }
  }
  var columns = [Int?](repeating: nil, count: rowCount)
  for column in 0..<columnCount {
    if let row = rowOfColumn[column] { columns[row] = column }
  }
  return columns
}
