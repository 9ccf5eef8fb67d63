internal import Communication
internal import DistributedGraphs
internal import Parallelism
internal import RandomNumbers

/// The modules of a graph's nodes, which nodes leave for better ones until they cost no less.
///
/// In a round every node that has seen a change moves once, a quarter of the nodes at a time, chosen by a
/// hash: nodes that moved all at once would follow each other. All of a quarter see the modules as they were
/// before it. If their moves together make modules cost no less, half of them are taken back, chosen by a hash,
/// then three quarters, and at last all. So modules cost less with every step.
/// [Hamann, Strasser, Wagner, Zeitz 2018, arXiv:1710.09605, for the quarters]
struct LocalMoves: Sendable {
  private let graph: FlowGraph
  private let cost: ModuleCost
  private let workers: Workers
  /// Owned. The flow of each node, and that of its edges to others.
  private let nodes: [Module]
  /// Local. The module of every node, named by one of the nodes.
  private(set) var moduleOf: [GlobalNode]
  /// Owned. The module that each node names.
  private(set) var modules: [Module]
  /// Owned. The flow of each node's edges to others of its module.
  private var inside: [Int64]
  /// Owned. Whether the node or one of its neighbours has moved since it last looked for a better module.
  private var isAwake: [Bool]
  /// Replicated. The terms of modules, and what counts of the flow that leaves them.
  private var terms = Int128(0)
  private var exits = Int64(0)
  /// Replicated. What modules cost after every step that was taken, ascending in time.
  private(set) var costs: [Int128] = []

  private static var partCount: Int { movingPartCount }
  private static var maximumRounds: Int { 64 }
  /// Of so few nodes none may move in a round by chance alone. In larger graphs that is the end.
  private static var fewNodes: Int { 24 }

  /// > Collective: over `communicator`. A round of 32 bytes per rank; and, for a start in modules, one of 8 bytes per
  /// > ghost and a scatter of 16 bytes per node.
  ///
  /// - Parameter start: Owned. The module of each node, named by one of the nodes; nil, on every rank, for every
  ///   node as a module of its own.
  init(
    of graph: FlowGraph, startingIn start: [GlobalNode]? = nil, by cost: ModuleCost,
    using workers: Workers, on communicator: some Communicator
  ) throws {
    self.graph = graph
    self.workers = workers
    self.cost = cost
    nodes = (0..<graph.ownedCount).map { node in
      let exit = graph.edges(of: node).reduce(Int64(0)) {
        graph.columns[$1] == LocalNode(node) ? $0 : $0 + graph.flows[$1]
      }
      return Module(flow: graph.nodeFlows[node], exit: exit)
    }
    if let start {
      let local = try graph.halo.extend(start, on: communicator)
      inside = [Int64](
        count: graph.ownedCount, tilesOf: 256, using: workers, filledWith: 0
      ) { places, inside in
        for node in places {
          inside[node - places.lowerBound] = graph.flow(of: node, within: local)
        }
      }
      let parts = zip(nodes, inside).map { Module(flow: $0.flow, exit: $0.exit - $1) }
      modules = Array(repeating: Module(), count: graph.ownedCount)
      try graph.nodes.scatter(parts, to: start, into: &modules, on: communicator) { $0 = $0 + $1 }
      moduleOf = local
    } else {
      inside = Array(repeating: 0, count: graph.ownedCount)
      modules = nodes
      moduleOf = (0..<graph.halo.localCount).map { graph.halo.global(LocalNode($0)) }
    }
    isAwake = Array(repeating: true, count: graph.ownedCount)
    (terms, exits) = try Self.sums(ownSums(of: modules), on: communicator)
  }

  /// What the modules cost, in units.
  var total: Int128 { cost.term(ofExits: exits) + terms }

  /// Moves nodes until modules cost no less.
  ///
  /// > Collective: over `communicator`. In each quarter of a round 32 bytes for every module of another rank that a
  /// > local node is in; and up to four times 8 bytes per ghost and 48 per node that a change touches.
  mutating func run(on communicator: some Communicator) throws {
    for round in 0..<Self.maximumRounds {
      let before = total
      var isRefused = false
      for part in 0..<Self.partCount {
        let draw = Draw(round: round, part: part)
        isRefused = try step(draw, on: communicator) || isRefused
      }
      guard before - total < cost.smallestGain(of: before) else { continue }
      // Two nodes alone that are drawn together change places, which gains nothing, until a draw parts them.
      guard isRefused, costs.isEmpty, graph.nodes.nodeCount <= Self.fewNodes else { return }
      isAwake = Array(repeating: true, count: graph.ownedCount)
    }
  }

  /// Moves the nodes of a quarter.
  ///
  /// - Returns: Replicated. Whether some wanted to move, and none did, as modules would have cost no less.
  private mutating func step(_ draw: Draw, on communicator: some Communicator) throws -> Bool {
    let owned = graph.ownedCount
    let wanted = try betterModules(draw, on: communicator)
    guard try communicator.any(wanted != Array(moduleOf[..<owned])) else { return false }
    let attemptCount = 3
    for attempt in 0..<attemptCount {
      let taken = (0..<owned).map {
        draw.keeps(graph.names[$0], attempt: attempt) ? wanted[$0] : moduleOf[$0]
      }
      if try take(taken, on: communicator) { return false }
    }
    return true
  }

  /// The best module for every owned node that is awake and drawn, its own for the others.
  ///
  /// > Collective: over `communicator`. As a fetch of 24 bytes for the module of each ghost.
  private mutating func betterModules(
    _ draw: Draw, on communicator: some Communicator
  ) throws -> [GlobalNode] {
    let owned = graph.nodes.owned(by: communicator.rank)
    let asks = (0..<graph.ownedCount).map { isAwake[$0] && draw.includes(graph.names[$0]) }
    // Modules of other ranks, each once.
    let away = Set(moduleOf.lazy.filter { !owned.contains(Int($0.index)) }).sorted()
    let described = zip(modules, graph.names).map { NamedModule(module: $0, name: $1) }
    let fetched = try graph.nodes.fetch(described, at: away, on: communicator)
    let placeOfAway = Dictionary(uniqueKeysWithValues: zip(away, fetched.indices))
    // Local. The module that each local node is in.
    let around = moduleOf.map {
      owned.contains(Int($0.index))
        ? described[Int($0.index) - owned.lowerBound] : fetched[placeOfAway[$0]!]
    }
    let search = ModuleSearch(
      graph: graph, cost: cost, nodes: nodes, moduleOf: moduleOf, around: around,
      isNameFree: modules.map { $0.flow == 0 }, exits: exits)
    let moduleOf = moduleOf
    let wanted = [GlobalNode](
      count: graph.ownedCount, tilesOf: 64, using: workers, filledWith: GlobalNode(0)
    ) { places, wanted in
      var (flows, seen) = (FlowTable(capacity: 64), FlowTable(capacity: 64))
      for node in places {
        wanted[node - places.lowerBound] =
          asks[node] ? search.best(for: node, using: &flows, &seen) : moduleOf[node]
      }
    }
    for node in 0..<graph.ownedCount where asks[node] { isAwake[node] = false }
    return wanted
  }

  /// Takes new modules if they cost less.
  ///
  /// > Collective: over `communicator`. A round of 8 bytes per ghost; 48 bytes and 16 of names for each node that a
  /// > change touches, and a few bytes per rank.
  ///
  /// - Returns: Replicated. Whether they do.
  private mutating func take(
    _ taken: [GlobalNode], on communicator: some Communicator
  ) throws -> Bool {
    let new = try graph.halo.extend(taken, on: communicator)
    let (old, graph, inside) = (moduleOf, graph, inside)
    let hasMoved = zip(old, new).map { $0 != $1 }
    // −1 where nothing changes.
    let insideAfter = [Int64](
      count: graph.ownedCount, tilesOf: 256, using: workers, filledWith: -1
    ) { places, after in
      let (columns, hasMoved) = (graph.columns.span, hasMoved.span)
      for node in places {
        var isTouched = hasMoved[node]
        for edge in graph.edges(of: node) {
          if isTouched { break }
          isTouched = hasMoved[Int(columns[edge].index)]
        }
        if isTouched { after[node - places.lowerBound] = graph.flow(of: node, within: new) }
      }
    }
    var changes: [Module] = []
    var changed: [GlobalNode] = []
    for node in 0..<graph.ownedCount where insideAfter[node] >= 0 {
      guard hasMoved[node] || insideAfter[node] != inside[node] else { continue }
      changed += [old[node], new[node]]
      changes += [
        Module(flow: -nodes[node].flow, exit: inside[node] - nodes[node].exit),
        Module(flow: nodes[node].flow, exit: nodes[node].exit - insideAfter[node]),
      ]
    }
    var after = modules
    try graph.nodes.scatter(changes, to: changed, into: &after, on: communicator) { $0 = $0 + $1 }
    let (termsAfter, exitsAfter) = try Self.sums(
      ownSums(of: after, besides: modules), on: communicator)
    let candidate = (terms: terms + termsAfter, exits: exits + exitsAfter)
    let totalAfter = cost.term(ofExits: candidate.exits) + candidate.terms
    guard totalAfter < total else { return false }
    (terms, exits) = candidate
    modules = after
    moduleOf = new
    for node in 0..<graph.ownedCount where insideAfter[node] >= 0 {
      self.inside[node] = insideAfter[node]
      isAwake[node] = true
    }
    costs.append(totalAfter)
    return true
  }

  /// The terms and exits of owned modules; what they have more than others, where these are given.
  private func ownSums(of modules: [Module], besides others: [Module]? = nil) -> ModuleSums {
    var sums = ModuleSums()
    for (place, module) in modules.enumerated() where others?[place] != module {
      sums.terms += cost.term(module)
      sums.exits += cost.exit(of: module)
      if let other = others?[place] {
        sums.terms -= cost.term(other)
        sums.exits -= cost.exit(of: other)
      }
    }
    return sums
  }

  private static func sums(_ own: ModuleSums, on communicator: some Communicator) throws -> (
    terms: Int128, exits: Int64
  ) {
    let all = try communicator.allReduce(own) {
      ModuleSums(terms: $0.terms + $1.terms, exits: $0.exits + $1.exits)
    }
    return (all.terms, all.exits)
  }
}

/// What modules add up to.
private struct ModuleSums: Message {
  var terms = Int128(0)
  var exits = Int64(0)
}

/// A round moves the nodes in so many parts.
private let movingPartCount = 4

/// Which nodes may move in a step.
private struct Draw {
  let round: Int
  let part: Int

  private func bits(_ name: UInt64) -> UInt64 { mixed(mixed(name) &+ UInt64(round) << 32) }

  func includes(_ name: UInt64) -> Bool { Int(bits(name) % UInt64(movingPartCount)) == part }

  /// Whether a node is among the 1 in 2ⁿ that keep their moves after n attempts.
  func keeps(_ name: UInt64, attempt: Int) -> Bool {
    (bits(name) >> 32) & ((1 << UInt64(attempt)) - 1) == 0
  }
}

/// A module with what breaks ties between modules.
private struct NamedModule: Message {
  var module: Module
  var name: UInt64
}

/// Finds the best module for a node, as modules are before a step.
private struct ModuleSearch: Sendable {
  let graph: FlowGraph
  let cost: ModuleCost
  /// Owned.
  let nodes: [Module]
  /// Local.
  let moduleOf: [GlobalNode]
  /// Local. The module that each local node is in.
  let around: [NamedModule]
  /// Owned. Whether the module that each node names is empty.
  let isNameFree: [Bool]
  let exits: Int64

  /// The module of one of the node's neighbours that costs least, or a module of its own where the cost allows for that;
  /// the one that it is in if none costs less.
  /// Of equally good modules the one with the lowest name.
  ///
  /// - Parameters:
  ///   - flows: The node's flow to modules. Empty before and after.
  ///   - seen: The modules that were looked at. Empty before and after.
  func best(
    for node: Int, using flows: inout FlowTable, _ seen: inout FlowTable
  ) -> GlobalNode {
    let (edges, own) = (graph.edges(of: node), moduleOf[node])
    for edge in edges where graph.columns[edge] != LocalNode(node) {
      flows.add(graph.flows[edge], to: moduleOf[Int(graph.columns[edge].index)].index)
    }
    let toOwn = flows[own.index]
    var best = (change: -1e-13, name: UInt64.max, module: own)
    for edge in edges where graph.columns[edge] != LocalNode(node) {
      let place = Int(graph.columns[edge].index)
      let module = moduleOf[place]
      guard module != own, seen[module.index] == 0 else { continue }
      seen.add(1, to: module.index)
      let change = cost.change(
        moving: nodes[node], from: around[node].module, toOwn, to: around[place].module,
        flows[module.index], exits: exits)
      if change < best.change || change == best.change && around[place].name < best.name {
        best = (change, around[place].name, module)
      }
    }
    flows.removeAll()
    seen.removeAll()
    if cost.letsNodesLeave, isNameFree[node] {
      let change = cost.change(
        moving: nodes[node], from: around[node].module, toOwn, to: Module(), 0, exits: exits)
      if change < best.change { return graph.halo.global(LocalNode(node)) }
    }
    return best.module
  }
}
