internal import CKernels
internal import LinearAlgebra
internal import Parallelism

/// The kernel of inference over a matrix of local rows: Σ weight[e] · x[column(e)] for every row, each
/// element one chain of fused multiply-adds in the order of the row.
///
/// - Complexity: 2 · entries · columns flops.
func weightedSums(
  _ weights: [Float]?, of x: Matrix, over pattern: SparsePattern, using workers: Workers
) -> Matrix {
  precondition(x.rowCount == pattern.columnCount, "\(x.rowCount) of \(pattern.columnCount) rows")
  precondition(
    weights.map { $0.count == pattern.entryCount } ?? true,
    "\(weights?.count ?? 0) weights of \(pattern.entryCount) entries")
  var sums = Matrix(uninitializedRows: pattern.rowCount, columns: x.columnCount)
  let width = x.columnCount
  let offsets = pattern.rowOffsets.map { Int64($0) }
  let tiles = (0..<pattern.rowCount).tiles(of: 512)
  let rows = unsafe x.sharedRows()
  let target = unsafe sums.disjointRows()
  let rowCount = x.rowCount
  workers.forEach(tiles.count) { tile in
    let tile = tiles[tile]
    unsafe offsets.withUnsafeBufferPointer { offsets in
      unsafe pattern.columns.withUnsafeBufferPointer { columns in
        unsafe withOptionalPointer(to: weights) { weights in
          // Without entries there is no pointer, and nothing is read through it.
          let columns = unsafe columns.baseAddress ?? UnsafePointer(bitPattern: 4)!
          let local = unsafe highland_local_rows(
            owned: rows.base, owned_stride: width, owned_count: rowCount, ghosts: rows.base,
            ghost_stride: width)
          unsafe highland_weighted_sums(
            offsets.baseAddress! + tile.lowerBound, tile.count, columns, weights, local, width,
            target[tile.lowerBound], width)
        }
      }
    }
  }
  withExtendedLifetime(x) {}
  return sums
}

private func withOptionalPointer(to elements: [Float]?, _ body: (UnsafePointer<Float>?) -> Void) {
  guard let elements else { return body(nil) }
  unsafe elements.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
}
