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
  guard pattern.entryCount > 0 else {
    return Matrix(rows: pattern.rowCount, columns: x.columnCount)
  }
  var sums = Matrix(uninitializedRows: pattern.rowCount, columns: x.columnCount)
  let width = x.columnCount
  let tiles = (0..<pattern.rowCount).tiles(of: 512)
  let rows = unsafe x.sharedRows()
  let target = unsafe sums.disjointRows()
  let rowCount = x.rowCount
  workers.forEach(tiles.count) { tile in
    let tile = tiles[tile]
    unsafe pattern.rowOffsets.withUnsafeBytes { offsets in
      unsafe pattern.columns.withUnsafeBufferPointer { columns in
        unsafe withOptionalPointer(to: weights) { weights in
          let local = unsafe highland_local_rows(
            owned: rows.base, owned_stride: width, owned_count: rowCount, ghosts: rows.base,
            ghost_stride: width)
          unsafe highland_weighted_sums(
            // Int is 64 bits wide.
            offsets.baseAddress!.assumingMemoryBound(to: Int64.self) + tile.lowerBound, tile.count,
            columns.baseAddress!, weights,
            local,
            width, target[tile.lowerBound], width)
        }
      }
    }
  }
  withExtendedLifetime(x) {}
  return sums
}

/// The kernel of inference: PReLU( u[sources[e]] + t[destinations[e]] ) of every edge e.
///
/// - Complexity: O(edges · columns).
func edgeInputs(
  _ u: Matrix, _ sources: [Int32], _ t: Matrix, _ destinations: [Int32], slopes: Matrix,
  using workers: Workers
) -> Matrix {
  let width = u.columnCount
  precondition(
    sources.count == destinations.count && t.columnCount == width && slopes.count == width
      && sources.allSatisfy { $0 >= 0 && Int($0) < u.rowCount }
      && destinations.allSatisfy { $0 >= 0 && Int($0) < t.rowCount }, "an edge without ends")
  var result = Matrix(uninitializedRows: sources.count, columns: width)
  let slopes = slopes.elements
  let (from, to) = unsafe (u.sharedRows(), t.sharedRows())
  let target = unsafe result.disjointRows()
  let tiles = (0..<sources.count).tiles(of: 512)
  workers.forEach(tiles.count) { tile in
    let edges = tiles[tile]
    unsafe sources.withUnsafeBufferPointer { sources in
      unsafe destinations.withUnsafeBufferPointer { destinations in
        unsafe slopes.withUnsafeBufferPointer { slopes in
          guard let slopes = slopes.baseAddress else { return }
          unsafe highland_edge_inputs(
            sources.baseAddress! + edges.lowerBound, destinations.baseAddress! + edges.lowerBound,
            edges.count, from.base, width, to.base, width, slopes, width,
            target[edges.lowerBound])
        }
      }
    }
  }
  withExtendedLifetime((u, t)) {}
  return result
}
