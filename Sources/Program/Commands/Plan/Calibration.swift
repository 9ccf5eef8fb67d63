import Communication
import DistributedGraphs
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import Parallelism
import SyntheticData

/// Measures how fast this machine works, by small runs of generated points on one thread.
///
/// Each pair of kinds of work is told apart by two runs, of few and of many columns. Times are those of the processor, as
/// other programs may run beside.
struct Calibration {
  private static let columnCounts = [32, 128]
  /// Points of the exact searches, and of the clusterings.
  private static let exactCount = 16_000
  private static let clusteredCount = 50_000
  private static let listLength = 20

  private var rates: [Work: Double] = [:]

  /// The rates of all kinds of work, in units per second.
  ///
  /// - Complexity: Half a minute.
  static func workRates() throws -> [Work: Double] {
    var calibration = Calibration()
    try calibration.measureExactSearch()
    let runs = try columnCounts.map {
      try ClusteredRun(columnCount: $0, pointCount: clusteredCount)
    }
    calibration.measurePhases(runs)
    return calibration.rates
  }

  private mutating func measureExactSearch() throws {
    let samples = try Self.columnCounts.map { columns in
      let source = EmbeddingsInMemory(try generatedRows(Self.exactCount, columnCount: columns))
      let rows = try source.unitRows(0..<source.rowCount, invalid: .error, on: SingleRank())
      let nodes = NodePartition(sharing: Self.exactCount, among: 1)
      let pairs = Double(Self.exactCount) * Double(Self.exactCount - 1) / 2
      // The first of two runs wakes the processor.
      let seconds = try (0..<2).map { _ in
        try processorSecondsOf {
          _ = try nearestNeighbors(
            of: rows, listLength: Self.listLength, in: nodes, on: SingleRank())
        }
      }.min()!
      return TimedWork(2 * Double(columns) * pairs, pairs, seconds)
    }
    set(.blockFlops, .blockPairs, by: samples)
  }

  private mutating func measurePhases(_ runs: [ClusteredRun]) {
    // The exact neighbours of the sample by which the recall is estimated are blocks.
    set(
      .cellFlops, .cellVisits,
      by: runs.map { run in
        let search = run.search
        let sampled = search.comparedPairs - run.cellPairs
        let seconds =
          run.seconds(.neighbors) - sampled
          * (2 * run.columns / rates[.blockFlops]! + 1 / rates[.blockPairs]!)
        return TimedWork(2 * run.columns * run.cellPairs, run.visits, max(seconds, 1e-6))
      })
    set(
      .summedNumbers, .mergedEdges,
      by: runs.map {
        TimedWork(
          $0.amount(.summedNumbers, .coarsen), $0.amount(.mergedEdges, .coarsen),
          $0.seconds(.coarsen))
      })
    for (work, phase) in [
      (Work.readNumbers, Phase.read), (.hashedNumbers, .copies), (.graphEdges, .graph),
      (.judgedEdges, .network), (.decodedEdges, .decode), (.labelledPoints, .label),
      (.dividedEdges, .partition),
    ] {
      let amount = runs.reduce(0) { $0 + $1.amount(work, phase) }
      rates[work] = amount / max(runs.reduce(0) { $0 + $1.seconds(phase) }, 1e-9)
    }
  }

  /// Sets the rates of two kinds of work so that both samples take as long as they did; a kind that would take less than
  /// no time takes none.
  private mutating func set(_ first: Work, _ second: Work, by samples: [TimedWork]) {
    let (a, b) = (samples[0], samples[1])
    let determinant = a.first * b.second - b.first * a.second
    var perFirst = (a.seconds * b.second - b.seconds * a.second) / determinant
    var perSecond = (a.first * b.seconds - b.first * a.seconds) / determinant
    let seconds = samples.reduce(0) { $0 + $1.seconds }
    if !(perFirst > 0) {
      (perFirst, perSecond) = (1e-15, seconds / samples.reduce(0) { $0 + $1.second })
    } else if !(perSecond > 0) {
      (perFirst, perSecond) = (seconds / samples.reduce(0) { $0 + $1.first }, 1e-15)
    }
    rates[first] = 1 / perFirst
    rates[second] = 1 / perSecond
  }
}

/// Amounts of two kinds of work that were done together.
private struct TimedWork {
  let first: Double
  let second: Double
  let seconds: Double

  init(_ first: Double, _ second: Double, _ seconds: Double) {
    (self.first, self.second, self.seconds) = (first, second, seconds)
  }
}

/// A clustering of generated points by the built-in model, alone and on two ranks that are threads.
private struct ClusteredRun {
  let columns: Double
  let search: SearchSummary
  private let alone: Clustering
  private let dealt: Double
  private let expected: ExpectedRun
  private let expectedOfTwo: ExpectedRun

  init(columnCount: Int, pointCount: Int) throws {
    columns = Double(columnCount)
    let source = EmbeddingsInMemory(try generatedRows(pointCount, columnCount: columnCount))
    let model = try TrainedModel(path: nil, dimensions: columnCount)
    let options = ClusteringOptions(
      threshold: 0.5, maximumLevels: 2, search: SearchOptions(.approximate))
    let plan = try ClusteringPlan(options, with: model)
    alone = try cluster(source, by: plan, on: SingleRank())
    let ofTwo = try ThreadCommunicator.run(ranks: 2, deadline: 600) {
      try cluster(source, by: plan, on: $0).levels[0].phases[Phase.partition.rawValue]!
    }
    // Each of both counts the whole process.
    dealt = ofTwo[0].cpuSeconds / 4
    search = alone.levels[0].search!
    guard case .structure(let network) = model.linkage else {
      preconditionFailure("the built-in model is one of structure")
    }
    func job(ranks: Int) -> ClusteringJob {
      ClusteringJob(
        .network(network, ClusteringJob.NetworkGoal(choosesThreshold: false, maximumLevels: 2)),
        pointCount: pointCount, columnCount: columnCount, element: .float32,
        ranks: ExpectedRanks(ranks), threadCount: 1,
        neighborCount: network.settings.neighborCount, search: options.search)
    }
    expected = ExpectedRun(of: job(ranks: 1))
    expectedOfTwo = ExpectedRun(of: job(ranks: 2))
  }

  /// Pairs in cells, and with their centres.
  var cellPairs: Double {
    search.comparedPairs - Double(search.approximate!.recall.rowCount)
      * Double(alone.points.nodeCount)
  }

  /// Of rows to cells.
  var visits: Double {
    let approximate = search.approximate!
    return approximate.meanCells * Double(approximate.recallByPartition.count)
      * Double(alone.points.nodeCount)
  }

  /// Of a phase at level 0.
  func seconds(_ phase: Phase) -> Double {
    switch phase {
    case .read: alone.reading.cpuSeconds
    case .label: alone.labeling.cpuSeconds
    case .partition: dealt
    default: alone.levels[0].phases[phase.rawValue]!.cpuSeconds
    }
  }

  /// What the model says that a phase does at level 0.
  func amount(_ work: Work, _ phase: Phase) -> Double {
    let run = phase == .partition ? expectedOfTwo : expected
    return run.phases.first { $0.phase == phase }!.work[work]!
  }
}

private func generatedRows(_ count: Int, columnCount: Int) throws -> Matrix {
  let all = SyntheticEmbeddings(
    try SyntheticEmbeddings.Options(points: 2 * count, dimensions: columnCount))
  return all.rows(0..<min(count, all.rowCount(of: .train)), of: .train)
}

private func processorSecondsOf(_ body: () throws -> Void) rethrows -> Double {
  let start = processorSeconds()
  try body()
  return processorSeconds() - start
}
