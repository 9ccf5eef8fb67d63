internal import Communication

/// What the cost of modules needs to know of one.
struct Module: Message, Equatable {
  /// p: the flow of its nodes, or their sizes.
  var flow = Int64(0)
  /// q: the flow of the edges that leave it.
  var exit = Int64(0)

  static func + (a: Self, b: Self) -> Self { Self(flow: a.flow + b.flow, exit: a.exit + b.exit) }
}

/// What modules cost, and how the cost changes as nodes move: one of two measures.
///
/// The cost is a sum over modules, and of the flow that leaves all of them. It is added up in whole units, so it does
/// not depend on the order. No protocol: moves are generic over the communicator, so they would not be specialised for a
/// cost, and would look up types for every node.
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

  /// What of the flow that leaves a module counts in ``term(ofExits:)``: nothing for pairs, of which 64 bits might not
  /// hold the sum.
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
