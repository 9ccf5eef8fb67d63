internal import CKernels
internal import LinearAlgebra
internal import Parallelism

/// A layer whose neighbour sums are done; the rest is local, row by row.
///
///     hᵢ = ReLU( b + Σₛ Wₛ xₛᵢ + Σₐ yₐᵢ )
///
/// All products of a row are one chain of multiply-adds, in the order of ``products``.
struct LayerSum {
  /// The matrices that products and addends are about. Shape `[ownedCount × any]` each.
  var sources: [Matrix]
  /// Which source is multiplied by what.
  var products: [(source: Int, weight: PackedMatrix)]
  /// Sources that are added as they are. Shape `[ownedCount × out]` each.
  var addends: [Int] = []
  /// Shape `[out]`.
  let bias: [Float]

  /// Rows that one thread takes at a time: with their hidden rows they stay in cache.
  private static let tileLength = 192

  /// The hidden rows. Shape `[ownedCount × out]`.
  ///
  /// - Complexity: 2 · ownedCount · inputs · out flops.
  consuming func hiddenRows(rectified: Bool = true, using workers: Workers) -> Matrix {
    evaluate(rectified: rectified, applying: [], using: workers)[0]
  }

  /// Linear maps of the hidden rows, which are themselves never all in memory.
  ///
  /// - Returns: A matrix per map. Shape `[ownedCount × outputs]` each.
  /// - Complexity: 2 · ownedCount · (inputs · out + out · outputs) flops.
  consuming func hiddenRows(applying maps: [LinearMap], using workers: Workers) -> [Matrix] {
    evaluate(rectified: true, applying: maps, using: workers)
  }

  /// A matrix per map, or the hidden rows if there is none.
  ///
  /// The sources are consumed: the memory of their rows is freed as the results fill up, unless there is
  /// another reference to them.
  private consuming func evaluate(
    rectified: Bool, applying maps: [LinearMap], using workers: Workers
  ) -> [Matrix] {
    let rowCount = sources[0].rowCount
    let width = bias.count
    var results =
      maps.isEmpty
      ? [Matrix(rows: rowCount, columns: width)]
      : maps.map { Matrix(rows: rowCount, columns: $0.outputWidth) }
    let targets = unsafe results.indices.map { unsafe results[$0].disjointRows() }
    for group in (0..<rowCount).tiles(of: Self.tileLength * 32 * workers.count) {
      let inputs = unsafe sources.map { unsafe $0.sharedRows() }
      let tiles = group.tiles(of: Self.tileLength)
      let (products, addends, bias) = (products, addends, bias)
      workers.forEach(tiles.count) {
        Matrix(rows: Self.tileLength, columns: width)
      } _: { tile, hidden in
        let rows = tiles[tile]
        let h = unsafe maps.isEmpty ? targets[0][rows.lowerBound] : hidden.disjointRows().base
        unsafe bias.withUnsafeBufferPointer { bias in
          for (place, product) in products.enumerated() {
            let input = unsafe inputs[product.source]
            unsafe multiplyPacked(
              input[rows.lowerBound], stride: input.columnCount, rowCount: rows.count,
              product.weight, into: h, stride: width,
              start: place == 0 ? bias.baseAddress : nil, accumulates: place > 0)
          }
          if products.isEmpty {
            for row in 0..<rows.count {
              unsafe (h + row * width).update(from: bias.baseAddress!, count: width)
            }
          }
        }
        for addend in addends {
          let input = unsafe inputs[addend]
          unsafe highland_add(
            input[rows.lowerBound], input.columnCount, h, width, rows.count, width)
        }
        if rectified { unsafe highland_rectify(h, width, rows.count, width) }
        for (place, map) in maps.enumerated() {
          let target = unsafe targets[place]
          unsafe map.bias.withUnsafeBufferPointer { bias in
            unsafe multiplyPacked(
              h, stride: width, rowCount: rows.count, map.packed, into: target[rows.lowerBound],
              stride: target.columnCount, start: bias.baseAddress)
          }
        }
      }
      for source in sources.indices { sources[source].discard(rows: group) }
    }
    return results
  }
}
