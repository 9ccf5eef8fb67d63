internal import Glibc

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
