import CKernels
import RandomInputs
import Testing

/// A list of candidates in order, plainly.
private struct PlainList {
  let capacity: Int
  private(set) var entries: [(similarity: Float, index: Int64)] = []

  mutating func offer(_ similarity: Float, _ index: Int64) {
    guard !entries.contains(where: { $0.index == index }) else { return }
    entries.append((similarity, index))
    entries.sort { (-$0.similarity, $0.index) < (-$1.similarity, $1.index) }
    entries = Array(entries.prefix(capacity))
  }

  var indices: [Int64] {
    entries.map(\.index) + Array(repeating: -1, count: capacity - entries.count)
  }
}

/// Lists as the kernels keep them.
private struct KernelLists {
  let capacity: Int
  var similarity: [Float]
  var index: [Int64]
  var bound: [Float]

  init(count: Int, capacity: Int) {
    self.capacity = capacity
    similarity = Array(repeating: -.infinity, count: count * capacity)
    index = Array(repeating: -1, count: count * capacity)
    bound = Array(repeating: -.infinity, count: count)
  }

  mutating func withLists(_ body: (highland_lists) -> Void) {
    let capacity = capacity
    unsafe similarity.withUnsafeMutableBufferPointer { similarity in
      unsafe index.withUnsafeMutableBufferPointer { index in
        unsafe bound.withUnsafeMutableBufferPointer { bound in
          unsafe body(
            highland_lists(
              similarity: similarity.baseAddress, index: index.baseAddress,
              bound: bound.baseAddress, capacity: capacity))
        }
      }
    }
  }
}

/// Scores of few values, so that many are equal.
private func scores(_ count: Int, seed: Int) -> [Float] {
  randomFloats(count, seed: seed).map { ($0 * 8).rounded() / 8 }
}

@Suite struct CellKernels {
  @Test(arguments: [0, 1, 15, 16, 31, 64, 65, 200, 500], [1, 8, 9, 16, 20, 64, 65])
  func reachedScoreIsReachedByAsManyScores(columns: Int, capacity: Int) {
    let values = scores(columns, seed: 70)
    let reached = unsafe highland_reached_score(values, columns, capacity)
    #expect(reached == -.infinity || values.count { $0 >= reached } >= capacity)
    // Every sixteenth score, or every few of them, has a maximum: the plain twin.
    var groups = 16
    while groups < 2 * capacity { groups *= 2 }
    guard groups <= 128, columns >= groups else {
      #expect(reached == -.infinity)
      return
    }
    let rest = columns / groups * groups
    let maxima = (0..<groups).map { first in
      stride(from: first, to: rest, by: groups).map { values[$0] }.max()!
    }
    #expect(reached == maxima.sorted(by: >)[capacity - 1])
  }

  @Test(arguments: [0, 1, 63, 64, 65, 200], [1, 9, 130])
  func offeringScoresKeepsTheFirst(columns: Int, capacity: Int) {
    let names = (0..<columns).map { Int64($0 * 7 % 211) }
    var lists = KernelLists(count: 2, capacity: capacity)
    var plain = PlainList(capacity: capacity)
    // A second time, all are there already.
    for seed in [71, 71, 72] {
      // The same name has the same score.
      let values = names.map { scores(211, seed: seed)[Int($0)] + (seed == 72 ? 100 : 0) }
      let named = names.map { seed == 72 ? $0 + 1000 : $0 }
      for (value, name) in zip(values, named) where name != 14 { plain.offer(value, name) }
      unsafe lists.withLists { unsafe highland_offer_scores(values, columns, 14, named, 1, $0) }
    }
    let found = Array(lists.index[capacity...])
    #expect(capacity > 128 ? Set(found) == Set(plain.indices) : found == plain.indices)
    #expect(lists.index[..<capacity].allSatisfy { $0 == -1 })
  }

  @Test(arguments: [1, 17, 64, 70], [0, 1, 20])
  func namedRowsAreOfferedToColumns(columns: Int, rows: Int) {
    let values = scores(rows * columns, seed: 73)
    let names = (0..<rows).map { Int64(500 - 3 * $0) }
    var lists = KernelLists(count: columns, capacity: 4)
    unsafe lists.withLists {
      unsafe highland_offer_to_columns(values, columns, rows, columns, names, $0)
    }
    for column in 0..<columns {
      var plain = PlainList(capacity: 4)
      for row in 0..<rows { plain.offer(values[row * columns + column], names[row]) }
      #expect(Array(lists.index[column * 4..<column * 4 + 4]) == plain.indices)
    }
  }

  @Test func onlyNewCandidatesAreAdded() {
    var lists = KernelLists(count: 1, capacity: 3)
    let similarity: [Float] = [0.5, 0.5, -1, 0.25, 0.5, 0.75]
    let index: [Int64] = [4, 2, -1, 9, 4, 7]
    unsafe lists.withLists { unsafe highland_offer_new(similarity, index, 6, 0, $0) }
    #expect(lists.index == [7, 2, 4])
    #expect(lists.similarity == [0.75, 0.5, 0.5])
  }

  /// Sixteen sums, one of every sixteenth column, are added one after the other.
  @Test(arguments: [1, 7, 16, 33, 128])
  func bordersAreAsFarAsThePlainTwinSays(width: Int) {
    let centers = randomFloats(5 * width, seed: 74)
    let cells: [Int64] = [3, 0, 3, 4, -1]
    let similarity: [Float] = [0.9, 0.75, 0.5, -0.25, 0]
    var distance = Array(repeating: Float(0), count: 5)
    unsafe highland_border_distances(centers, width, cells, similarity, 5, &distance)
    let plain = cells.indices.map { place -> Float in
      guard cells[place] >= 0 else { return .infinity }
      var sums = Array(repeating: Float(0), count: 16)
      for column in 0..<width {
        let d = centers[3 * width + column] - centers[Int(cells[place]) * width + column]
        sums[column % 16].addProduct(d, d)
      }
      let squares = sums.reduce(0, +)
      return squares > 0 ? (similarity[0] - similarity[place]) / squares.squareRoot() : 0
    }
    #expect(distance.map(\.bitPattern) == plain.map(\.bitPattern))
  }
}
