internal import CKernels
internal import DistributedGraphs
internal import LinearAlgebra

/// The best neighbours found so far for a run of nodes.
///
/// Neighbours are ordered by (similarity descending, index ascending): a total order, so a list
/// does not depend on the order in which its candidates came.
struct CandidateLists: Sendable {
  let capacity: Int
  /// Shape `[count × capacity]`; −∞ where a place is empty.
  private(set) var similarity: [Float]
  /// Shape `[count × capacity]`; −1 where a place is empty.
  private(set) var index: [Int64]
  /// What a candidate must reach to be looked at. Shape `[count]`.
  private(set) var bound: [Float]

  var count: Int { bound.count }

  init(count: Int, capacity: Int) {
    self.capacity = capacity
    similarity = Array(repeating: -.infinity, count: count * capacity)
    index = Array(repeating: -1, count: count * capacity)
    bound = Array(repeating: -.infinity, count: count)
  }

  init(capacity: Int, similarity: [Float], index: [Int64], bound: [Float]) {
    self.capacity = capacity
    self.similarity = similarity
    self.index = index
    self.bound = bound
  }

  /// Empty lists that only look at what would get into these.
  var emptied: CandidateLists {
    var lists = CandidateLists(count: count, capacity: capacity)
    lists.bound = bound
    return lists
  }

  /// Offers all entries of lists of the same nodes. No candidate may be in both.
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

  /// The lists as neighbour lists; empty places are (−1, 0).
  func neighborLists() -> NeighborLists {
    NeighborLists(
      listLength: capacity, neighbors: index.map { GlobalNode($0) },
      similarities: zip(similarity, index).map { $1 < 0 ? 0 : $0 })
  }

  /// What several threads offer through; each must hold the lock of the lists it offers to.
  // @unchecked: lists are only written by the thread that holds their lock.
  @unsafe struct Access: @unchecked Sendable {
    let similarity: UnsafeMutablePointer<Float>
    let index: UnsafeMutablePointer<Int64>
    let bound: UnsafeMutablePointer<Float>
    let capacity: Int

    /// The lists from the given one on, as the kernels take them.
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
