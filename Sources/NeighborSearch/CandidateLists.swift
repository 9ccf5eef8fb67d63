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
  private(set) var names: [GlobalNode]
  /// The similarity that a candidate must reach to be considered. Shape `[count]`.
  private(set) var bound: [Float]

  var count: Int { bound.count }

  /// The names as numbers.
  var index: LazyMapCollection<[GlobalNode], Int64> { names.lazy.map(\.index) }

  init(count: Int, capacity: Int) {
    self.init(capacity: capacity, bounds: Array(repeating: -.infinity, count: count))
  }

  /// Empty lists, as many as bounds, that consider only candidates which reach these.
  init(capacity: Int, bounds: [Float]) {
    self.init(
      capacity: capacity,
      similarity: Array(repeating: -.infinity, count: bounds.count * capacity),
      names: Array(repeating: NeighborLists.none, count: bounds.count * capacity), bound: bounds)
  }

  /// Those of a search that goes on.
  init(_ kept: SearchState, capacity: Int) {
    let (names, similarity) = (kept.names, kept.similarities)
    let bounds = stride(from: 0, to: names.count, by: capacity).map { first in
      // An empty place is at −∞.
      similarity[first..<first + capacity].min()!
    }
    self.init(capacity: capacity, similarity: similarity, names: names, bound: bounds)
  }

  init(capacity: Int, similarity: [Float], names: [GlobalNode], bound: [Float]) {
    self.capacity = capacity
    self.similarity = similarity
    self.names = names
    self.bound = bound
  }

  /// Offers all entries of other lists for the nodes from one on. No candidate may be in both.
  mutating func merge(_ other: CandidateLists, from first: Int) {
    precondition(
      first >= 0 && first + other.count <= count && other.capacity == capacity,
      "\(other.count) × \(other.capacity) from \(first) on into \(count) × \(capacity)")
    let capacity = capacity
    unsafe withAccess { lists in
      for place in other.names.indices where other.names[place].index >= 0 {
        unsafe highland_offer(
          other.similarity[place], other.names[place].index, first + place / capacity,
          lists.handle(from: 0))
      }
    }
  }

  /// The lists as neighbour lists of a length that is not below the capacity; empty places are
  /// (−1, 0). They take over the memory, unless somebody else keeps these.
  consuming func neighborLists(listLength: Int, using workers: Workers) -> NeighborLists {
    precondition(listLength >= capacity, "lists of \(capacity) places cut to \(listLength)")
    guard listLength > 0 else {
      return NeighborLists(listLength: 0, neighbors: [], similarities: [])
    }
    if capacity > highland_sorted_capacity { sort(using: workers) }
    for place in similarity.indices where names[place] == NeighborLists.none {
      similarity[place] = 0
    }
    guard capacity < listLength else {
      return NeighborLists(
        listLength: listLength, neighbors: names, similarities: similarity)
    }
    // There are not as many nodes as places.
    func widened<T>(_ values: [T], filledWith filler: T) -> [T] {
      (0..<count).flatMap { list in
        values[list * capacity..<(list + 1) * capacity]
          + repeatElement(filler, count: listLength - capacity)
      }
    }
    return NeighborLists(
      listLength: listLength, neighbors: widened(names, filledWith: NeighborLists.none),
      similarities: widened(similarity, filledWith: 0))
  }

  /// Brings heaps into order, empty places last.
  private mutating func sort(using workers: Workers) {
    struct Entry: BitwiseCopyable {
      let similarity: Float
      let name: GlobalNode
    }
    let (listCount, capacity) = (count, capacity)
    unsafe withAccess { lists in
      let tiles = (0..<listCount).tiles(of: 64)
      workers.forEach(tiles.count) { tile in
        for list in tiles[tile] {
          let handle = unsafe lists.handle(from: list)
          var entries = (0..<capacity).map {
            unsafe Entry(similarity: handle.similarity[$0], name: GlobalNode(handle.index[$0]))
          }
          entries.sort { a, b in
            if (a.name.index < 0) != (b.name.index < 0) { return b.name.index < 0 }
            return a.similarity == b.similarity ? a.name < b.name : a.similarity > b.similarity
          }
          for (place, entry) in entries.enumerated() {
            unsafe handle.similarity[place] = entry.similarity
            unsafe handle.index[place] = entry.name.index
          }
        }
      }
    }
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

  mutating func withAccess<R>(_ body: (Access) throws -> R) rethrows -> R {
    let capacity = capacity
    return try unsafe similarity.withUnsafeMutableBufferPointer { similarity in
      try unsafe names.withUnsafeMutableBytes { names in
        try unsafe bound.withUnsafeMutableBufferPointer { bound in
          // An array, even an empty one, has a base address inside this call.
          try unsafe body(
            Access(
              similarity: similarity.baseAddress!,
              index: names.baseAddress!.assumingMemoryBound(to: Int64.self),
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
