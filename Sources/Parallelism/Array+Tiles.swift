extension Array where Element: BitwiseCopyable & Sendable {
  /// Hands disjoint runs of elements to workers, to be changed at the same time.
  ///
  /// - Parameters:
  ///   - tiles: Ascending, none reaching into the next.
  ///   - body: Receives which tile it is, and its elements.
  public mutating func forEachTile(
    _ tiles: [Range<Int>], using workers: Workers,
    _ body: @Sendable (_ tile: Int, _ elements: inout MutableSpan<Element>) -> Void
  ) {
    forEachTile(tiles, using: workers, scratch: {}, { tile, elements, _ in body(tile, &elements) })
  }

  /// As ``forEachTile(_:using:_:)``, with one value of `scratch` per thread that its tiles may reuse.
  public mutating func forEachTile<Scratch>(
    _ tiles: [Range<Int>], using workers: Workers, scratch: @Sendable () -> Scratch,
    _ body:
      @Sendable (
        _ tile: Int, _ elements: inout MutableSpan<Element>, _ scratch: inout Scratch
      ) -> Void
  ) {
    var end = 0
    for tile in tiles {
      precondition(tile.lowerBound >= end && tile.upperBound <= count, "tile \(tile) of \(count)")
      end = tile.upperBound
    }
    unsafe withUnsafeMutableBufferPointer { elements in
      let shared = unsafe SharedArray(all: elements)
      workers.forEach(tiles.count, scratch: scratch) { tile, scratch in
        var elements = unsafe MutableSpan(
          _unsafeElements: shared.all.extracting(tiles[tile]))
        body(tile, &elements, &scratch)
      }
    }
  }

  /// An array of `count` elements that workers fill, a tile of `length` each at a time.
  public init(
    count: Int, tilesOf length: Int, using workers: Workers, filledWith filler: Element,
    _ body: @Sendable (_ places: Range<Int>, _ elements: inout MutableSpan<Element>) -> Void
  ) {
    self.init(repeating: filler, count: count)
    let tiles = (0..<count).tiles(of: length)
    forEachTile(tiles, using: workers) { tile, elements in body(tiles[tile], &elements) }
  }
}

// @unchecked: each task touches the elements of its own tile only.
@unsafe private struct SharedArray<Element>: @unchecked Sendable {
  let all: UnsafeMutableBufferPointer<Element>
}

extension MutableSpan where Element: BitwiseCopyable {
  /// Sorts some of the elements, as ``Array/sort(by:)`` would.
  @inlinable
  public mutating func sort(_ range: Range<Int>, by isBefore: (Element, Element) -> Bool) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count)")
    unsafe withUnsafeMutableBufferPointer { elements in
      var part = elements.extracting(range)
      unsafe part.sort(by: isBefore)
    }
  }
}
