internal import Communication
internal import DistributedGraphs

/// Rows that are chosen by hashes of their names, so that they are the same on any number of ranks.
struct RowSample: Sendable {
  /// Owned. Ascending places of the rows.
  let places: [Int]
  /// Replicated. How many rows each rank has. Shape `[size]`.
  let counts: [Int]

  /// Replicated. Of all ranks.
  var count: Int { counts.reduce(0, +) }
}

/// The rows by which a partition is made and judged.
struct SearchSamples: Sendable {
  /// Replicated. How many rows have a direction: the others are in no sample.
  let directedCount: Int
  /// Replicated. How many of them ask for neighbours.
  let askingCount: Int
  /// Those by which the recall is estimated, the same for all partitions.
  let recall: RowSample
  /// Those by which the centres of groups are found, in usual data and in diffuse ones.
  private let groups: RowSample
  private let diffuseGroups: RowSample
  /// Those by which the margin of cells is found.
  let margin: RowSample

  /// > Collective: over `communicator`. One round of 40 bytes per rank, of 48 if some ask; another where some rows have no
  /// > direction.
  ///
  /// - Parameters:
  ///   - directed: Owned. Ascending places of the rows that are not zeros.
  ///   - asking: Owned. Those that ask for neighbours; on all ranks nil if all do.
  ///   - rowCount: Replicated. Of all ranks.
  ///   - seed: Replicated. That of the partition.
  init(
    of directed: [Int], asking: [Int]?, among rowCount: Int, named names: [GlobalNode],
    by plan: SearchPlan, seed: UInt64, on communicator: some Communicator
  ) throws {
    func gathered(ofAll count: Int, askingOfAll askingCount: Int) throws -> Self {
      func places(
        _ wanted: Double, _ hash: NodeHash, of rows: [Int], ofAll count: Int
      ) -> [Int] {
        let share = wanted / Double(max(1, count))
        return rows.filter { hash.isWithin(share, names[$0]) }
      }
      func ofAsking(_ wanted: Double, _ hash: NodeHash) -> [Int] {
        places(wanted, hash, of: asking ?? directed, ofAll: askingCount)
      }
      func groups(isDiffuse: Bool) -> [Int] {
        let cellCount = plan.cellCount(by: SearchEffort(isDiffuse: isDiffuse))
        return places(
          CellTree.leaderCount(ofCells: cellCount), NodeHash(seed: seed), of: directed, ofAll: count
        )
      }
      let chosen = [
        ofAsking(RecallSample.wantedCount, RecallSample.hash), groups(isDiffuse: false),
        groups(isDiffuse: true), ofAsking(CellMembership.sampleCount, CellMembership.hash(seed)),
      ]
      return Self(
        chosen,
        counts: try communicator.gather(
          [directed.count] + chosen.map(\.count) + (asking.map { [$0.count] } ?? [])))
    }
    let found = try gathered(ofAll: rowCount, askingOfAll: rowCount)
    // Samples are shares of the rows that can be chosen.
    self =
      found.askingCount < rowCount
      ? try gathered(ofAll: found.directedCount, askingOfAll: found.askingCount) : found
  }

  /// - Parameters:
  ///   - chosen: Owned. Places of each sample.
  ///   - counts: Replicated. Of every rank how many of its rows have a direction, and are in each sample, and how many
  ///     ask, if not all do.
  private init(_ chosen: [[Int]], counts: [[Int]]) {
    directedCount = counts.reduce(0) { $0 + $1[0] }
    askingCount = counts.reduce(0) {
      $0 + ($1.count > chosen.count + 1 ? $1[chosen.count + 1] : $1[0])
    }
    let samples = chosen.indices.map { sample in
      RowSample(places: chosen[sample], counts: counts.map { $0[sample + 1] })
    }
    (recall, groups, diffuseGroups, margin) = (samples[0], samples[1], samples[2], samples[3])
  }

  func groups(by effort: SearchEffort) -> RowSample {
    effort.cellScale > 1 ? diffuseGroups : groups
  }
}

extension Communicator {
  /// As many numbers of every rank, in rank order, on every rank.
  ///
  /// > Collective: one round, the numbers to every rank.
  fileprivate func gather(_ numbers: [Int]) throws -> [[Int]] {
    let all = try allGather(numbers, counts: Array(repeating: numbers.count, count: size))
    return ranks.map { Array(all[$0]) }
  }
}
