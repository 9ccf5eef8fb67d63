internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism

extension FittedClustering {
  /// Whether groups of points were clustered each by itself.
  public var hasGroups: Bool { groups != nil }
}

/// New points and a fit, both in groups. Each group is assigned on one rank, as if there were no other.
struct GroupedAssignment<Source: EmbeddingSource> {
  private let source: Source
  private let fit: FittedClustering
  private let options: AssigningOptions
  /// The groups of this rank that have new points, in the order of these.
  private let groups: [Group]
  /// The nodes of the fit in these groups, in the order of the input.
  private let nodes: ArrivedNodes

  /// A group of this rank.
  private struct Group {
    /// The new points, ascending.
    var points: [Int] = []
    /// Their places among those that arrived.
    var places: [Int] = []
    /// The places of the fit's nodes among those that arrived.
    var nodes: [Int] = []
  }

  /// How the new points came, by which their labels return.
  private let sentCounts: [Int]
  private let sentPlaces: [Int]
  private let arrivedCounts: [Int]

  /// Brings the points of every group together.
  ///
  /// > Collective: over `communicator`. As ``GroupDeal/init(ofPoints:andNodes:on:)``; then 24 bytes for each new point, and the
  /// > fit's nodes in groups with new points, with their rows and lists, to the owners of their groups.
  ///
  /// - Parameter names: Owned. The group of every new point.
  init(
    _ source: Source, in names: [GroupName], to fit: FittedClustering, by options: AssigningOptions,
    on communicator: some Communicator
  ) throws {
    let first = NodePartition(sharing: source.rowCount, among: communicator.size)
      .owned(by: communicator.rank).lowerBound
    let deal = try GroupDeal(ofPoints: names, andNodes: fit.groups!, on: communicator)
    let (sent, places) = Buckets.sorting(Array(names.indices), into: communicator.size) {
      deal.ownersOfPoints[$0]
    }
    let arrived = try communicator.allToAll(
      sent.map { Member(name: names[$0], point: Int64(first + $0)) })
    var groups: [Group] = []
    var placeOf: [GroupName: Int] = [:]
    for (place, member) in arrived.values.enumerated() {
      if placeOf[member.name] == nil {
        placeOf[member.name] = groups.count
        groups.append(Group())
      }
      let group = placeOf[member.name]!
      groups[group].points.append(Int(member.point))
      groups[group].places.append(place)
    }
    nodes = try ArrivedNodes(of: fit, at: deal.ownersOfNodes, on: communicator)
    for (place, name) in nodes.names.enumerated() { groups[placeOf[name]!].nodes.append(place) }
    self.groups = groups
    self.source = source
    self.fit = fit
    self.options = options
    (sentCounts, sentPlaces, arrivedCounts) = (sent.counts, places, arrived.counts)
  }

  /// The labels of the new points, and how many are copies, join, and found clusters.
  ///
  /// > Collective: over `communicator`. 8 bytes for each new point back to its owner, and some rounds of a few bytes per rank.
  ///
  /// - Parameter progress: Called with the share of this rank's work that is done.
  func run(
    on communicator: some Communicator, progress: (Double) throws -> Void
  ) throws -> Assignment {
    let assignments = try communicator.agree { try assignEach(progress: progress) }
    // New clusters have numbers of their own on every rank, before they get those of first appearance.
    let own = assignments.reduce(0) { $0 + $1.newClusterCount }
    var next = Int64(try communicator.exclusivePrefixSum(own))
    var labels = Array(repeating: Int64(0), count: arrivedCounts.reduce(0, +))
    for (group, assignment) in zip(groups, assignments) {
      for (place, label) in zip(group.places, assignment.labels) {
        labels[place] = label < fit.settings.clusterCount ? label : label + next
      }
      next += Int64(assignment.newClusterCount)
    }
    let returned = try communicator.exchange(
      Buckets(values: labels, counts: arrivedCounts), receiving: sentCounts
    ).values
    var result = Assignment(
      labels: sentPlaces.map { returned[$0] },
      points: NodePartition(sharing: source.rowCount, among: communicator.size))
    result.newClusterCount = try communicator.sum(own)
    try result.numberNewClusters(after: fit.settings.clusterCount, on: communicator)
    result.copyCount = try communicator.sum(assignments.reduce(0) { $0 + $1.copyCount })
    result.joinedCount = try communicator.sum(assignments.reduce(0) { $0 + $1.joinedCount })
    let searches = assignments.compactMap(\.search)
    let pairs = try communicator.sums([searches.reduce(0) { $0 + $1.comparedPairs }])[0]
    let isInPart = try communicator.any(searches.contains { $0.method == .approximate })
    if try communicator.any(!searches.isEmpty) {
      result.search = GroupSearch.summary(comparedPairs: pairs, isInPart: isInPart)
    }
    return result
  }

  /// Every group by itself: small ones are shared among the threads, large ones follow each other.
  private func assignEach(progress: (Double) throws -> Void) throws -> [Assignment] {
    let sizes = groups.map { $0.points.count + $0.nodes.count }
    let largest = 2048
    let small = sizes.indices.filter { sizes[$0] <= largest }
    let found = Guarded<[Int: Result<Assignment, any Error>]>([:])
    let total = sizes.reduce(0, +)
    var sizeDone = 0
    func count(_ finished: ArraySlice<Int>) throws {
      for group in finished { sizeDone += sizes[group] }
      try progress(Double(sizeDone) / Double(total))
    }
    // A few hundred steps of progress; enough groups in each to keep all threads busy.
    for step in small.indices.tiles(of: max(64 * options.workers.count, small.count / 200)) {
      options.workers.forEach(step.count) { task in
        let group = small[step.lowerBound + task]
        let result = Result { try assign(groups[group], using: Workers()) }
        found.withLock { $0[group] = result }
      }
      try count(small[step])
    }
    for group in sizes.indices where sizes[group] > largest {
      let assignment = try assign(groups[group], using: options.workers)
      found.withLock { $0[group] = .success(assignment) }
      try count([group])
    }
    return try groups.indices.map { group in try found.withLock { $0[group] }!.get() }
  }

  /// One group by itself.
  private func assign(_ group: Group, using workers: Workers) throws -> Assignment {
    var options = options
    options.workers = workers
    // Rows were looked at where they are owned.
    options.invalidRows = .singleton
    return try assignAsOne(
      SelectedRows(of: source, group.points), to: nodes.part(group.nodes, of: fit), by: options,
      on: SingleRank())
  }
}

/// A new point, as it travels.
private struct Member: Message {
  let name: GroupName
  let point: Int64
}

/// Nodes of a fit at the owners of their groups.
private struct ArrivedNodes: Sendable {
  let names: [GroupName]
  /// Their names in the fit.
  private let nodes: [Int64]
  private let labels: [Int64]
  private let memberCounts: [Int64]
  private let rows: Matrix
  private let lists: NeighborLists

  /// > Collective: over `communicator`. As seven of ``NodePartition/deliver(_:width:to:on:)``, and a fetch of 8 bytes per node.
  ///
  /// - Parameter owners: Owned nodes of the fit. The rank that each goes to; nil for none.
  init(
    of fit: FittedClustering, at owners: [Rank?], on communicator: some Communicator
  ) throws {
    // Every rank is a node, to which rows are delivered in the order of the ranks that own them.
    let ranks = NodePartition(sharing: communicator.size, among: communicator.size)
    let places = owners.indices.filter { owners[$0] != nil }
    let targets = places.map { GlobalNode(owners[$0]!.index) }
    func deliver<T: Message>(_ values: [T], width: Int = 1) throws -> [T] {
      try ranks.deliver(values, width: width, to: targets, on: communicator).rows
    }
    let first = fit.nodes.owned(by: communicator.rank).lowerBound
    let labelOfNode = try fit.nodeLabels(on: communicator)
    names = try deliver(places.map { fit.groups![$0] })
    nodes = try deliver(places.map { Int64(first + $0) })
    labels = try deliver(places.map { labelOfNode[$0] })
    memberCounts = try deliver(places.map { fit.memberCounts[$0] })
    let width = fit.settings.dimensions
    rows = Matrix(
      rows: names.count, columns: width,
      elements: try deliver(fit.rows.copy(ofRows: places).elements, width: width))
    let length = fit.listLength
    let entries = places.flatMap { $0 * length..<($0 + 1) * length }
    lists = NeighborLists(
      listLength: length,
      neighbors: try deliver(entries.map { fit.lists.neighbors[$0] }, width: length),
      similarities: try deliver(entries.map { fit.lists.similarities[$0] }, width: length))
  }

  /// The nodes of a group, with lists of their places.
  func part(_ places: [Int], of fit: FittedClustering) -> FittedClustering {
    let placeOf = Dictionary(uniqueKeysWithValues: places.enumerated().map { (nodes[$1], $0) })
    let length = lists.listLength
    let entries = places.flatMap { $0 * length..<($0 + 1) * length }
    return FittedClustering(
      part: fit, labels: places.map { labels[$0] }, memberCounts: places.map { memberCounts[$0] },
      rows: StoredRows(rows.copy(ofRows: places)),
      lists: NeighborLists(
        listLength: length,
        neighbors: entries.map {
          lists.neighbors[$0] == NeighborLists.none
            ? NeighborLists.none : GlobalNode(placeOf[lists.neighbors[$0].index]!)
        }, similarities: entries.map { lists.similarities[$0] }))
  }
}

extension Assignment {
  /// Numbers new clusters in the order in which they first appear.
  ///
  /// > Collective: over `communicator`, as ``numberByFirstAppearance(_:of:in:on:)``.
  ///
  /// - Parameter clusterCount: Replicated. Of the fit: higher labels are of new clusters.
  fileprivate mutating func numberNewClusters(
    after clusterCount: Int, on communicator: some Communicator
  ) throws {
    let founding = labels.indices.filter { labels[$0] >= clusterCount }
    let numbers = try numberByFirstAppearance(
      founding.map { GlobalNode(Int(labels[$0]) - clusterCount) },
      of: NodePartition(
        firstNode: (try communicator.gatherOne(founding.count) + [0]).exclusivePrefixSums()),
      in: NodePartition(sharing: newClusterCount, among: communicator.size), on: communicator
    ).labels
    for (point, number) in zip(founding, numbers) {
      labels[point] = Int64(clusterCount) + number
    }
  }
}
