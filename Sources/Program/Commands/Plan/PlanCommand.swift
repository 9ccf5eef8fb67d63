import ArgumentParser
import Communication
import Datasets
import GraphNetworks
import HierarchicalClustering
import LinearAlgebra
import MPICommunication
import NeighborSearch

struct PlanCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Predict what a run costs: seconds, flops, bytes, messages, memory and disk.",
    discussion: """
        highland plan features.npy --ranks 8 --threads 4
        highland plan --points 1e9 --dimensions 256 --ranks 512 --memory 64G

      Phase by phase and level by level, on the rank that has most to do, for any number of ranks, which need not \
      be there. Sizes, options and the code decide most of it. What only the data decide is taken as in generated \
      points, or as --apart, --cut, --trials, --diffuse and --partitions say. Seconds follow from rates of the \
      machine; highland plan --calibrate measures them in less than a minute, and under mpirun -n 2 those of \
      messages, too. Docs/Planning.md tells how near it comes.
      """)

  @Argument(help: "Embeddings, of which only the size and the type are read.")
  var features: String?

  @Option(help: "Points in place of a file: 1e9, 20M.")
  var points: Quantity?

  @Option(help: "Columns; of a file those of a raw .bin, and checked for other formats.")
  var dimensions: Int?

  @Option(
    help:
      "The type of the numbers of --points: float32, float16, bfloat16, int8 or uint8. Default: float32."
  )
  var elementType: PlannedElement?

  @Option(
    help:
      "What is to be run: cluster (--method network, with a model of structure) or knn. Default: cluster."
  )
  var command = PlannedTask.cluster

  @Option(help: "Ranks. Default: 1.")
  var ranks = 1

  @Option(help: "Threads of each rank. Default: 1.")
  var threads = 1

  @Option(help: "Hosts, each with as many of the ranks. Default: 1.")
  var hosts = 1

  @Option(
    name: .customShort("k"),
    help: "Places in a list of knn, the point itself included. Default: 10.")
  var neighborCount: Int?

  @Option(help: "The model of structure that clusters. Default: the built-in one.")
  var model: String?

  @Option(help: "τ is given, so that no thresholds are tried.")
  var tau: Double?

  @Option(help: "The maximum number of levels. Default: 10.")
  var maxLevels: Int?

  @Option(help: "Which rank owns which points: locality or input. Default: locality.")
  var partition: PlannedOwnership?

  @OptionGroup var search: NeighborSearchOptions
  @OptionGroup var memory: MemoryOptions

  @Option(help: "Bytes per second between hosts, of each host: 12G. Default: as the rates say.")
  var network: Quantity?

  @OptionGroup var data: PlannedDataOptions

  @Flag(help: "Measure the rates of this machine, and keep them for later plans.")
  var calibrate = false

  @Option(
    help:
      "Read the rates from this file, or with --calibrate write them there. Default: highland/rates.json in the cache directory of the user."
  )
  var constants: String?

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var outputs: OutputOptions

  func run(on communicator: MPICommunicator) throws {
    guard !calibrate else { return try calibrateRates(on: communicator) }
    let report = try communicator.agree { try planned() }
    guard communicator.rank == Rank(0) else { return }
    try show(report, as: report.text, inJSON: json)
  }

  /// Measures the work on rank 0, and messages between it and others.
  private func calibrateRates(on communicator: MPICommunicator) throws {
    try outputs.check([.json(constants)], reading: [], on: communicator)
    let work = try communicator.agree { () throws -> [Work: Double] in
      guard communicator.rank == Rank(0) else { return [:] }
      return try Calibration.workRates()
    }
    let within = try MessageRates(onThisHost: true, on: communicator)
    let between = try MessageRates(onThisHost: false, on: communicator)
    let usual = Rates.built
    let rates = Rates(
      processor: Machine.processorName ?? "unknown", kernels: KernelLevel.current.rawValue, work,
      bytesPerSecond: within?.bytesPerSecond ?? usual.bytesPerSecond,
      secondsPerMessage: within?.secondsPerMessage ?? usual.secondsPerMessage,
      bytesPerSecondBetweenHosts: between?.bytesPerSecond ?? usual.bytesPerSecondBetweenHosts,
      secondsPerMessageBetweenHosts: between?.secondsPerMessage
        ?? usual.secondsPerMessageBetweenHosts,
      areMessagesMeasured: within != nil || between != nil)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      let path = try RatesFile.write(rates, to: constants, overwrite: outputs.overwrite)
      try show(rates, as: rates.account(in: path), inJSON: json)
    }
  }

  private func planned() throws -> PlanReport {
    let origin = try RatesFile.rates(constants)
    var rates = origin.rates
    if let network { rates.bytesPerSecondBetweenHosts = Double(network.count) }
    let job = try plannedJob()
    let run = PlannedRun(
      job, expecting: data.expected, at: rates, within: memory.limit)
    if run.run.searches[0].method == .exact, let name = data.namesOfSearch.first {
      throw ValidationError(
        "\(name) is of approximate searches, and these points are searched exactly; expected --search approximate"
      )
    }
    return PlanReport(
      of: run, command: command.rawValue, features: features, ratesFrom: origin.account,
      areRatesOfThisMachine: rates.areOfThisMachine)
  }

  private func plannedJob() throws -> ClusteringJob {
    var (rowCount, columnCount, element) = try plannedSize()
    try checkSizes(rowCount, columnCount)
    let goal: ClusteringJob.Goal
    let k: Int
    switch command {
    case .knn:
      goal = .neighbors
      k = neighborCount ?? 10
    case .cluster:
      let trained = try TrainedModel(path: model, dimensions: columnCount)
      guard case .structure(let network) = trained.linkage else {
        throw DataError(
          path: trained.name, problem: "a model of coordinates; expected one of structure")
      }
      k = trained.neighborCount(nil)
      if trained.transform != nil { element = .float32 }
      goal = .network(
        network,
        ClusteringJob.NetworkGoal(
          choosesThreshold: tau == nil && trained.isForAnyData, movesNodes: partition != .input,
          maximumLevels: maxLevels ?? 10))
    }
    return ClusteringJob(
      goal, pointCount: rowCount, columnCount: columnCount, element: element,
      ranks: ExpectedRanks(ranks, onHosts: hosts), threadCount: threads, neighborCount: k,
      search: search.options)
  }

  /// Refuses what no whole number counts.
  private func checkSizes(_ rowCount: Int, _ columnCount: Int) throws {
    let most = 1_000_000_000_000
    guard rowCount <= most else {
      throw DataError(path: "--points", problem: "\(rowCount): expected 1 ... \(most)")
    }
    for (name, width) in [("--dimensions", columnCount), ("-k", neighborCount ?? 1)] {
      guard width <= 1_000_000 else {
        throw DataError(path: name, problem: "\(width): expected at most 1000000 for a plan")
      }
    }
  }

  /// Of the file, or as it was given.
  private func plannedSize() throws -> (rowCount: Int, columnCount: Int, StoredElement) {
    if let points, let dimensions {
      return (points.count, dimensions, (elementType ?? .float32).stored)
    }
    let file = try FeatureFiles(path: features!, dimensions: dimensions)
    guard file.rowCount > 0, file.columnCount > 0 else {
      throw DataError(path: features!, problem: "has no numbers; expected points to plan for")
    }
    return (file.rowCount, file.columnCount, file.storedElement)
  }
}

// What is refused.
extension PlanCommand {
  func validate() throws {
    if calibrate { try validateCalibration() } else { try validatePlan() }
    guard !outputs.overwrite || calibrate && constants != nil else {
      throw ValidationError("--overwrite replaces rates: expected --calibrate and --constants")
    }
  }

  private func validateCalibration() throws {
    let others: [(isGiven: Bool, name: String)] =
      [
        (features != nil, "a file"), (points != nil, "--points"),
        (dimensions != nil, "--dimensions"), (elementType != nil, "--element-type"),
        (command != .cluster, "--command"), (ranks != 1, "--ranks"), (threads != 1, "--threads"),
        (hosts != 1, "--hosts"), (neighborCount != nil, "-k"), (model != nil, "--model"),
        (tau != nil, "--tau"), (maxLevels != nil, "--max-levels"),
        (partition != nil, "--partition"), (memory.limit != nil, "--memory"),
        (network != nil, "--network"),
      ]
      + (search.settings.keys.sorted() + data.namesOfClustering + data.namesOfSearch)
      .map { (true, $0) }
    if let other = others.first(where: \.isGiven) {
      throw ValidationError(
        "--calibrate measures this machine: expected no run to plan, but there is \(other.name)")
    }
  }

  private func validatePlan() throws {
    guard (features == nil) != (points == nil) else {
      throw ValidationError("expected a file of features, or --points and --dimensions")
    }
    guard points == nil || dimensions != nil else {
      throw ValidationError("--points needs --dimensions")
    }
    guard elementType == nil || points != nil else {
      throw ValidationError("--element-type is of --points; a file has its own")
    }
    for (name, value, range) in [
      ("--dimensions", dimensions ?? 1, 1...1 << 24), ("--ranks", ranks, 1...1 << 20),
      ("--threads", threads, 1...4096), ("--hosts", hosts, 1...1 << 20),
      ("-k", neighborCount ?? 2, 2...1 << 30), ("--max-levels", maxLevels ?? 1, 1...1_000_000),
    ] where !range.contains(value) {
      throw ValidationError(
        "\(name) \(value): expected \(range.lowerBound) ... \(range.upperBound)")
    }
    guard hosts <= ranks else {
      throw ValidationError("--hosts \(hosts): expected no more than the \(ranks) of --ranks")
    }
    guard network == nil || hosts > 1 else {
      throw ValidationError("--network is between hosts: expected --hosts 2 or more")
    }
    if let tau, !(0...1).contains(tau) { throw ValidationError("--tau \(tau): expected 0 ... 1") }
    guard tau == nil || data.givenTrials == nil else {
      throw ValidationError("--tau and --trials: expected one of them, as trials choose τ")
    }
    guard partition != .input || data.givenCut == nil else {
      throw ValidationError(
        "--cut and --partition input: expected one of them, as there ranks own points by chance")
    }
    if model != nil, let name = tau != nil ? "--tau" : data.givenTrials != nil ? "--trials" : nil {
      throw ValidationError(
        "\(name) and --model: expected one of them, as only with the built-in model τ is chosen by trials"
      )
    }
    guard search.givenRecall == nil || data.givenPartitions == nil else {
      throw ValidationError(
        "--recall and --partitions: expected one of them, as the recall says how many partitions there are"
      )
    }
    try validateCommand()
  }

  private func validateCommand() throws {
    switch command {
    case .cluster:
      guard neighborCount == nil else {
        throw ValidationError("-k is of --command knn; a model of structure has its own")
      }
    case .knn:
      let names =
        [
          (model != nil, "--model"), (tau != nil, "--tau"), (maxLevels != nil, "--max-levels"),
          (partition != nil, "--partition"),
        ].filter(\.0).map(\.1) + data.namesOfClustering
      if let name = names.first {
        throw ValidationError("\(name) is of clustering; not with --command knn")
      }
    }
  }
}

enum PlannedTask: String, CaseIterable, ExpressibleByArgument { case cluster, knn }

enum PlannedOwnership: String, CaseIterable, ExpressibleByArgument { case locality, input }

enum PlannedElement: String, CaseIterable, ExpressibleByArgument {
  case float32, float16, bfloat16, int8, uint8

  var stored: StoredElement {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int8: .int8
    case .uint8: .uint8
    }
  }
}
