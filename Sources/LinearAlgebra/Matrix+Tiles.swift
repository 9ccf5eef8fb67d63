public import Parallelism

extension DenseMatrix {
  /// Hands consecutive tiles of rows to workers, to be filled at the same time.
  ///
  /// - Parameters:
  ///   - length: Rows in a tile; the last tile may be shorter.
  ///   - body: Receives which rows the tile holds, and their elements, row after row.
  public mutating func forEachTile(
    ofRows length: Int, using workers: Workers,
    _ body: @Sendable (_ rows: Range<Int>, _ elements: inout MutableSpan<Scalar>) -> Void
  ) {
    forEachTile(ofRows: length, using: workers, scratch: {}) { rows, elements, _ in
      body(rows, &elements)
    }
  }

  /// As ``forEachTile(ofRows:using:_:)``, with one value of `scratch` per thread that its tiles may
  /// reuse.
  public mutating func forEachTile<Scratch>(
    ofRows length: Int, using workers: Workers, scratch: @Sendable () -> Scratch,
    _ body:
      @Sendable (
        _ rows: Range<Int>, _ elements: inout MutableSpan<Scalar>, _ scratch: inout Scratch
      ) -> Void
  ) {
    precondition(length > 0, "tiles of \(length) rows")
    let tiles = (0..<rowCount).tiles(of: length)
    let columnCount = columnCount
    unsafe withUnsafeMutableBufferPointer { elements in
      let shared = unsafe SharedElements(all: elements)
      workers.forEach(tiles.count, scratch: scratch) { tile, scratch in
        let rows = tiles[tile]
        var elements = unsafe MutableSpan(
          _unsafeElements: shared.all.extracting(
            rows.lowerBound * columnCount..<rows.upperBound * columnCount))
        body(rows, &elements, &scratch)
      }
    }
  }
}

// @unchecked: each task touches the rows of its own tile only.
@unsafe private struct SharedElements<Scalar>: @unchecked Sendable {
  let all: UnsafeMutableBufferPointer<Scalar>
}
