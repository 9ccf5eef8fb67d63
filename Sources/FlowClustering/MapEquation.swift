internal import Communication
internal import DistributedGraphs
internal import Glibc
internal import Parallelism

/// What the cost of modules needs to know of one.
struct Module: Message, Equatable {
  /// p: the flow of its nodes, or how many they are.
  var flow = Int64(0)
  /// q: the flow of the edges that leave it.
  var exit = Int64(0)

  static func + (a: Self, b: Self) -> Self { Self(flow: a.flow + b.flow, exit: a.exit + b.exit) }
}

/// What modules cost, and how the cost changes as nodes move: one of two measures.
///
/// The cost is a sum over modules, and of the flow that leaves all of them. It is added up in whole units, so it does not
/// depend on the order. No protocol: moves are generic over the communicator, so they would not be specialised for a cost, and
/// would look up types for every node.
enum ModuleCost: Sendable {
  case codeLength(MapEquation)
  case pairs(ConstantPotts)

  /// Whether nodes may leave a module to be alone.
  var letsNodesLeave: Bool {
    switch self {
    case .codeLength: false
    case .pairs: true
    }
  }

  /// The term of one module, in units.
  @inline(__always)
  func term(_ module: Module) -> Int128 {
    switch self {
    case .codeLength(let cost): cost.term(module)
    case .pairs(let cost): cost.term(module)
    }
  }

  /// What of the flow that leaves a module counts in ``term(ofExits:)``: nothing for pairs, of which 64 bits might not hold
  /// the sum.
  func exit(of module: Module) -> Int64 {
    switch self {
    case .codeLength: module.exit
    case .pairs: 0
    }
  }

  /// The term of the flow that leaves all modules, in units.
  func term(ofExits exits: Int64) -> Int128 {
    switch self {
    case .codeLength(let cost): cost.term(ofExits: exits)
    case .pairs: 0
    }
  }

  /// How much more modules cost if a node moves from one to another; below 0 if they cost less.
  ///
  /// - Parameters:
  ///   - node: Its flow, and that of the edges that leave it.
  ///   - toOld, toNew: The flow of its edges to others in the module that it leaves, and in the one it joins.
  ///   - exits: The flow that leaves all modules.
  @inline(__always)
  func change(
    moving node: Module, from old: Module, _ toOld: Int64, to new: Module, _ toNew: Int64,
    exits: Int64
  ) -> Double {
    switch self {
    case .codeLength(let cost):
      cost.change(moving: node, from: old, toOld, to: new, toNew, exits: exits)
    case .pairs(let cost): cost.change(moving: node, from: old, toOld, to: new, toNew)
    }
  }

  /// Rounds that save less, of so many units, end the moves.
  func smallestGain(of cost: Int128) -> Int128 {
    switch self {
    case .codeLength: MapEquation.fixed(0x1p-24)
    case .pairs: max(1, cost >> 24)
    }
  }
}

/// The length of a code word for each step of a random walk, if every module has a code book of its own:
///
///     L = Q log Q − 2 Σ q log q + Σ (q + p) log (q + p) − Σ pᵢ log pᵢ,   Q = Σ q
///
/// Logarithms are to base 2 and flows are shares of all flow; sums are over modules, and the last over
/// nodes.      [Rosvall, Axelsson, Bergstrom 2009, arXiv:0906.1405, equation 4]
struct MapEquation {
  /// The flow that is 1.
  private let total: Double

  init(total: Int64) { self.total = Double(total) }

  /// x log x of a flow.
  @inline(__always)
  func entropy(_ flow: Int64) -> Double {
    guard flow > 0 else { return 0 }
    let share = Double(flow) / total
    return share * log2(share)
  }

  func term(_ module: Module) -> Int128 { Self.fixed(bits(of: module)) }

  func term(ofExits exits: Int64) -> Int128 { Self.fixed(entropy(exits)) }

  /// The terms of one module.
  @inline(__always)
  private func bits(of module: Module) -> Double {
    entropy(module.exit + module.flow) - 2 * entropy(module.exit)
  }

  func change(
    moving node: Module, from old: Module, _ toOld: Int64, to new: Module, _ toNew: Int64,
    exits: Int64
  ) -> Double {
    let left = Module(flow: old.flow - node.flow, exit: old.exit - node.exit + 2 * toOld)
    let joined = Module(flow: new.flow + node.flow, exit: new.exit + node.exit - 2 * toNew)
    let exitsAfter = exits - old.exit - new.exit + left.exit + joined.exit
    return entropy(exitsAfter) - entropy(exits)
      + (bits(of: left) - bits(of: old)) + (bits(of: joined) - bits(of: new))
  }

  /// Code lengths as whole numbers, whose sums do not depend on their order: units of 2⁻⁴⁸ bits.
  static func fixed(_ length: Double) -> Int128 { Int128((length * 0x1p48).rounded()) }
  static func bits(_ length: Int128) -> Double { Double(length) * 0x1p-48 }
}
