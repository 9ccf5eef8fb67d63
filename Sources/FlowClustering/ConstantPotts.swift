package import Communication
internal import Glibc

/// What modules cost if every edge between two of them is charged for, and every pair within one:
///
///     Σ pᵢⱼ over the pairs between modules  +  γ Σ c(n) over modules;   n = Σ sᵢ over the nodes of a module
///     c(n) = n² / 2 up to d,   d² / 2 + d n ln(n / d) beyond;   d = 2 K
///     sᵢ = √(degree of i / mean degree)
///
/// So a pair of nodes of mean degree may be together if its edge has p ≥ γ, and without an edge it costs γ: missing edges
/// count. Up to d and a constant it is the negative of the constant Potts model, Σ (pᵢⱼ − γ sᵢ sⱼ) over the pairs within
/// modules [Traag, Van Dooren, Nesterov 2011, arXiv:1104.3083, where s = 1], of which correlation clustering is the case
/// γ = ½.
///
/// A node that few lists hold can have few edges. That most are missing says less there: with s = 1 such nodes are left alone.
/// With sᵢ in proportion to the degree, as in a configuration model, they are charged too little.
///
/// A list has K places, and about K other nodes have the node in theirs. So in a module of more than d nodes most pairs have
/// no edge, and that says nothing. There a node is charged for d pairs, and a little more for every doubling: two modules of n
/// cost 2 ln 2 γ d n more as one, while d n / 2 edges or so lead from one to the other if they are one. So the balance is
/// the same for all n.
///
/// A module's ``Module/flow`` is n here, in units of 1/``unitsOfSize``. A mean of roots is at most the root of the mean,
/// so all sᵢ together are at most the number of nodes, apart from rounding.
package struct ConstantPotts: Sendable {
  /// γ in units.
  private let unit: Double
  /// d.
  private let degree: Double

  /// An edge of p = 1 has so much flow.
  package static let certainty = 0x1p22
  /// A node of mean degree has this size.
  package static let unitsOfSize = Int64(256)

  /// The size of every owned node, at least one unit.
  ///
  /// > Collective: over `communicator`. A round of 16 bytes per rank.
  ///
  /// - Parameter degrees: Owned. In how many edges each node is.
  package static func sizes(
    ofDegrees degrees: [Int64], on communicator: some Communicator
  ) throws -> [Int64] {
    let sums = try communicator.sums([degrees.reduce(0, +), Int64(degrees.count)])
    let (total, count) = (Double(sums[0]), Double(sums[1]))
    return degrees.map {
      guard total > 0 else { return unitsOfSize }
      let size = (Double($0) * count / total).squareRoot()
      return max(1, Int64((Double(unitsOfSize) * size).rounded()))
    }
  }

  /// - Parameters:
  ///   - resolution: γ, above 0 and at most 1.
  ///   - places: K, at least 1.
  package init(resolution: Double, places: Int) {
    precondition(
      resolution > 0 && resolution <= 1 && places > 0, "γ = \(resolution), K = \(places)")
    unit = max(1, (resolution * Self.certainty).rounded())
    degree = 2 * Double(places)
  }

  /// 2 c(n).
  @inline(__always)
  private func charge(_ size: Int64) -> Double {
    let n = Double(size) / Double(Self.unitsOfSize)
    return n <= degree ? n * n : degree * (degree + 2 * n * log(n / degree))
  }

  /// Twice the cost, in units. 64 bits do not hold it for 10¹² nodes.
  func term(_ module: Module) -> Int128 {
    Int128(module.exit) + Int128((unit * charge(module.flow)).rounded())
  }

  func change(
    moving node: Module, from old: Module, _ toOld: Int64, to new: Module, _ toNew: Int64
  ) -> Double {
    let joined = charge(new.flow + node.flow) - charge(new.flow)
    let left = charge(old.flow) - charge(old.flow - node.flow)
    return 2 * Double(toOld - toNew) + unit * (joined - left)
  }

  /// The cost of units.
  static func pairs(_ units: Int128) -> Double { Double(units) / (2 * certainty) }
}
