public import Communication
public import DistributedGraphs
public import LinearAlgebra
public import Parallelism

/// Almost all of the nearest other nodes of every owned node by cosine similarity.
///
/// Nodes are divided into cells of nearby directions, those near a border being in several, and compared
/// within cells: by the products of the exact search, with the same bits. This is repeated with other
/// cells until the share of true neighbours that the lists hold reaches what is wanted. The share is
/// estimated by a thousand nodes whose neighbours are found exactly.
///
/// The lists have the order and the bits of
/// ``nearestNeighbors(of:listLength:dividedBy:in:named:using:on:progress:)`` where they hold the same nodes. They do not depend on ranks and threads: cells follow from hashes of the nodes
/// and from sums in a fixed order, and lists keep the first of a total order whatever the order in which
/// candidates come.
///
/// > Collective: over `communicator`. For each partition what ``CellTree``, ``CellMembership`` and
/// > ``searchCells`` send: about `2 ownedCount · (4 columns + 32 + 12 listLength)` bytes there and back,
/// > in 14 rounds, and four more for every slab but one if memory needs several. Before, in three rounds, some
/// > thousand rows go to all ranks; data that prove diffuse then take four more, for other cells. With a store, what
/// > that sends, once for each slab.
///
/// - Parameters:
///   - rows: Owned. Unit rows, or zero rows, which are similar to nothing: they have no neighbours
///     and are in no other list. Shape `[ownedCount × columns]`.
///   - listLength: Replicated. The number of neighbours for each node, without the node itself.
///   - division: Replicated. How much is held at once.
///   - names: Owned. The name of every node, under which it stands in lists, by which ties break and from
///     which cells follow: all different, and none below 0. Given on all ranks or on none; nil names
///     nodes by their index.
///   - recall: Replicated. The share of the true neighbours to find: the lower end of an interval of 95 % after
///     the last partition.
///   - store: Replicated. Where what is found is kept, between slabs of cells, and from where the search goes on if a
///     run before it was ended; nil where it is not.
///   - progress: Called on every rank with the share of its work that is done, in 0 ... 1. How many
///     partitions it takes is not known before. If it throws, it must do so on every rank.
/// - Returns: Lists of `listLength` places, and what was done for them: of a search that went on, by both runs, but
///   for the imbalance.
public func approximateNeighbors(
  of rows: StoredRows, listLength: Int, recall: Double = SearchOptions.usualRecall,
  dividedBy division: SearchDivision = SearchDivision(), in nodes: NodePartition,
  named names: [GlobalNode]? = nil, keptIn store: (any SearchStore)? = nil,
  using workers: Workers = Workers(), on communicator: some Communicator,
  progress: (Double) throws -> Void = { _ in }
) throws -> (lists: NeighborLists, summary: ApproximateSummary) {
  try approximateNeighbors(
    ofFirst: nil, of: rows, listLength: listLength, recall: recall, dividedBy: division, in: nodes,
    named: names, keptIn: store, using: workers, on: communicator, progress: progress)
}

/// The same of all owned nodes, or of those that come first on every rank.
///
/// Where only some ask, the others are in one cell each, and those that ask visit more: centres are found, and cells of the
/// others, but only pairs with a node that asks are compared.
///
/// - Parameters:
///   - askingCount: Owned. Of how many of the owned nodes neighbours are wanted; nil on all ranks for all.
///   - store: Nil if only some ask.
/// - Returns: Lists of all owned nodes; those of nodes that do not ask are empty.
func approximateNeighbors(
  ofFirst askingCount: Int?, of rows: StoredRows, listLength: Int, recall: Double,
  dividedBy division: SearchDivision, in nodes: NodePartition, named names: [GlobalNode]?,
  keptIn store: (any SearchStore)?, using workers: Workers, on communicator: some Communicator,
  progress: (Double) throws -> Void
) throws -> (lists: NeighborLists, summary: ApproximateSummary) {
  precondition(askingCount == nil || store == nil, "a search for some nodes is not kept")
  try communicator.assertReplicated(
    (
      listLength: listLength, recall: recall, division: division, columns: rows.columnCount,
      nodes: nodes.firstNode,
      isNamed: names != nil, isForSome: askingCount != nil
    ))
  let owned = nodes.owned(by: communicator.rank)
  let names = owned.names(names, ofRows: rows.rowCount)
  let askingNodeCount = try askingCount.map { try communicator.sum($0) }
  let plan = SearchPlan(
    nodeCount: nodes.nodeCount, listLength: listLength, askingCount: askingNodeCount)
  let capacity = min(listLength, max(nodes.nodeCount - 1, 0))
  // A function, so that the memory of what was kept is that of the lists alone.
  func begun() throws -> (place: SearchPlace?, lists: CandidateLists) {
    guard capacity > 0,
      let kept = try store?.newest(length: capacity, in: nodes, on: communicator)
    else {
      // Nothing is near enough for the lists of nodes that do not ask.
      let bounds = (0..<owned.count).map { $0 < askingCount ?? .max ? -Float.infinity : .infinity }
      return (nil, CandidateLists(capacity: capacity, bounds: bounds))
    }
    return (kept.place, CandidateLists(kept, capacity: capacity))
  }
  var (start, lists) = try begun()
  let directed = rows.rowsThatAreNotZeros
  let asking = askingCount.map { count in Array(directed.prefix { $0 < count }) }
  func chosenSamples(seed: UInt64) throws -> SearchSamples {
    try SearchSamples(
      of: directed, asking: asking, among: nodes.nodeCount, named: names, by: plan, seed: seed,
      on: communicator)
  }
  var samples = try chosenSamples(seed: 1)
  let sample = try RecallSample(
    samples, of: rows, named: names, listLength: lists.capacity, using: workers, on: communicator)
  // Owned.
  var pairCount = Double(sample.rowCount * directed.count)
  var estimate = sample.estimateOfEmptyLists
  var summary = ApproximateSummary(
    wantedRecall: recall, recall: estimate, recallByPartition: [], cellCount: plan.cellCount,
    meanCells: 0, comparedPairs: sample.pairCount, imbalance: 1)
  var effort = plan.effort(isDiffuse: false)
  // The share of the work before a partition, and that of the partition if as many follow as are expected.
  var (shareBefore, ownShare) = (0.0, 0.5)
  func shareOfNext(after partitionCount: Int) -> Double {
    let left = min(
      SearchPlan.morePartitions(from: estimate.lower, to: recall),
      SearchPlan.maximumPartitions - partitionCount)
    // It may take more in the end.
    return 0.98 * (1 - shareBefore) / Double(max(left, 1))
  }
  var finishedTaskCount = 0
  if let start = start.take() {
    (summary, estimate) = (start.summary, start.summary.recall)
    effort = plan.effort(isDiffuse: start.isDiffuse)
    finishedTaskCount = start.taskCount
    if !summary.recallByPartition.isEmpty {
      ownShare = shareOfNext(after: summary.recallByPartition.count)
    }
  }
  let firstNumber = summary.recallByPartition.count
  func keep(_ lists: CandidateLists, _ place: SearchPlace) throws {
    guard let store, try store.isDue(on: communicator) else { return }
    try store.keep(
      SearchState(place: place, names: lists.names, similarities: lists.similarity), in: nodes,
      on: communicator)
  }
  // Where no neighbour of the sample is missed, no partition can make the estimate better.
  while lists.capacity > 0, estimate.lower < recall, estimate.mean < 1,
    summary.recallByPartition.count < SearchPlan.maximumPartitions
  {
    let number = summary.recallByPartition.count
    var place = SearchPlace(summary: summary, isDiffuse: effort.isDiffuse, taskCount: 0)
    if number > firstNumber { try keep(lists, place) }
    let seed = UInt64(number) + 1
    if number > 0 { samples = try chosenSamples(seed: seed) }
    func cells() throws -> CellTree {
      try CellTree(
        of: rows, at: directed, ofAll: samples.directedCount, named: names,
        groupsBy: samples.groups(by: effort), cellCount: plan.cellCount(by: effort), seed: seed,
        using: workers, on: communicator)
    }
    var tree = try cells()
    if number == 0, try sample.isDiffuse(in: tree, of: rows, using: workers, on: communicator) {
      let scale = effort.cellScale
      effort = plan.effort(isDiffuse: true)
      if effort.cellScale != scale {
        pairCount += tree.ownPairCount
        tree = try cells()
      }
    }
    let findingShare = plan.findingShare(by: effort)
    let membership = try CellMembership(
      of: rows, at: directed, askingFirst: askingCount ?? rows.rowCount, marginBy: samples.margin,
      in: tree, by: effort, using: workers, on: communicator
    ) { share in
      try progress(shareBefore + share * findingShare * ownShare)
    }
    let tasks = try CellTasks(
      membership, cellCount: tree.cellCount, rowByteCount: rows.rowByteCount,
      listLength: lists.capacity, seed: seed, dividedBy: division,
      after: number == firstNumber ? finishedTaskCount : 0, on: communicator)
    pairCount += try searchCells(
      of: rows, membership, tasks, named: names, into: &lists, using: workers,
      on: communicator
    ) { lists, taskCount in
      place.taskCount = taskCount
      try keep(lists, place)
    } progress: { share in
      try progress(
        shareBefore + (findingShare + share * (1 - findingShare)) * ownShare)
    }
    let ownAsking = asking?.count ?? directed.count
    pairCount +=
      tree.ownPairCount + tree.pairCount(rowCount: ownAsking, by: effort)
      + tree.pairCount(otherCount: directed.count - ownAsking, by: effort)
    (estimate, summary.imbalance) = try sample.estimate(
      lists, afterComparing: pairCount, on: communicator)
    summary.recall = estimate
    summary.cellCount = plan.cellCount(by: effort)
    summary.recallByPartition.append(estimate.mean)
    let allAsking = askingNodeCount ?? nodes.nodeCount
    summary.comparedPairs +=
      tasks.pairCount + tree.pairCount(rowCount: allAsking, by: effort)
      + tree.pairCount(otherCount: nodes.nodeCount - allAsking, by: effort)
    let visits = tasks.visitCount / Double(max(allAsking, 1))
    summary.meanCells += (visits - summary.meanCells) / Double(number + 1)
    if number == 0, SearchEffort.isLow(estimate.mean) { effort = plan.effort(isDiffuse: true) }
    shareBefore += ownShare
    ownShare = shareOfNext(after: number + 1)
  }
  try progress(1)
  return ((consume lists).neighborLists(listLength: listLength, using: workers), summary)
}

extension StoredRows {
  /// Ascending.
  fileprivate var rowsThatAreNotZeros: [Int] { (0..<rowCount).filter { !isZero($0) } }
}
