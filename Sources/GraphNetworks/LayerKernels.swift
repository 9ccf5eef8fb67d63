internal import CKernels
package import DistributedGraphs
package import LinearAlgebra
package import Parallelism

// The kernels of this module behind functions that check sizes first. Their plain twins are in
// ReferenceKernels.swift.

/// The weighted sum over every owned node's in-edges.
///
///     mᵢ = Σⱼ wᵢⱼ xⱼ,  in the order of the row
///
/// - Parameters:
///   - weights: One per edge.
///   - rows: Local rows of the columns wanted.
///   - result: The columns `firstColumn ..< firstColumn + rows.width` are written. Shape
///     `[ownedCount × any]`.
/// - Complexity: 2 · edges · width flops.
package func addNeighborSums(
  _ weights: [Float], of rows: LocalRows, over graph: NeighborGraph, into result: inout Matrix,
  at firstColumn: Int, using workers: Workers
) {
  precondition(weights.count == graph.edgeCount, "\(weights.count) of \(graph.edgeCount) edges")
  precondition(
    result.rowCount == graph.ownedCount && rows.owned.rowCount == graph.ownedCount
      && rows.ghosts.rowCount == graph.halo.ghostCount,
    "\(result.rowCount) sums for \(graph.ownedCount) nodes")
  precondition(
    firstColumn + rows.width <= result.columnCount
      && rows.firstColumn + rows.width <= rows.owned.columnCount,
    "columns \(rows.firstColumn) + \(rows.width) to \(firstColumn) of \(result.columnCount)")
  let width = rows.width
  let offsets = graph.rowOffsets.map(Int64.init)
  let tiles = (0..<graph.ownedCount).tiles(of: 512)
  let owned = unsafe rows.owned.sharedRows()
  let ghosts = unsafe rows.ghosts.sharedRows()
  let target = unsafe result.disjointRows()
  let ownedCount = graph.ownedCount
  let firstSource = rows.firstColumn
  workers.forEach(tiles.count) { tile in
    let nodes = tiles[tile]
    unsafe offsets.withUnsafeBufferPointer { offsets in
      unsafe graph.columns.withUnsafeBufferPointer { columns in
        unsafe weights.withUnsafeBufferPointer { weights in
          guard let sources = columns.baseAddress, let weight = weights.baseAddress else { return }
          let x = unsafe highland_local_rows(
            owned: owned.base + firstSource, owned_stride: owned.columnCount,
            owned_count: ownedCount, ghosts: ghosts.base, ghost_stride: ghosts.columnCount)
          unsafe UnsafeRawPointer(sources).withMemoryRebound(
            to: Int32.self, capacity: columns.count
          ) { sources in
            unsafe highland_weighted_sums(
              offsets.baseAddress! + nodes.lowerBound, nodes.count, sources, weight, x, width,
              target[nodes.lowerBound] + firstColumn, target.columnCount)
          }
        }
      }
    }
  }
}

/// Which edges a decoding pass takes: their ends as rows of two matrices.
package struct EdgeBatch {
  /// Places of the results. Shape `[count]`.
  package var edges: [Int] = []
  /// Rows of the sources. Shape `[count]`.
  package var sources: [Int32] = []
  /// Rows of the destinations. Shape `[count]`.
  package var destinations: [Int32] = []

  package init() {}

  package var count: Int { edges.count }
}

extension LinkageDecoder {
  /// Writes z₁ − z₀ of every edge of a batch to its place in `logits`.
  ///
  /// In tiles of edges, so that no array of edges × channels exists.
  ///
  /// - Parameters:
  ///   - source: S hⱼ + s of the sources, in rows as the batch names them.
  ///   - destination: T hᵢ + t of the destinations.
  /// - Complexity: 2 · edges · width · (width + 1) flops.
  package func decode(
    _ batch: EdgeBatch, source: Matrix, destination: Matrix, into logits: inout [Float],
    using workers: Workers
  ) {
    let width = width
    precondition(
      source.columnCount == width && destination.columnCount == width,
      "\(source.columnCount) and \(destination.columnCount) channels of \(width)")
    precondition(
      batch.sources.allSatisfy { $0 >= 0 && Int($0) < source.rowCount }
        && batch.destinations.allSatisfy { $0 >= 0 && Int($0) < destination.rowCount },
      "an edge without ends")
    let tileLength = max(32, min(512, 65_536 / width))
    let tiles = (0..<batch.count).tiles(of: tileLength)
    let u = unsafe source.sharedRows()
    let t = unsafe destination.sharedRows()
    let weight = logitDifference
    let bias = biasDifference
    var results = Matrix(rows: batch.count, columns: 1)
    let target = unsafe results.disjointRows()
    workers.forEach(tiles.count) {
      (
        input: Matrix(rows: tileLength, columns: width),
        middle: Matrix(rows: tileLength, columns: width)
      )
    } _: { tile, scratch in
      let edges = tiles[tile]
      let input = unsafe scratch.input.disjointRows()
      let hidden = unsafe scratch.middle.disjointRows()
      unsafe batch.sources.withUnsafeBufferPointer { sources in
        unsafe batch.destinations.withUnsafeBufferPointer { destinations in
          unsafe highland_edge_inputs(
            sources.baseAddress! + edges.lowerBound, destinations.baseAddress! + edges.lowerBound,
            edges.count, u.base, width, t.base, width, firstSlope, width, input.base)
        }
      }
      unsafe middle.bias.withUnsafeBufferPointer { bias in
        unsafe multiplyPacked(
          input.base, stride: width, rowCount: edges.count, middle.packed, into: hidden.base,
          stride: width, start: bias.baseAddress)
      }
      unsafe highland_edge_outputs(
        hidden.base, edges.count, secondSlope, weight, bias, width, target[edges.lowerBound])
    }
    let values = results.elements
    for (place, edge) in batch.edges.enumerated() { logits[edge] = values[place] }
  }
}
