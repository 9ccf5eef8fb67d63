public import Communication

/// What a phase is expected to cost the rank that has most to do.
public struct ExpectedPhase: Sendable {
  /// Nil for a phase of no level.
  public let level: Int?
  public let phase: Phase
  /// Nodes of the level; points for a phase of no level.
  public let nodeCount: Int
  public internal(set) var work: [Work: Double]
  /// Floating-point operations of products.
  public internal(set) var flops: Double
  public internal(set) var traffic: ExpectedTraffic
  /// What grows with the points, while the phase runs.
  public internal(set) var memoryBytes = 0.0
  /// Read and written.
  public internal(set) var diskBytes = 0.0

  init(
    _ phase: Phase, level: Int? = nil, nodeCount: Int, work: [Work: Double] = [:],
    flops: Double = 0, _ traffic: ExpectedTraffic = ExpectedTraffic(), diskBytes: Double = 0
  ) {
    self.phase = phase
    self.level = level
    self.nodeCount = nodeCount
    self.work = work
    self.flops = flops
    self.traffic = traffic
    self.diskBytes = diskBytes
  }

  /// Wall time.
  public func seconds(at rates: Rates, of job: ClusteringJob) -> Double {
    workSeconds(at: rates, of: job) + rates.seconds(of: traffic, among: job.ranks)
  }

  /// Wall time without messages.
  public func workSeconds(at rates: Rates, of job: ClusteringJob) -> Double {
    rates.seconds(of: work, threadCount: job.threadCount)
  }

  /// Adds what other phases cost, so many times.
  mutating func add(_ others: [ExpectedPhase], times count: Double) {
    for other in others {
      for (kind, amount) in other.work { work[kind, default: 0] += count * amount }
      flops += count * other.flops
      traffic += count * other.traffic
    }
  }
}
