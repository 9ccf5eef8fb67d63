import Communication
import DistributedGraphs
import GraphBaselines
import LinearAlgebra
import NeighborSearch
import RandomInputs
import Testing

@Suite struct CondensedTreeTests {
  /// Unit rows that other programs can make, too.
  private func points(_ count: Int, columns: Int, groups: Int) -> Matrix {
    var state = 12345
    func next() -> Double {
      state = (1_103_515_245 * state + 12345) % (1 << 31)
      return Double(state) / Double(1 << 31) * 2 - 1
    }
    let centers = (0..<groups).map { _ in (0..<columns).map { _ in next() } }
    var rows = Matrix(rows: count, columns: columns)
    for row in 0..<count {
      let spread = 0.1 + 0.35 * Double(row % groups) / Double(groups)
      for column in 0..<columns {
        rows[row, column] = Float(centers[row % groups][column] + spread * next())
      }
    }
    rows.normalizeRows()
    return rows
  }

  private func clusters(
    _ rows: Matrix, listLength: Int, minimumSamples: Int, minimumClusterSize: Int, ranks: Int
  ) throws -> [Int] {
    let lists = try exactLists(of: rows, length: listLength)
    let nodes = NodePartition(sharing: rows.rowCount, among: ranks)
    let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = nodes.owned(by: communicator.rank)
      let forest = try ReachabilityForest(
        of: StoredRows(rows.slice(owned)), along: lists.slice(owned),
        minimumSamples: minimumSamples, in: nodes, on: communicator)
      return try CondensedTree(
        SingleLinkage(of: forest, on: communicator), minimumClusterSize: minimumClusterSize
      ).clusters().map { Int($0.index) }
    }
    for other in found { #expect(other == found[0]) }
    return found[0]
  }

  /// How many points have another name than most of their cluster in another partition.
  private func strays(_ names: [Int], in clusters: [Int]) -> Int {
    Dictionary(grouping: names.indices, by: { clusters[$0] }).values.reduce(0) { count, members in
      let sizes = Dictionary(grouping: members, by: { names[$0] }).values.map(\.count)
      return count + members.count - sizes.max()!
    }
  }

  /// hdbscan 0.8.44 of the same points, with an exact spanning tree. Where edges are equally long, its own algorithms
  /// differ by up to two of these points, but for the first.
  @Test(arguments: Self.peer.indices, [1, 3])
  func takesTheClustersOfHDBSCAN(place: Int, ranks: Int) throws {
    let peer = Self.peer[place]
    let rows = points(120, columns: 4, groups: 8)
    for listLength in [peer.samples + 1, 40] {
      let found = try clusters(
        rows, listLength: listLength, minimumSamples: peer.samples, minimumClusterSize: peer.size,
        ranks: ranks)
      let differences = max(strays(found, in: peer.clusters), strays(peer.clusters, in: found))
      #expect(differences <= (place == 0 ? 0 : 2), "\(differences) points, lists of \(listLength)")
    }
  }

  @Test func hasNoClusterSmallerThanTheLeastSize() throws {
    let rows = blobs(150, columns: 4, groups: 11, seed: 5)
    for size in [2, 4, 10, 40] {
      let found = try clusters(
        rows, listLength: 8, minimumSamples: 3, minimumClusterSize: size, ranks: 2)
      let sizes = Dictionary(grouping: found, by: { $0 }).values.map(\.count)
      #expect(sizes.allSatisfy { $0 == 1 || $0 >= size }, "\(sizes)")
    }
  }

  @Test(arguments: 0...3)
  func hasOnlyNoiseWhereThereAreFewPoints(count: Int) throws {
    let rows = blobs(count, columns: 3, groups: 2, seed: 5)
    let found = try clusters(
      rows, listLength: 2, minimumSamples: 2, minimumClusterSize: 2, ranks: 2)
    #expect(found == Array(0..<count))
  }

  /// Many copies of few points: distances of 0.
  @Test func keepsCopiesTogether() throws {
    let few = blobs(4, columns: 3, groups: 4, seed: 2)
    let rows = Matrix(rows: 80, columns: 3, elements: (0..<80).flatMap { few.row($0 % 4) })
    let found = try clusters(
      rows, listLength: 6, minimumSamples: 5, minimumClusterSize: 5, ranks: 3)
    #expect(found == (0..<80).map { $0 % 4 })
  }

  private static let peer: [(size: Int, samples: Int, clusters: [Int])] = [
    (
      3, 1,
      [
        0, 0, 2, 3, 4, 3, 6, 7, 0, 0, 2, 3, 4, 3, 14, 7, 0, 0, 18, 3, 4, 3, 6, 7, 0, 25, 18, 3,
        4, 3, 6, 7, 0, 33, 34, 3, 4, 3, 6, 7, 0, 41, 18, 3, 4, 3, 6, 7, 0, 33, 50, 3, 4, 3, 3, 7,
        0, 0, 18, 3, 4, 3, 6, 7, 0, 0, 2, 3, 4, 3, 3, 7, 0, 0, 18, 3, 4, 3, 78, 7, 0, 81, 82, 3,
        4, 3, 3, 7, 0, 0, 90, 3, 4, 3, 3, 7, 0, 33, 2, 3, 4, 3, 102, 7, 0, 41, 18, 3, 4, 3, 110,
        7, 0, 41, 2, 3, 4, 3, 3, 7,
      ]
    ),
    (
      5, 5,
      [
        0, 1, 2, 3, 4, 3, 3, 7, 0, 0, 2, 3, 4, 3, 3, 15, 0, 0, 2, 3, 4, 3, 3, 15, 0, 25, 2, 3, 4,
        3, 3, 31, 0, 33, 2, 3, 4, 3, 3, 15, 0, 41, 2, 3, 4, 3, 3, 47, 0, 49, 2, 3, 4, 3, 3, 15,
        0, 0, 2, 3, 4, 3, 3, 63, 0, 0, 2, 3, 4, 3, 3, 15, 0, 0, 2, 3, 4, 3, 3, 15, 0, 81, 2, 3,
        4, 3, 3, 15, 0, 89, 2, 3, 4, 3, 3, 15, 0, 97, 2, 3, 4, 3, 3, 103, 0, 105, 2, 3, 4, 3, 3,
        15, 0, 113, 2, 3, 4, 3, 3, 15,
      ]
    ),
    (
      8, 3,
      [
        0, 1, 2, 3, 4, 3, 3, 7, 0, 0, 2, 3, 4, 3, 3, 7, 0, 0, 2, 3, 4, 3, 3, 7, 0, 25, 2, 3, 4,
        3, 3, 31, 0, 2, 2, 3, 4, 3, 3, 7, 0, 41, 2, 3, 4, 3, 3, 7, 0, 49, 2, 3, 4, 3, 3, 7, 0, 0,
        2, 3, 4, 3, 3, 63, 0, 0, 2, 3, 4, 3, 3, 7, 0, 0, 2, 3, 4, 3, 3, 7, 0, 81, 2, 3, 4, 3, 3,
        7, 0, 89, 2, 3, 4, 3, 3, 7, 0, 97, 2, 3, 4, 3, 3, 7, 0, 0, 2, 3, 4, 3, 3, 7, 0, 0, 2, 3,
        4, 3, 3, 7,
      ]
    ),
    (
      15, 5,
      [
        0, 1, 1, 3, 4, 3, 3, 1, 0, 0, 1, 3, 4, 3, 3, 1, 0, 0, 1, 3, 4, 3, 3, 1, 0, 25, 1, 3, 4,
        3, 3, 1, 0, 1, 1, 3, 4, 3, 3, 1, 0, 41, 1, 3, 4, 3, 3, 1, 0, 1, 1, 3, 4, 3, 3, 1, 0, 0,
        1, 3, 4, 3, 3, 1, 0, 0, 1, 3, 4, 3, 3, 1, 0, 0, 1, 3, 4, 3, 3, 1, 0, 81, 1, 3, 4, 3, 3,
        1, 0, 89, 1, 3, 4, 3, 3, 1, 0, 97, 1, 3, 4, 3, 3, 1, 0, 105, 1, 3, 4, 3, 3, 1, 0, 113, 1,
        3, 4, 3, 3, 1,
      ]
    ),
  ]
}
