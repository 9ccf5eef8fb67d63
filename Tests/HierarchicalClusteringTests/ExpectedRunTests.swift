import Communication
import Datasets
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import NeighborSearch
import SyntheticData
import Testing

/// What a clustering is expected to cost, beside what one is counted to cost.
@Suite struct ExpectedRuns {
  private static let pointCount = 3000
  private static let columnCount = 24

  private static func points() throws -> EmbeddingsInMemory {
    let options = try SyntheticEmbeddings.Options(
      points: pointCount, dimensions: columnCount, testShare: 1)
    return EmbeddingsInMemory(
      SyntheticEmbeddings(options).rows(0..<pointCount, of: .test))
  }

  private static func network() throws -> StructureNetwork {
    guard
      case .structure(let network) = try TrainedModel(path: nil, dimensions: columnCount).linkage
    else { throw ModelError(path: "the default model", reason: "not of structure") }
    return network
  }

  private static func job(ranks: Int, choosesThreshold: Bool = true) throws -> ClusteringJob {
    let network = try network()
    return ClusteringJob(
      .network(network, ClusteringJob.NetworkGoal(choosesThreshold: choosesThreshold)),
      pointCount: pointCount, columnCount: columnCount, element: .float32,
      ranks: ExpectedRanks(ranks), threadCount: 1, neighborCount: network.settings.neighborCount)
  }

  /// What a run found out about its data.
  private static func data(of clustering: Clustering, ranks: Int) -> ExpectedData {
    let first = clustering.levels[0]
    let cut =
      ranks == 1
      ? 0 : Double(first.cutEdgeCount) / Double(first.edgeCount) / (1 - 1 / Double(ranks))
    return ExpectedData(
      sharesApart: clustering.levels.filter { $0.mergedCount > 0 }.map {
        Double($0.clusterCount) / Double($0.nodeCount)
      }, cutByChance: min(cut, 1),
      trialCount: clustering.choice.thresholds?.trials.count ?? 0)
  }

  /// A phase's cost over all levels, on average over the ranks.
  private static func counted(_ phase: Phase, in clustering: Clustering, ranks: Int) -> (
    rounds: Double, bytes: Double
  ) {
    let costs =
      switch phase {
      case .read: [clustering.reading]
      case .label: [clustering.labeling]
      default: clustering.levels.compactMap { $0.phases[phase.rawValue] }
      }
    return (
      costs.reduce(0) { $0 + Double($1.rounds) },
      costs.reduce(0) { $0 + Double($1.bytesSent) / Double(ranks) }
    )
  }

  /// The rounds of a phase, and what it sends, are as the code of the phase says; what only the data tell is told.
  @Test(arguments: [1, 2, 3, 6])
  func sendWhatIsThenSent(ranks: Int) throws {
    let source = try Self.points()
    let model = try TrainedModel(path: nil, dimensions: Self.columnCount)
    let clustering = try ThreadCommunicator.run(ranks: ranks) {
      try cluster(source, with: model, on: $0)
    }[0]
    let expected = ExpectedRun(
      of: try Self.job(ranks: ranks), expecting: Self.data(of: clustering, ranks: ranks))
    #expect(
      zip(expected.nodeCounts, clustering.levels).allSatisfy {
        abs(Double($0) / Double($1.nodeCount) - 1) < 0.01
      })
    // How far both may be apart, in rounds and in bytes, as shares.
    let tolerances: [(phase: Phase, rounds: Double, bytes: Double)] = [
      (.read, 0, 0.01), (.copies, 0, 0.05), (.neighbors, 0, 0.02), (.partition, 0.2, 0.25),
      (.graph, 0, 0.5), (.network, 0, 0.5), (.thresholds, 0.25, 0.5), (.decode, 0.3, 0.5),
      (.coarsen, 0.1, 1), (.label, 0, 0.2),
    ]
    for (phase, ofRounds, ofBytes) in tolerances where ranks > 1 || phase != .partition {
      let found = Self.counted(phase, in: clustering, ranks: ranks)
      let phases = expected.phases.filter { $0.phase == phase }
      let traffic = phases.reduce(into: ExpectedTraffic()) { $0 += $1.traffic }
      #expect(
        abs(traffic.rounds - found.rounds) <= ofRounds * found.rounds + 1e-9,
        "\(phase): \(traffic.rounds) rounds, \(found.rounds) counted")
      #expect(
        abs(traffic.bytesSent - found.bytes) <= ofBytes * found.bytes + 1e-9,
        "\(phase): \(traffic.bytesSent) bytes, \(found.bytes) counted")
    }
    let flops = expected.phases.filter { $0.phase == .neighbors }.reduce(0) { $0 + $1.flops }
    let pairs = clustering.levels.reduce(0) { $0 + $1.search!.comparedPairs }
    #expect(
      abs(flops * Double(ranks) / (2 * Double(Self.columnCount) * pairs) - 1) < 0.01)
  }

  /// A run of which nothing merges has one level, and a level that leaves no more than k nodes is the last.
  @Test func endAsRunsDo() throws {
    var data = ExpectedData(sharesApart: [])
    #expect(ExpectedRun(of: try Self.job(ranks: 1), expecting: data).nodeCounts == [3000])
    data.sharesApart = [0.5, 0.001, 0.5]
    #expect(ExpectedRun(of: try Self.job(ranks: 1), expecting: data).nodeCounts == [3000, 1500])
  }

  /// Without trials there is no phase of thresholds; alone there is none that deals nodes, and nothing is sent.
  @Test func leaveOutWhatIsNotDone() throws {
    let alone = ExpectedRun(of: try Self.job(ranks: 1, choosesThreshold: false))
    #expect(!alone.phases.contains { $0.phase == .thresholds || $0.phase == .partition })
    #expect(alone.traffic.bytesSent == 0 && alone.traffic.rounds > 0)
    var scattered = try Self.job(ranks: 4)
    guard case .network(let network, var goal) = scattered.goal else { return }
    goal.movesNodes = false
    scattered.goal = .network(network, goal)
    let run = ExpectedRun(of: scattered)
    #expect(!run.phases.contains { $0.phase == .partition })
    // Nodes that lie by chance have more ghosts than those that were dealt.
    func bytes(_ run: ExpectedRun) -> Double {
      run.phases.filter { $0.phase == .network }.reduce(0) { $0 + $1.traffic.bytesSent }
    }
    #expect(bytes(run) > 2 * bytes(ExpectedRun(of: try Self.job(ranks: 4))))
  }

  /// What is expected stays below what a run reckons with.
  @Test(arguments: [1, 4], [StoredElement.float32, .int8])
  func takeNoMoreMemoryThanRunsReckonWith(ranks: Int, element: StoredElement) throws {
    var job = try Self.job(ranks: ranks)
    job.element = element
    job.pointCount = 10_000_000
    for method in [SearchMethod.exact, .approximate] {
      job.search = SearchOptions(method)
      let run = ExpectedRun(of: job)
      #expect(run.memoryBytes > 1e8)
      #expect(run.memoryBytes <= run.boundBytes(mergingHalf: true))
      #expect(run.boundBytes(mergingHalf: true) <= run.boundBytes(mergingHalf: false))
    }
  }

  /// Twice the threads take half as long where they share the work; twice the rates half of all.
  @Test func takeTimeByWorkAndMessages() throws {
    let rates = Rates(
      processor: "p", kernels: "k",
      Dictionary(uniqueKeysWithValues: Work.allCases.map { ($0, 1e9) }), bytesPerSecond: 1e9,
      secondsPerMessage: 1e-6, bytesPerSecondBetweenHosts: 1e8,
      secondsPerMessageBetweenHosts: 1e-5, areMessagesMeasured: true)
    #expect(rates.problem == nil)
    var job = try Self.job(ranks: 1)
    func seconds(_ phase: Phase) -> Double {
      ExpectedRun(of: job).phases.first { $0.phase == phase }!.seconds(at: rates, of: job)
    }
    let (network, graph) = (seconds(.network), seconds(.graph))
    job.threadCount = 2
    #expect(abs(seconds(.network) / network - 0.5) < 1e-9)
    #expect(seconds(.graph) == graph)
    job.ranks = ExpectedRanks(4)
    let near = seconds(.copies)
    job.ranks = ExpectedRanks(4, onHosts: 4)
    #expect(seconds(.copies) > near)
    var wrong = rates
    wrong.unitsPerSecond[Work.graphEdges.rawValue] = 0
    #expect(wrong.problem?.contains("graphEdges") == true)
    wrong.unitsPerSecond[Work.graphEdges.rawValue] = nil
    #expect(wrong.problem?.contains("graphEdges") == true)
  }
}
