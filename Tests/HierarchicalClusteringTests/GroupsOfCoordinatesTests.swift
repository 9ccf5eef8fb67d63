import Communication
import Datasets
import DistributedGraphs
import HierarchicalClustering
import LinearAlgebra
import Parallelism
import RandomInputs
import Testing

/// Networks of coordinates see means of input rows, which are read where the input is and summed where groups are.
@Suite struct GroupsOfCoordinates {
  private func labels(
    of points: Matrix, groups sizes: [Int], ranks: Int, threads: Int = 1
  ) throws -> [Int64] {
    let golden = try GoldenCase.tiny("sage_cf")
    let model = try golden.model(dimensions: points.columnCount)
    let firstPoints = sizes.indices.flatMap { group in
      Array(repeating: GlobalNode(sizes[..<group].reduce(0, +)), count: sizes[group])
    }
    return try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = NodePartition(sharing: points.rowCount, among: ranks)
        .owned(by: communicator.rank)
      return try cluster(
        EmbeddingsInMemory(points),
        by: ClusteringPlan(
          golden.options(threads: threads), with: TrainedModel(.coordinates(model)),
          within: PointGroups(firstPoint: Array(firstPoints[owned]))), on: communicator
      ).labels
    }.flatMap { $0 }
  }

  /// Of eight ranks most have no group; of a large group sums have another unit than of small ones.
  @Test(arguments: [[20, 20], [3, 5000, 1, 30, 12]])
  func haveTheSameBits(sizes: [Int]) throws {
    let columns = try GoldenCase.tiny("sage_cf").features.columnCount
    let count = sizes.reduce(0, +)
    var points = randomMatrix(count, columns, seed: 90, scale: 0.2)
    let centers = randomMatrix(count / 5 + 1, columns, seed: 91)
    for row in 0..<count {
      for column in 0..<columns { points[row, column] += centers[row / 5, column] }
    }
    let alone = try labels(of: points, groups: sizes, ranks: 1)
    #expect(Set(alone).count < count)
    for ranks in count < 1000 ? [2, 3, 4, 8] : [2, 8] {
      #expect(try labels(of: points, groups: sizes, ranks: ranks, threads: 2) == alone, "\(ranks)")
    }
  }
}
