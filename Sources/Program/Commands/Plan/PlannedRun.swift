import Communication
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch

/// A run as it would be: its search divided for the memory that it may take, and what it costs at some rates.
struct PlannedRun {
  let run: ExpectedRun
  let rates: Rates
  /// What each rank may take; nil for anything.
  let limit: Int?
  /// What does not grow with the points: as it is, and as the command reckons with.
  let fixedBytes: Double
  private let fixedBound: Double

  /// The least divided search that fits, as the command chooses it; the most divided one where none does.
  init(_ job: ClusteringJob, expecting data: ExpectedData, at rates: Rates, within limit: Int?) {
    self.rates = rates
    self.limit = limit
    let bound = MemoryOptions.fixedBytes(
      start: Self.usualStartBytes, threadCount: job.threadCount)
    fixedBound = bound
    // Measured where there are few points: buffers are seldom all in use.
    fixedBytes = Double(Self.usualStartBytes) + 4e6 + 2e6 * Double(job.threadCount)
    let room = limit.map { Double($0) - bound } ?? .infinity
    let runs = SearchDivision.all.lazy.map { division in
      var job = job
      job.search.division = division
      return ExpectedRun(of: job, expecting: data)
    }
    run =
      runs.first { $0.boundBytes(mergingHalf: false) <= room }
      ?? runs.first { $0.boundBytes(mergingHalf: true) <= room } ?? runs.last!
  }

  /// A process with its libraries and MPI.
  private static let usualStartBytes = 28_000_000

  var job: ClusteringJob { run.job }
  var seconds: Double { run.seconds(at: rates) }
  func seconds(_ phase: ExpectedPhase) -> Double { phase.seconds(at: rates, of: job) }
  func workSeconds(_ phase: ExpectedPhase) -> Double { phase.workSeconds(at: rates, of: job) }

  /// Of the rank that takes most.
  var memoryBytes: Double { fixedBytes + run.memoryBytes }
  /// What the command reckons with: beyond the limit it is refused.
  var boundBytes: Double { fixedBound + run.boundBytes(mergingHalf: true) }
  /// The same of data of which hardly anything merges.
  var mostBoundBytes: Double { fixedBound + run.boundBytes(mergingHalf: false) }
  var fits: Bool { limit.map { boundBytes <= Double($0) } ?? true }

  /// The phase that takes the most memory if that is too much, or else the one that takes longest.
  var first: ExpectedPhase {
    run.phases.max {
      fits ? seconds($0) < seconds($1) : $0.memoryBytes < $1.memoryBytes
    }!
  }

  /// What another partition of the first search would add: seconds, and bytes that a rank sends; nil of an exact search.
  /// It takes the memory of the one before.
  var furtherPartition: (seconds: Double, bytesSent: Double)? {
    guard let search = run.searches.first, search.method == .approximate else { return nil }
    var data = run.data
    data.partitionCount = search.partitionCount + 1
    let more = ExpectedRun(of: job, expecting: data)
    func ofSearch(_ run: ExpectedRun) -> ExpectedPhase {
      run.phases.first { $0.phase == .neighbors }!
    }
    let (one, other) = (ofSearch(run), ofSearch(more))
    return (seconds(other) - seconds(one), other.traffic.bytesSent - one.traffic.bytesSent)
  }

  /// Another run on the same machine.
  private func with(_ change: (inout ClusteringJob) -> Void) -> PlannedRun {
    var job = job
    change(&job)
    return PlannedRun(job, expecting: run.data, at: rates, within: limit)
  }
}

/// Another way to run a job, and what it would cost.
struct Remedy {
  let name: String
  let run: PlannedRun
}

extension PlannedRun {
  private static let mostRanks = 1 << 20

  /// What would need less memory where that is too much, or else less time.
  var remedies: [Remedy] {
    var remedies: [Remedy] = []
    func consider(_ name: String, _ other: PlannedRun) {
      let helps = fits ? other.seconds < 0.95 * seconds : other.boundBytes < 0.95 * boundBytes
      if helps { remedies.append(Remedy(name: name, run: other)) }
    }
    let more = fits ? onRanks(2 * job.ranks.count) : onFewestRanksThatFit
    if let more { consider("--ranks \(more.job.ranks.count)", more) }
    if job.element == .float32 {
      consider("rows of 8-bit numbers", with { $0.element = .int8 })
    }
    if run.searches[0].method == .exact, job.search.method != .approximate {
      consider("--search approximate", with { $0.search.method = .approximate })
    }
    if case .network(let network, var goal) = job.goal, goal.choosesThreshold {
      goal.choosesThreshold = false
      consider("--tau", with { $0.goal = .network(network, goal) })
    }
    return remedies
  }

  /// The same work of more ranks, as many on a host.
  private func onRanks(_ count: Int) -> PlannedRun? {
    guard count <= Self.mostRanks else { return nil }
    return with { $0.ranks = $0.ranks.grown(to: count) }
  }

  private var onFewestRanksThatFit: PlannedRun? {
    var count = 2 * job.ranks.count
    while let run = onRanks(count) {
      if run.fits { return run }
      count *= 2
    }
    return nil
  }
}
