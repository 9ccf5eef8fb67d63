import ArgumentParser
import Communication
import Datasets
import DistributedGraphs
import Evaluation
import FoundationEssentials
import HierarchicalClustering
import HierarchyReports
import MPICommunication
import MPIPrograms
import NeighborSearch
import Parallelism
import Training

struct ClusterCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Cluster embeddings.",
    discussion: """
        highland cluster features.npy --output labels.npy
        highland cluster 'part-*.npy' --model model.safetensors --output labels.npy
        highland cluster features.npy --method dbscan --eps 0.3 --output labels.npy
        mpirun -n 4 highland cluster features.npy --output labels.npy --save run/

      By flow: builds the nearest-neighbour graph, weighs edges by common neighbours, and finds the \
      modules in which a random walk stays long. By a network: predicts linkage and density with \
      the model, merges components into the nodes of the next level, and repeats until nothing \
      merges.

      Labels are 0, 1, 2, … in the order in which clusters first appear. They are the same, bit \
      for bit, on any number of ranks and threads.
      """)

  @OptionGroup var input: FeatureOptions
  @OptionGroup var transforming: TransformOptions

  @Option(
    help: ArgumentHelp(
      "What clusters: flow, network, auto, or a method of highland benchmark.",
      discussion: """
        flow needs no training. auto does both, with the built-in model, and takes the clusters that \
        are separated better. Default: network if one of its options is given (--model, --granularity, \
        --tau, --tau-later, --tau-by-silhouette, --max-levels, --early-stop, --hierarchy, --neighbors, \
        --similarities, --partition, --groups), flow with -k, else auto, and of more than 200,000 points network. \
        components, dbscan, hdbscan, finch and average-linkage cluster by parameters that you know; \
        Docs/Algorithms/Baselines.md tells what each computes.
        """))
  var method: ClusterMethod?

  @OptionGroup var baselines: BaselineOptions

  @OptionGroup var linkage: LinkageOptions

  @Option(
    name: .shortAndLong,
    help: "Write the labels here: .npy of int64, or .txt, one per line. Default: not written.")
  var output: String?

  @Option(
    name: .customShort("k"),
    help: ArgumentHelp(
      "Places in a point's neighbour list, the point itself included.",
      discussion: """
        As in the authors' scripts, -k 10 means at most 9 other points. Default: by flow chosen on the \
        data; by a network the k that it was trained with, 10 if the model does not say; by components and dbscan 81.
        """))
  var neighborCount: Int?

  @Flag(help: "Stop once merges fall by less than a factor of k − 1 from level to level.")
  var earlyStop = false

  @Option(
    help: ArgumentHelp(
      "True labels, .npy of integers or text of numbers or names: print how well clusters agree with them.",
      discussion: """
        With --report, also how far the probabilities of a network are right, level by level. They are not used for \
        anything else.
        """))
  var truth: String?

  @OptionGroup var noise: NoiseOptions

  @Option(help: "Write every level to this directory; Docs/Formats.md describes the files.")
  var hierarchy: String?

  @Option(
    help: ArgumentHelp(
      "Save the clustering in this directory, so that highland assign finds the clusters of new points.",
      discussion: """
        It takes 4 bytes for each column of a point, 12 for each place of its neighbour list and 24 more, with \
        --groups 40; Docs/Formats.md describes the files. Not with --clusters or --neighbors.
        """))
  var save: String?

  @Option(help: "Write parameters, counts, seconds, bytes and metrics as JSON.")
  var report: String?

  @Option(
    help: ArgumentHelp(
      "Keep what is finished in this directory, and go on from there.",
      discussion: """
        The same command goes on after whatever has ended it, also on another number of ranks, to the same \
        labels. Kept are what a long approximate search has found so far; the neighbours of level 0, which serve a \
        network with other thresholds, too; and with --method network, but not with --hierarchy, the thresholds that \
        were chosen, and every level.
        """))
  var checkpoint: String?

  @OptionGroup var resuming: ResumeOptions

  @Option(
    help: "Use your own neighbours, integers [points × any], −1 for none; with --similarities.")
  var neighbors: String?

  @Option(help: "Cosine similarities to --neighbors, of the same shape.")
  var similarities: String?

  @Option(
    help: """
      What to do with rows of zeros, NaN or infinite values: error refuses the file, singleton keeps \
      each as a cluster of its own.
      """)
  var invalidRows = InvalidRowPolicy.error

  @Option(
    name: .customLong("partition"),
    help: ArgumentHelp(
      "Which rank owns which points: locality, input, or a file of ranks.",
      discussion: """
        locality: points near each other in the neighbour graph, so that ranks need little of each other. \
        input: consecutive points. A file: the rank of every point, .npy of integers or text, as METIS or \
        KaMinPar divide the graph. It means --method network, no label of which depends on it. Default: locality; \
        flow keeps the input's.
        """))
  var partition: String?

  @Option(
    name: .customLong("nodes-per-rank"),
    help: ArgumentHelp(
      "The fewest points, or nodes of a later level, for each rank. Default: 2048.",
      discussion: """
        Of so few that half of the ranks are enough, no more ranks than that cluster, and the others wait. 1: always \
        all ranks, as with a file of ranks. No label depends on it.
        """))
  var givenNodesPerRank: Int?

  @OptionGroup var grouping: GroupOptions

  @Option(
    help: ArgumentHelp(
      "How many clusters every group has: a number, or MIN..MAX.",
      discussion: """
        Needs --groups. A group with too many merges the most probable links that are left; one with too few \
        is clustered above higher thresholds, until it has enough. Points with the same direction stay together, \
        and a point without one is a cluster.
        """), transform: ClusterCounts.init(argument:))
  var clusters: ClusterCounts?

  @OptionGroup var search: NeighborSearchOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var progress: ProgressOptions
  @OptionGroup var outputs: OutputOptions

  private var groups: String? { grouping.groups }
  private var model: String? { linkage.model }

  /// The options that only networks have, as they are given.
  private var networkOptions: [String] {
    linkage.names
      + [
        (earlyStop, "--early-stop"), (hierarchy != nil, "--hierarchy"),
        (neighbors != nil, "--neighbors"), (similarities != nil, "--similarities"),
        (partition != nil, "--partition"), (groups != nil, "--groups"),
      ].filter(\.0).map(\.1)
  }

  /// The method that was asked for, if it is one of Highland's own.
  private var ownMethod: ClusteringMethod? {
    if case .own(let method) = method { method } else { nil }
  }

  /// What was asked for, or follows from the other options.
  private func chosenMethod(for pointCount: Int) -> ClusteringMethod {
    ownMethod
      ?? .usual(
        for: pointCount, hasNetworkOptions: !networkOptions.isEmpty,
        hasNeighborCount: neighborCount != nil)
  }

  /// Refuses what a method with parameters does nothing with.
  private func validate(_ method: BenchmarkMethod) throws {
    let others = [
      (save != nil, "--save"), (checkpoint != nil, "--checkpoint"), (clusters != nil, "--clusters"),
      (memory.givenMemory != nil, "--memory"),
      (neighborCount != nil && !method.hasNeighborCount, "-k"),
    ].filter(\.0).map(\.1)
    let ofSearch = method == .averageLinkage ? search.settings.keys.sorted() : []
    if let option = (networkOptions + others + ofSearch).first {
      throw ValidationError("\(option) is not for --method \(method.rawValue)")
    }
    if let neighborCount, neighborCount < 2 {
      throw ValidationError("-k \(neighborCount): expected 2 or more, the point and another")
    }
    if let givenNodesPerRank, givenNodesPerRank < 1 {
      throw ValidationError("--nodes-per-rank \(givenNodesPerRank): expected 1 or more")
    }
    try outputs.check([output, report], named: "--output or --report")
  }

  func validate() throws {
    try baselines.check(for: method, neighborCount: neighborCount)
    try resuming.check(checkpoint)
    guard truth != nil || noise.noiseLabel == nil else {
      throw ValidationError("--noise-label is of true labels: expected --truth")
    }
    if case .baseline(let method) = method { return try validate(method) }
    if let neighborCount, neighborCount < 1 {
      throw ValidationError("-k \(neighborCount): expected 1 or more")
    }
    if let method = ownMethod, method != .network, let option = networkOptions.first {
      throw ValidationError(
        "\(option) is of networks; not with --method \(method.rawValue)")
    }
    if let neighborCount {
      guard ownMethod != .auto else {
        throw ValidationError(
          "-k is of one method; with --method auto each has its own: expected --method flow or network"
        )
      }
      guard chosenMethod(for: 0) != .flow || neighborCount > 1 else {
        throw ValidationError(
          "-k \(neighborCount): expected 2 or more, as flow goes to other points")
      }
    }
    guard linkage.maxLevels > 2 || !earlyStop else {
      throw ValidationError(
        "--early-stop compares the merges of two levels before a third; "
          + "expected --max-levels 3 or more")
    }
    guard (neighbors == nil) == (similarities == nil) else {
      throw ValidationError("--neighbors and --similarities go together")
    }
    guard neighbors == nil || search.settings.isEmpty else {
      throw ValidationError(
        "\(search.settings.keys.sorted()[0]) is of neighbours that are searched, --neighbors gives "
          + "them: expected one of them")
    }
    guard checkpoint == nil || neighbors == nil else {
      throw ValidationError(
        "--checkpoint keeps neighbours that are searched, --neighbors gives them: expected one of them"
      )
    }
    guard groups != nil || clusters == nil else {
      throw ValidationError(
        "--clusters needs --groups; of all points highland cut RUN --clusters N makes so many, of a run that "
          + "--save has written")
    }
    if let givenNodesPerRank {
      guard givenNodesPerRank > 0 else {
        throw ValidationError("--nodes-per-rank \(givenNodesPerRank): expected 1 or more")
      }
      guard givenNodesPerRank == 1 || partitionFile == nil else {
        throw ValidationError(
          "--nodes-per-rank \(givenNodesPerRank) and a file of ranks, all of which take part: expected one of "
            + "them, or --nodes-per-rank 1")
      }
    }
    guard save == nil || neighbors == nil else {
      throw ValidationError(
        "--save keeps neighbours that are searched, --neighbors gives them: expected one of them")
    }
    guard save == nil || transforming.transform == nil else {
      throw ValidationError(
        "--save and --transform: expected one of them, as new points are assigned as they are; highland convert "
          + "--transform writes rows for both")
    }
    guard save == nil || clusters == nil else {
      throw ValidationError(
        "--save and --clusters: expected one of them, as new points may found clusters")
    }
    if groups != nil {
      for (isGiven, name, reason) in [
        (neighbors != nil, "--neighbors (--similarities)", "within groups neighbours are searched"),
        (!search.settings.isEmpty, "--search (--recall)", "small groups are searched exactly"),
        (partition != nil, "--partition", "groups have ranks by their cost"),
        (checkpoint != nil, "--checkpoint", "within groups the search is short"),
        (earlyStop, "--early-stop", "every group stops by itself"),
        (hierarchy != nil, "--hierarchy", "groups have levels of their own"),
      ] where isGiven {
        throw ValidationError(
          "\(name) and --groups (--clusters): expected one of them, as \(reason)")
      }
    }
    try outputs.check(
      [output, report, hierarchy, save], named: "--output, --report, --hierarchy or --save")
  }

  func run(on communicator: MPICommunicator) throws {
    ProcessMemory.returnFreedArrays()
    try outputs.check(
      [.labels(output), .json(report)],
      readingRows: [input.features],
      reading: [
        model, truth, neighbors, similarities, partitionFile, groups,
        transforming.transform,
      ],
      outside: [hierarchy, save], keepingIn: checkpoint,
      on: communicator)
    try communicator.agree {
      guard communicator.rank == Rank(0) else { return }
      for (path, marker) in [
        (hierarchy, StoredHierarchy.marker), (save, FittedClustering.marker),
      ] {
        guard let path else { continue }
        try checkWritableDirectory(path, marker: marker, overwrite: outputs.overwrite)
      }
    }
    let source = try transforming.applied(to: input.open(on: communicator), on: communicator)
    let count =
      fewRanks(for: source.rowCount, atLeast: nodesPerRank, of: communicator.size)
      ?? communicator.size
    _ = try communicator.withFirstRanks(count) { few in
      do {
        try run(source, waitingRankCount: communicator.size - count, on: few)
      } catch let error as LabelComparisonError {
        // Thrown on every rank of these, which the others must hear of.
        throw AgreedFailure(reason: "\(error)")
      }
    }
  }

  /// The fewest nodes for each rank, of any level.
  private var nodesPerRank: Int { partitionFile == nil ? givenNodesPerRank ?? 2048 : 1 }

  /// Clusters points that are not too few for these ranks.
  ///
  /// > Collective: over `communicator`.
  ///
  /// - Parameter waitingRankCount: Replicated. How many ranks of the job take no part.
  private func run(
    _ rows: FeatureRows, waitingRankCount: Int, on communicator: MPICommunicator
  ) throws {
    var source = rows
    try outputs.reserveSpace(forLabels: source.rowCount, at: output, on: communicator)
    let trueLabels = try truth.map { path in
      let (labels, file) = try communicator.agree {
        try readLabels(path, count: source.rowCount, communicator)
      }
      let truth = try TrueLabels(labels, of: file, noise: noise.noiseLabel, on: communicator)
      guard let groups else { return truth }
      return truth.renumbered(
        try communicator.agree {
          try readLabels(path, within: groups, count: source.rowCount, communicator)
        })
    }
    let pointGroups = try groups.map { try readGroups($0, of: source, progress, on: communicator) }
    let workers = try threads.workers(on: communicator)
    if case .baseline(let method) = method {
      return try cluster(
        source, by: method, trueLabels, workers, waitingRankCount: waitingRankCount,
        on: communicator)
    }
    let method = chosenMethod(for: source.rowCount)
    let trained =
      method == .flow
      ? nil
      : try TrainedModel(path: model, dimensions: source.dimensions, on: communicator)
    source = try communicator.agree { try rows.transformed(for: trained, using: workers) }
    let owners = try communicator.agree {
      try ownership(of: source.rowCount, on: communicator)
    }
    let (memoryPlan, memoryBound) = try memoryPlan(
      method, trained, source, workers,
      largestShare: largestShare(of: source.rowCount, pointGroups, owners, on: communicator),
      on: communicator)
    var searchOptions = search.options
    searchOptions.division = memoryPlan.division
    try sayForecast(method, trained, source, searchOptions, workers, on: communicator)
    let options = ClusteringOptions(
      neighborCount: neighborCount, threshold: linkage.tau, laterThreshold: linkage.tauLater,
      choosesThreshold: linkage.tauBySilhouette, granularity: linkage.granularity,
      maximumLevels: linkage.maxLevels,
      stopsEarly: earlyStop, clusterCounts: clusters?.range, search: searchOptions,
      ownership: owners, nodesPerRank: nodesPerRank, invalidRows: invalidRows,
      memoryBound: memoryBound, workers: workers)
    let flow =
      method == .network
      ? nil
      : FlowPlan(
        neighborCount: neighborCount, search: searchOptions, invalidRows: invalidRows,
        workers: workers)
    let network = try trained.map { trained in
      try communicator.agree {
        try ClusteringPlan(options, with: trained, within: pointGroups) { length in
          try readNeighbors(of: source, length: length, for: trained, on: communicator)
        }
      }
    }
    let plan = MethodPlan(flow: flow, network: network)
    let writes = LastWrites()
    func run(_ hierarchy: HierarchyWriter?) throws {
      try cluster(
        source, plan, model: trained, within: pointGroups,
        trueLabels, memoryPlan, workers, waitingRankCount: waitingRankCount, hierarchy: hierarchy,
        writes, on: communicator)
    }
    guard let hierarchy else {
      try run(nil)
      return try writes.finish()
    }
    try writeDirectory(
      to: hierarchy, marker: StoredHierarchy.marker, overwrite: outputs.overwrite,
      on: communicator
    ) { try run(HierarchyWriter(in: $0)) }
    try writes.finish()
  }

  /// Clusters by a method with parameters, and writes what was asked for.
  ///
  /// > Collective: over `communicator`.
  private func cluster(
    _ source: FeatureRows, by method: BenchmarkMethod, _ trueLabels: TrueLabels?,
    _ workers: Workers,
    waitingRankCount: Int, on communicator: MPICommunicator
  ) throws {
    let clustering = try BaselineClustering(
      of: source, by: method, baselines.setting(of: method),
      mayBeLast: baselines.finchPartition == nil, neighborCount: neighborCount,
      searching: search.options, invalid: invalidRows, using: workers,
      ProgressReporter(progress, on: communicator), on: communicator)
    var report = try BaselineReport(
      of: clustering, features: input.features, transform: transforming.transform,
      threadCount: workers.count, on: communicator)
    report.nodesPerRank = nodesPerRank
    report.waitingRankCount = waitingRankCount
    report.metrics = try trueLabels.map {
      try $0.metrics(of: clustering.labels, on: communicator)
    }
    Watchdog.phase = "write"
    let writes = LastWrites()
    if let output {
      try writes.attempt {
        try outputs.write(clustering.labels, of: clustering.points, to: output, on: communicator)
      }
    }
    if let path = self.report {
      try writes.attempt {
        try writeJSON(report, to: path, overwrite: outputs.overwrite, on: communicator)
      }
    }
    try writes.finish()
    guard communicator.rank == Rank(0) else { return }
    print(report.account)
    if let metrics = report.metrics { print(metrics) }
  }

  /// The file of `--partition`, if it is no rule.
  private var partitionFile: String? {
    partition.flatMap { ["locality", "input"].contains($0) ? nil : $0 }
  }

  /// What `--partition` says.
  ///
  /// - Throws: ``DataError`` for a file without a rank for every point; it names the row.
  private func ownership(of count: Int, on communicator: some Communicator) throws -> NodeOwnership
  {
    guard let path = partitionFile else { return partition == "input" ? .byInput : .byLocality }
    guard try exists(path) else {
      throw DataError(
        path: path, problem: "no such file; expected --partition locality, input or a file of ranks"
      )
    }
    let (ranks, file) = try readLabels(path, count: count, communicator)
    try file.requireIntegers()
    if let row = ranks.firstIndex(where: { !(0..<Int64(communicator.size)).contains($0) }) {
      throw DataError(
        path: path,
        problem: "row \(ownShare(of: count, on: communicator).lowerBound + row): \(ranks[row]); "
          + "expected a rank, \(communicator.size == 1 ? "0" : "0 ... \(communicator.size - 1)")")
    }
    return .given(ranks.map { Int($0) })
  }

  /// Why the network clustered, if nobody asked for it by name.
  private func methodReason(of clustering: Clustering) -> String? {
    guard method == nil, model == nil, clustering.choice.thresholds != nil,
      clustering.comparison == nil
    else { return nil }
    if let option = networkOptions.first { return "as \(option) is given" }
    return
      "as there are more than \(ClusteringMethod.mostPointsForBoth) points; --method auto tries flow, too"
  }

  /// What a report says was asked for, once it is known what was chosen.
  private func parameters(
    of clustering: Clustering, _ plan: MethodPlan, _ model: TrainedModel?
  ) -> ClusteringAccount {
    var account = ClusteringAccount(of: clustering, by: plan, with: model)
    account.features = input.features
    if let path = transforming.transform { account.transform = path }
    account.neighbors = neighbors
    account.similarities = similarities
    account.methodReason = methodReason(of: clustering)
    return account
  }

  /// How the run fits into memory, and what bounds it where it may not; refuses it where it cannot, before anything
  /// is read or searched.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private func memoryPlan(
    _ method: ClusteringMethod, _ model: TrainedModel?, _ source: FeatureRows, _ workers: Workers,
    largestShare: Int, on communicator: MPICommunicator
  ) throws -> (MemoryOptions.Plan, MemoryBound?) {
    var networks: (usual: ClusteringMemory, most: ClusteringMemory)?
    if let model {
      let k = model.neighborCount(neighborCount)
      try checkLists(
        neighborCount == nil ? "k = \(k) of \(model.name)" : "-k \(k)",
        length: model.linkage.listLength(neighborCount: k), source, on: communicator)
      func need(_ coarseShare: Double) -> ClusteringMemory {
        ClusteringMemory(
          source, with: model, neighborCount: k, largestShare: largestShare,
          keepsLists: hierarchy != nil, coarseShare: coarseShare, on: communicator)
      }
      networks = (need(0.5), need(1))
    }
    var ofFlow: ((SearchOptions) -> Double)?
    var flowLength = 0
    if method != .network {
      flowLength = min(
        FlowPlan(neighborCount: neighborCount).longestList, max(source.rowCount - 1, 0))
      try checkLists(
        neighborCount.map { "-k \($0)" } ?? "--method \(method.rawValue)", length: flowLength,
        source, on: communicator)
      let need = SearchMemory(
        rowCount: largestShare, nodeCount: source.rowCount, columnCount: source.dimensions,
        element: source.storedElement, listLength: flowLength, rankCount: communicator.size)
      let flow = FlowMemory(need)
      ofFlow = { max(need.bytes(by: $0), flow.bytes) }
    }
    // The neighbours of level 0 stay until they are saved.
    let savedPlaces = save == nil ? 0 : max(networks?.usual.search.listLength ?? 0, flowLength)
    let saved =
      12 * Double(savedPlaces) * Double(largestShare)
    var options = search.options
    func bytes(_ network: ClusteringMemory?, _ division: SearchDivision) -> Double {
      options.division = division
      return saved + max(network?.bytes(by: options) ?? 0, ofFlow?(options) ?? 0)
    }
    let purpose = "clusters of [\(source.rowCount) × \(source.dimensions)] points"
    let plan = try memory.plan(
      of: purpose, threadCount: workers.count,
      orElse: method == .auto ? "; --method network takes less" : "", on: communicator,
      usualNeed: { bytes(networks?.usual, $0) }, { bytes(networks?.most, $0) })
    guard let networks, let room = plan.room else { return (plan, nil) }
    ProgressReporter(progress, on: communicator).warn(
      "\(purpose) fit into --memory \(memory.givenMemory!) if half of them merge, and of the clusters after that; "
        + "otherwise this run ends before it takes more")
    options.division = plan.division
    return (plan, MemoryBound(networks.most, bytes: room - saved, search: options))
  }

  /// Points of the rank with most of them, once nodes have their owners.
  ///
  /// > Collective: over `communicator`. As ``PointGroups/largestShare(of:on:)`` if there are groups, and a round of 8 bytes
  /// > per rank to every rank for owners that are given.
  private func largestShare(
    of count: Int, _ groups: PointGroups?, _ ownership: NodeOwnership,
    on communicator: MPICommunicator
  ) throws -> Int {
    var most = equalShare(of: count, on: communicator)
    if let groups {
      let points = NodePartition(sharing: count, among: communicator.size)
      most = max(most, try groups.largestShare(of: points, on: communicator))
    }
    if case .given(let ranks) = ownership {
      var counts = Array(repeating: Int64(0), count: communicator.size)
      for rank in ranks { counts[rank] += 1 }
      most = max(most, Int(try communicator.sums(counts).max()!))
    }
    return most
  }

  /// Says that the run will take long, where that is known: of a network of structure that clusters alone and searches all
  /// neighbours.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private func sayForecast(
    _ method: ClusteringMethod, _ model: TrainedModel?, _ source: FeatureRows,
    _ search: SearchOptions, _ workers: Workers, on communicator: MPICommunicator
  ) throws {
    guard method == .network, groups == nil, neighbors == nil, let model,
      case .structure(let network) = model.linkage
    else { return }
    let goal = ClusteringJob.NetworkGoal(
      choosesThreshold: linkage.tauBySilhouette || model.isForAnyData && linkage.tau == nil,
      movesNodes: partition != "input", maximumLevels: linkage.maxLevels)
    let job = try ClusteringJob(
      .network(network, goal), of: source, neighborCount: model.neighborCount(neighborCount),
      search: search, using: workers, on: communicator)
    if let forecast = job?.forecast {
      ProgressReporter(progress, on: communicator).note(forecast)
    }
  }

  /// Refuses lists that no memory holds, with the option that asks for them.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  private func checkLists(
    _ option: String, length: Int, _ source: FeatureRows, on communicator: MPICommunicator
  ) throws {
    try MemoryNeed(
      neighbors: option, ownedCount: ownShare(of: source.rowCount, on: communicator).count,
      pointCount: source.rowCount, columnCount: length, isWritten: false,
      rankCount: communicator.size
    ).check(on: communicator)
  }

  /// Clusters by flow, by a network, or, if there are both, by the better one; and writes what was asked for.
  private func cluster(
    _ source: FeatureRows, _ plan: MethodPlan, model: TrainedModel?,
    within pointGroups: PointGroups?, _ trueLabels: TrueLabels?,
    _ memoryPlan: MemoryOptions.Plan, _ workers: Workers, waitingRankCount: Int,
    hierarchy: HierarchyWriter?, _ writes: LastWrites,
    on communicator: MPICommunicator
  ) throws {
    let reporter = ProgressReporter(progress, on: communicator)
    let (store, runs) =
      try checkpoint.map {
        try stores(
          $0, source, plan, model, keepsRuns: hierarchy == nil, reporter, on: communicator)
      } ?? (nil, nil)
    let remembered =
      groups != nil
      ? nil
      : save.map { _ in
        RememberedLists(
          length: plan.flow == nil ? plan.network?.listLength : nil, passingOnTo: store)
      }
    let observer = ClusteringReporter(
      progress: reporter, hierarchy: hierarchy, store: remembered ?? store, runs: runs,
      truth: report == nil ? nil : trueLabels?.points)
    let start = ContinuousClock.now
    let clustering = try HierarchicalClustering.cluster(
      source, by: plan, observer: observer, on: communicator)
    let elapsed = try communicator.maximum(start.duration(to: .now) / .seconds(1))

    let metrics = try trueLabels.map {
      try $0.metrics(of: clustering.labels, on: communicator)
    }
    var report = try ClusterReport(
      of: clustering, parameters(of: clustering, plan, model),
      dimensions: source.dimensions, threadCount: workers.count, elapsedSeconds: elapsed,
      memoryPlan, on: communicator)
    if clustering.choice.listLength == nil { report.partition = partition ?? "locality" }
    report.nodesPerRank = nodesPerRank
    report.waitingRankCount = waitingRankCount
    report.metrics = metrics

    Watchdog.phase = "write"
    if let output {
      try writes.attempt {
        try outputs.write(clustering.labels, of: clustering.points, to: output, on: communicator)
      }
    }
    try hierarchy?.finish(
      clustering, report.parameters, dimensions: source.dimensions, version: report.highland,
      on: communicator)
    if let path = self.report {
      try writes.attempt {
        try writeJSON(report, to: path, overwrite: outputs.overwrite, on: communicator)
      }
    }
    if let save {
      let settings = FittedClustering.Settings(
        report.parameters, dimensions: source.dimensions, clusterCount: clustering.clusterCount)!
      var options = search.options
      options.division = memoryPlan.division
      let fit = try FittedClustering(
        of: source, labels: clustering.labels, settings,
        model: settings.method == .network ? model : nil,
        along: remembered?.lists,
        within: pointGroups.map {
          (points: $0, names: try readGroupNames(groups!, count: source.rowCount, on: communicator))
        }, searching: options, using: workers, on: communicator)
      try writes.attempt {
        try fit.write(to: save, overwrite: outputs.overwrite, on: communicator)
      }
    }
    guard communicator.rank == Rank(0) else { return }
    print(report.table)
    for level in report.levels {
      if let account = level.search?.account { print("Level \(level.level): \(account)") }
      if let account = report.borders(of: level) { print("Level \(level.level): \(account)") }
    }
    print(report.parameters.account)
    print(report.summary)
    if let metrics { print(metrics) }
    if output == nil, hierarchy == nil, save == nil {
      print("The labels were not written: --output FILE writes them.")
    }
  }

  /// Where the neighbours of level 0 are kept, and the levels of a network that clusters alone.
  ///
  /// > Collective: over `communicator`. As ``Fingerprint`` of the file, which is read once more.
  ///
  /// - Parameter keepsRuns: Replicated. Whether a run may go on after its first level.
  private func stores(
    _ directory: String, _ source: FeatureRows, _ plan: MethodPlan, _ model: TrainedModel?,
    keepsRuns: Bool,
    _ reporter: ProgressReporter, on communicator: MPICommunicator
  ) throws -> (any ListStore, RunStore?) {
    let rows = try Fingerprint(of: source, on: communicator).description
    let lists = try NeighborCheckpoint(
      directory, of: rows, search.options,
      listLength: max(plan.flow?.longestList ?? 0, plan.network?.listLength ?? 0),
      invalid: invalidRows, mergingCopies: plan.network?.mergesCopies ?? true,
      version: highlandVersion, every: resuming.interval(on: communicator),
      resuming: resuming.rule, note: reporter.warn, on: communicator)
    guard keepsRuns, case .network(let network) = plan else { return (lists, nil) }
    let modelText = try communicator.agree {
      let file = try TensorFile(contents: model!.contents!, name: model!.name)
      let tensors = try file.names.map { try file.tensor($0) }
      return "\(Fingerprint(of: tensors)), \(file.metadata.sorted { $0.key < $1.key })"
    }
    let runs = try RunStore(
      directory, plan: network, input: ["features": rows, "model": digest(of: modelText)],
      version: highlandVersion, resuming: resuming.rule, note: reporter.warn, on: communicator)
    return (lists, runs)
  }

  /// This rank's share of the user's neighbour lists, in the order and length that the method wants.
  private func readNeighbors(
    of source: FeatureRows, length: Int, for model: TrainedModel, on communicator: some Communicator
  ) throws -> NeighborLists? {
    guard let neighbors, let similarities else { return nil }
    guard model.transform == nil else {
      throw DataError(
        path: neighbors,
        problem:
          "neighbours of rows as they are; expected no --neighbors, as '\(model.name)' transforms rows"
      )
    }
    let owned = ownShare(of: source.rowCount, on: communicator)
    let files = try NeighborFiles(neighbors: neighbors, similarities: similarities)
    // A network of coordinates takes what there is; fewer will do where they hold all other points.
    let mayBeShorter = model.linkage.settings == nil
    guard mayBeShorter || files.listLength >= min(length, source.rowCount - 1) else {
      throw DataError(
        path: neighbors,
        problem: "\(files.listLength) neighbours of each point; expected \(length) or more, "
          + "as '\(model.name)' looks at that many: highland knn -k \(length + 1)")
    }
    return try files.lists(owned, nodeCount: source.rowCount)
      .canonical(listLength: length, firstNode: owned.lowerBound)
  }
}

/// This rank's share of a file of labels for `count` points, and the file.
func readLabels(
  _ path: String, count: Int, _ communicator: some Communicator
) throws -> (share: [Int64], file: LabelFile) {
  let file = try LabelFile(path: path)
  guard file.count == count else {
    throw file.miscount(expected: count, "one per point")
  }
  return (try file.labels(ownShare(of: count, on: communicator)), file)
}
