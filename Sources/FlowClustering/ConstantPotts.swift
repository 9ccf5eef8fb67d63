/// What modules cost if every edge between two of them is charged for, and every pair within one:
///
///     Σ pᵢⱼ over the pairs between modules  +  γ Σ n (n − 1) / 2 over modules of n
///
/// So a pair may be together if its edge has p ≥ γ, and a pair without an edge costs γ: missing edges count. Up to a
/// constant it is the negative of the constant Potts model, Σ (pᵢⱼ − γ) over the pairs within modules
/// [Traag, Van Dooren, Nesterov 2011, arXiv:1104.3083], of which correlation clustering is the case γ = ½. Modules that
/// are best have no resolution limit: within each a part of n and the rest of m have edges of γ n m or more in all.
///
/// A module's ``Module/flow`` is its size here.
package struct ConstantPotts: ModuleCost {
  /// γ in units.
  private let unit: Int64

  /// An edge of p = 1 has so much flow.
  package static let certainty = 0x1p22

  /// - Parameter resolution: γ, above 0 and at most 1.
  package init(resolution: Double) {
    precondition(resolution > 0 && resolution <= 1, "γ = \(resolution)")
    unit = max(1, Int64((resolution * Self.certainty).rounded()))
  }

  /// Twice the cost, in units, and γ of every node with itself, which is constant. Whole numbers of 128 bits hold it for
  /// 10¹² nodes in one module: below 2²² · 2⁸⁰.
  func term(_ module: Module) -> Int128 {
    Int128(module.exit) + Int128(unit) * Int128(module.flow) * Int128(module.flow)
  }

  func term(ofExits exits: Int64) -> Int128 { 0 }

  func change(
    moving node: Module, from old: Module, _ toOld: Int64, to new: Module, _ toNew: Int64,
    exits: Int64
  ) -> Double {
    let pairs = Double(node.flow) * Double(new.flow - old.flow + node.flow)
    return 2 * (Double(toOld - toNew) + Double(unit) * pairs)
  }

  func smallestGain(of cost: Int128) -> Int128 { max(1, cost >> 24) }

  /// The cost of units, γ of every node with itself included.
  static func pairs(_ units: Int128) -> Double { Double(units) / (2 * certainty) }
}
