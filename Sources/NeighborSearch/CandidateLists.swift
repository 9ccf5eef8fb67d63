internal import CKernels
internal import DistributedGraphs
internal import LinearAlgebra
internal import Parallelism

/// The best neighbours found so far for consecutive nodes.
///
/// Neighbours are ordered by (similarity descending, name ascending). The order is total, so a list
/// does not depend on the order in which candidates are offered.
struct CandidateLists: Sendable {
  let capacity: Int
  /// Shape `[count × capacity]`; −∞ for an empty place. Short lists are in order, long ones are heaps,
  /// as the kernels keep them.
  private(set) var similarity: [Float]
  /// Shape `[count × capacity]`; −1 for an empty place.
  private(set) var index: [Int64]
  /// The similarity that a candidate must reach to be considered. Shape `[count]`.
  private(set) var bound: [Float]

  var count: Int { bound.count }

  init(count: Int, capacity: Int) {
    self.init(capacity: capacity, bounds: Array(repeating: -.infinity, count: count))
  }

  /// Empty lists, as many as bounds, that consider only candidates which reach these.
  init(capacity: Int, bounds: [Float]) {
    self.init(
      capacity: capacity,
      similarity: Array(repeating: -.infinity, count: bounds.count * capacity),
      index: Array(repeating: -1, count: bounds.count * capacity), bound: bounds)
  }

  init(capacity: Int, similarity: [Float], index: [Int64], bound: [Float]) {
    self.capacity = capacity
    self.similarity = similarity
    self.index = index
    self.bound = bound
  }

  /// Empty lists that consider only candidates that would enter these lists.
  var emptied: CandidateLists { CandidateLists(capacity: capacity, bounds: bound) }

  /// Offers all entries of other lists for the same nodes. No candidate may be in both.
  mutating func merge(_ other: CandidateLists) {
    precondition(
      other.count == count && other.capacity == capacity,
      "\(other.count) × \(other.capacity) into \(count) × \(capacity)")
    let capacity = capacity
    unsafe withAccess { lists in
      for place in other.index.indices where other.index[place] >= 0 {
        unsafe highland_offer(
          other.similarity[place], other.index[place], place / capacity, lists.handle(from: 0))
      }
    }
  }

  /// The lists as neighbour lists of a length that is not below the capacity; empty places are
  /// (−1, 0).
  func neighborLists(listLength: Int, using workers: Workers) -> NeighborLists {
    precondition(listLength >= capacity, "lists of \(capacity) places cut to \(listLength)")
    guard listLength > 0 else {
      return NeighborLists(listLength: 0, neighbors: [], similarities: [])
    }
    let (capacity, isSorted) = (capacity, capacity <= highland_sorted_capacity)
    let length = 64 * listLength
    // For each place of the answer a place of the lists, or −1.
    let order: [Int]? =
      isSorted && listLength == capacity
      ? nil
      : [Int](count: count * listLength, tilesOf: length, using: workers, filledWith: -1) {
        places, order in
        for first in stride(from: 0, to: places.count, by: listLength) {
          let start = (places.lowerBound + first) / listLength * capacity
          for place in 0..<capacity where index[start + place] >= 0 {
            order[first + place] = start + place
          }
          guard !isSorted else { continue }
          order.sort(first..<first + capacity) { a, b in
            if a < 0 || b < 0 { return a > b }
            return similarity[a] == similarity[b]
              ? index[a] < index[b] : similarity[a] > similarity[b]
          }
        }
      }
    func value<T>(_ values: [T], _ place: Int, orElse none: T) -> T {
      let place = order?[place] ?? place
      return place < 0 || index[place] < 0 ? none : values[place]
    }
    return NeighborLists(
      listLength: listLength,
      neighbors: (0..<count * listLength).map { GlobalNode(value(index, $0, orElse: -1)) },
      similarities: (0..<count * listLength).map { value(similarity, $0, orElse: 0) })
  }

  /// Lets several threads offer candidates; each must hold the lock of the lists it offers to.
  // @unchecked: lists are only written by the thread that holds their lock.
  @unsafe struct Access: @unchecked Sendable {
    let similarity: UnsafeMutablePointer<Float>
    let index: UnsafeMutablePointer<Int64>
    let bound: UnsafeMutablePointer<Float>
    let capacity: Int

    /// The lists from the given one on, in the kernels' form.
    func handle(from list: Int) -> highland_lists {
      unsafe highland_lists(
        similarity: similarity + list * capacity, index: index + list * capacity,
        bound: bound + list, capacity: capacity)
    }
  }

  mutating func withAccess<R>(_ body: (Access) -> R) -> R {
    let capacity = capacity
    return unsafe similarity.withUnsafeMutableBufferPointer { similarity in
      unsafe index.withUnsafeMutableBufferPointer { index in
        unsafe bound.withUnsafeMutableBufferPointer { bound in
          // An array, even an empty one, has a base address inside this call.
          unsafe body(
            Access(
              similarity: similarity.baseAddress!, index: index.baseAddress!,
              bound: bound.baseAddress!, capacity: capacity))
        }
      }
    }
  }
}

extension CandidateLists {
  /// Offers every column of a packed matrix, by its number, to the list of each row.
  ///
  /// - Parameter rows: One for each list.
  /// - Complexity: 2 · rows · columns · depth flops.
  mutating func offer(_ rows: Matrix, _ columns: PackedMatrix, using workers: Workers) {
    precondition(rows.rowCount == count, "\(rows.rowCount) rows for \(count) lists")
    let tiles = (0..<count).tiles(of: 128)
    let numbers = (0..<columns.columnCount).map { Int64($0) }
    let none = Array(repeating: Int64(-1), count: 128)
    unsafe withAccess { lists in
      workers.forEach(tiles.count) {
        Matrix(uninitializedRows: 128, columns: columns.columnCount)
      } _: { task, scratch in
        let tile = tiles[task]
        let scores = unsafe scratch.disjointRows().base
        unsafe multiplyPacked(
          rows.sharedRows()[tile.lowerBound], stride: rows.columnCount, rowCount: tile.count,
          columns, into: scores, stride: columns.columnCount)
        for row in tile {
          unsafe lists.bound[row] = max(
            lists.bound[row],
            highland_reached_score(
              scores + (row - tile.lowerBound) * columns.columnCount, columns.columnCount,
              lists.capacity))
        }
        unsafe highland_offer_to_rows(
          scores, columns.columnCount, tile.count, columns.columnCount, none, numbers,
          lists.handle(from: tile.lowerBound))
      }
    }
  }
}
