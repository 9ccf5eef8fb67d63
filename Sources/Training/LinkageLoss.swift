public import Communication
public import Differentiation
internal import LinearAlgebra
internal import RandomNumbers

/// How linkages are judged.
public struct LinkageLoss: Equatable, Sendable {
  /// γ of the focal loss; nil for cross entropy.
  public var focus: Int?
  /// Whether the larger of the two classes is cut down, at random in every step, to the size of the
  /// smaller.
  public var isBalanced: Bool
  /// The factor of the density loss.
  public var densityWeight: Double

  public init(focus: Int? = nil, isBalanced: Bool = false, densityWeight: Double = 1) {
    self.focus = focus
    self.isBalanced = isBalanced
    self.densityWeight = densityWeight
  }
}

/// The loss of one step.
public struct StepLoss: Equatable, Sendable {
  /// Mean over the edges that count: cross entropy, or focal loss. 0 if none counts.
  public var linkage: Double
  /// Mean squared error of the density over nodes.
  public var density: Double
  /// Edges that counted, on all ranks.
  public var edgeCount: Int
}

extension LinkageLoss {
  /// The loss of a step: linkage over keepable edges, plus density over nodes.
  ///
  ///     L = 1/|E*| Σ over E* of CE(zᵢⱼ, yᵢⱼ) + weight · 1/n Σᵢ (dᵢ − d*ᵢ)²
  /// [Xing et al. 2021, section 3.3; hilander]
  ///
  /// > Collective: over `communicator`. Four rounds of few bytes per rank; 27 more for balancing, of
  /// > 2 KiB eight times.
  ///
  /// - Returns: This rank's part of the loss on the tape, and the whole loss, replicated.
  public func loss<Scalar>(
    of answer: RecordedLinkage<Scalar>, for input: StepInput<Scalar>, seed: UInt64, step: Int,
    on communicator: some Communicator
  ) throws -> (variable: Variable<Scalar>, value: StepLoss) {
    let classes =
      isBalanced
      ? try balanced(
        input.classes, names: input.edgeNames, seed: seed ^ mixed(UInt64(step)), on: communicator)
      : input.classes
    let edgeCount = try communicator.sum(classes.count { $0 >= 0 })
    let density = answer.density.squaredError(
      from: input.density, scale: 1 / Scalar(max(input.nodeCount, 1)))
    var total = densityWeight == 1 ? density : density.scaled(by: Scalar(densityWeight))
    var linkageValue = 0.0
    if edgeCount > 0 {  // on all ranks or on none
      let scale = 1 / Scalar(edgeCount)
      let linkage =
        focus.map { answer.logits.focalLoss(of: classes, focus: $0, scale: scale) }
        ?? answer.logits.crossEntropy(of: classes, scale: scale)
      linkageValue = Double(linkage.scalar)
      total = linkage + total
    }
    let sums = try communicator.sums([linkageValue, Double(density.scalar)])
    return (total, StepLoss(linkage: sums[0], density: sums[1], edgeCount: edgeCount))
  }
}

/// The classes, with the larger of the two reduced to the size of the smaller; −1 for dropped edges.
///
/// The larger class keeps the edges whose names, hashed with the seed, are smallest. These are the same
/// edges on any number of ranks.      [the authors' `balance`; theirs is not seeded]
///
/// > Collective: over `communicator`. 27 rounds, eight of them of 2 KiB per rank.
package func balanced(
  _ classes: [Int32], names: [UInt64], seed: UInt64, on communicator: some Communicator
) throws -> [Int32] {
  try communicator.assertReplicated(seed)
  let counts = try communicator.sums([
    Double(classes.count { $0 == 0 }), Double(classes.count { $0 == 1 }),
  ])
  guard counts[0] != counts[1] else { return classes }
  let larger: Int32 = counts[0] > counts[1] ? 0 : 1
  let wanted = Int(min(counts[0], counts[1]))
  let places = classes.indices.filter { classes[$0] == larger }
  let keys = places.map { mixed(mixed(names[$0]) ^ seed) }
  let bound = try smallest(wanted, of: keys, on: communicator)
  var result = classes
  for (place, key) in zip(places, keys) where bound.map({ key > $0 }) ?? true { result[place] = -1 }
  return result
}

/// The largest of the `count` smallest keys of all ranks; nil if `count` is 0.
///
/// It works byte by byte from the highest: a histogram over all ranks shows which bin holds the bound.
///
/// > Collective: over `communicator`. Eight sums of 2 KiB per rank, or none.
///
/// - Parameter count: Replicated. At most the number of keys.
private func smallest(
  _ count: Int, of keys: [UInt64], on communicator: some Communicator
) throws -> UInt64? {
  try communicator.assertReplicated(count, from: .all)
  guard count > 0 else { return nil }
  var remaining = count
  var prefix: UInt64 = 0
  for shift in stride(from: UInt64(56), through: 0, by: -8) {
    var histogram = Array(repeating: 0.0, count: 256)
    let mask: UInt64 = shift == 56 ? 0 : ~0 << (shift + 8)
    for key in keys where key & mask == prefix { histogram[Int(key >> shift & 0xff)] += 1 }
    histogram = try communicator.sums(histogram)
    var bin = 0
    while bin < 255, remaining > Int(histogram[bin]) {
      remaining -= Int(histogram[bin])
      bin += 1
    }
    prefix |= UInt64(bin) << shift
  }
  return prefix
}
