import HierarchicalClustering
import LinearAlgebra
import RandomInputs
import Testing

struct DirectionClustersTests {
  /// Rows around the axes, `sizes[axis]` of each.
  static func rows(aroundAxes sizes: [Int]) -> Matrix {
    let axes = sizes.indices.flatMap { Array(repeating: $0, count: sizes[$0]) }
    var rows = randomMatrix(axes.count, 8, seed: 5, scale: 0.1)
    for (row, axis) in axes.enumerated() {
      rows[row, axis] += 1
      let length = rows.row(row).reduce(0) { $0 + $1 * $1 }.squareRoot()
      for column in 0..<8 { rows[row, column] /= length }
    }
    return rows
  }

  func clusters(_ sizes: [Int], weights: [Double]? = nil, from start: [Int]) -> DirectionClusters {
    let rows = Self.rows(aroundAxes: sizes)
    return DirectionClusters(
      rows, weights: weights ?? Array(repeating: 1, count: rows.rowCount), clusters: start)
  }

  @Test func coherenceIsTheLengthOfSums() {
    let rows = Matrix(rows: 3, columns: 2, elements: [1, 0, 0, 1, 1, 0])
    let clusters = DirectionClusters(rows, weights: [1, 2, 3], clusters: [0, 0, 1])
    #expect(abs(clusters.coherence - (5.0.squareRoot() + 3)) < 1e-12)
  }

  @Test func someNodesMoveAndLeaveClusters() {
    // Two nodes of the first axis are elsewhere; the last of the second is alone.
    let start = [1, 0, 0, 1, 1, 2]
    var clusters = clusters([3, 3], from: start)
    clusters.settle(first: 1)
    #expect(clusters.clusters == [0, 0, 0, 1, 1, 2])
    clusters.settle(first: 5, leaving: [2])
    #expect(clusters.clusters == [0, 0, 0, 1, 1, 2])
    clusters.settle(leaving: [2])
    #expect(clusters.clusters == [0, 0, 0, 1, 1, 1])
  }

  /// Two axes in one cluster, and one axis in two: no node that moves alone gets out of that.
  @Test func exchangesPartWhatWasMergedTooEarly() {
    let start = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2]
    var settled = clusters([4, 4, 4], from: start)
    settled.converge()
    #expect(settled.clusters == start)
    var exchanged = settled
    exchanged.exchange()
    #expect(exchanged.coherence > settled.coherence)
    let found = exchanged.clusters
    #expect(Set(found).count == 3)
    for axis in 0..<3 { #expect(Set(found[axis * 4..<axis * 4 + 4]).count == 1) }
  }

  @Test func noClusterLosesItsLastNode() {
    for count in 1...6 {
      var found = clusters([5, 3], from: (0..<8).map { $0 % count })
      found.exchange()
      #expect(Set(found.clusters) == Set(0..<count))
    }
  }

  @Test func rowsWithoutDirectionStayAlone() {
    var rows = Self.rows(aroundAxes: [3, 3])
    for column in 0..<8 { rows[2, column] = 0 }
    var found = DirectionClusters(
      rows, weights: Array(repeating: 1, count: 6), clusters: [0, 0, 2, 1, 1, 1])
    found.exchange()
    #expect(found.clusters.indices.filter { found.clusters[$0] == found.clusters[2] } == [2])
  }

  /// A node that stands for three points counts as three nodes do.
  @Test func pointsOfANodeCount() {
    let rows = Self.rows(aroundAxes: [2, 3])
    let copies = rows.copy(ofRows: [0, 0, 0, 1, 2, 3, 4])
    var weighted = DirectionClusters(rows, weights: [3, 1, 1, 1, 1], clusters: [0, 1, 1, 1, 1])
    let plain = DirectionClusters(
      copies, weights: Array(repeating: 1, count: 7), clusters: [0, 0, 0, 1, 1, 1, 1])
    #expect(abs(weighted.coherence - plain.coherence) < 1e-9)
    weighted.converge()
    #expect(weighted.clusters[0] == weighted.clusters[1])
    #expect(Set(weighted.clusters[2...]) == [1 - weighted.clusters[0]])
  }
}
