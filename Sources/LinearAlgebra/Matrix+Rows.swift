extension DenseMatrix {
  /// Copies of some rows. Shape `[rows.count × columnCount]`.
  ///
  /// - Precondition: The rows exist.
  package func copy(ofRows rows: [Int]) -> Self {
    precondition(rows.allSatisfy { (0..<rowCount).contains($0) }, "rows past the end")
    var copy = Self(uninitializedRows: rows.count, columns: columnCount)
    let width = columnCount
    unsafe withUnsafeBufferPointer { source in
      unsafe copy.withUnsafeMutableBufferPointer { target in
        for (place, row) in rows.enumerated() {
          unsafe (target.baseAddress! + place * width).update(
            from: source.baseAddress! + row * width, count: width)
        }
      }
    }
    return copy
  }
}
