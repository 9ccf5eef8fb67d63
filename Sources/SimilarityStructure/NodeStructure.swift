internal import DistributedGraphs

/// What is known about one node: its list, its members and its surroundings.
///
/// This, and not its coordinates, is what travels when the node is a ghost.
struct NodeStructure: BitwiseCopyable, Equatable, Sendable {
  // Of the near places of its list, the first m: those that make edges.

  /// z of the nearest, the third, the sixth and the last near neighbour; the last there is where the
  /// list is shorter, 0 without neighbours.
  var nearest: Float = 0
  var third: Float = 0
  var sixth: Float = 0
  var farthest: Float = 0
  /// Mean and standard deviation of z over the near neighbours.
  var mean: Float = 0
  var deviation: Float = 0
  /// √Σ z² over the near neighbours.
  var length: Float = 0

  // Of all K places of its list: the context.

  /// √Σ w², w as ``listWeight(_:farthest:)``.
  var weightLength: Float = 0

  // Of its members.

  /// s: how many points it stands for.
  var memberCount: Float = 1
  /// ln s / 3.
  var logSize: Float = 0
  /// |u|: the length of the mean of its members' directions.
  var meanLength: Float = 1
  /// t: mean z of all pairs of different members, (s |u|² − 1) / (s − 1); the nearest neighbour's z
  /// for a single member.
  var tightness: Float = 0
  /// z of the mean similarity of its members to their near neighbours at level 0.
  var cohesion: Float = 0
  /// How many edges of level 0 run into its members.
  var pointEdgeCount: Float = 0
  /// The share of these that come from members, too.
  var insideShare: Float = 0

  // Of its place among the others.

  /// Edges that leave it: lists whose near places it is in.
  var popularity: Float = 0
  /// Mean Jaccard index of its near list with those of its near neighbours.
  var nearJaccard: Float = 0
  /// Mean and maximum Jaccard index of its list with those of its near neighbours.
  var jaccard: Float = 0
  var largestJaccard: Float = 0
  /// The share of its near neighbours that have it among theirs.
  var mutualShare: Float = 0
}

extension NodeStructure {
  /// The part that follows from the list alone.
  ///
  /// - Parameter closeness: z of the neighbours, nearest first.
  init(closeness: [Float], nearLength: Int) {
    guard let last = closeness.last else { return }
    let near = closeness.prefix(nearLength)
    nearest = closeness[0]
    third = near[min(2, near.count - 1)]
    sixth = near[min(5, near.count - 1)]
    farthest = near[near.count - 1]
    (mean, deviation) = near.meanAndDeviation
    length = Float(near.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
    weightLength = Float(
      closeness.reduce(0.0) {
        let weight = Double(listWeight($1, farthest: last))
        return $0 + weight * weight
      }.squareRoot())
  }

  /// Adds what is known about the members.
  ///
  /// - Parameters:
  ///   - meanLength: |u|.
  ///   - meanSimilarity: Of the members to their near neighbours at level 0.
  mutating func describeMembers(
    count: Int64, meanLength: Float, pointEdges: PointEdges, node: Int, named name: GlobalNode,
    scale: ClosenessScale
  ) {
    memberCount = Float(count)
    logSize = logarithm(memberCount) / 3
    self.meanLength = meanLength
    if count > 1 {
      let s = Double(count)
      let squared = Double(meanLength) * Double(meanLength)
      tightness = scale.closeness(Float((s * squared - 1) / (s - 1)))
    } else {
      tightness = nearest
    }
    let edgeCount = pointEdges.incomingCount(of: node)
    pointEdgeCount = Float(edgeCount)
    cohesion = edgeCount == 0 ? 0 : scale.closeness(pointEdges.meanSimilarity(of: node))
    let inside = pointEdges.tally(of: node, and: name).map { Float($0.incoming) } ?? 0
    insideShare = edgeCount == 0 ? 0 : inside / Float(edgeCount)
  }
}

extension ArraySlice<Float> {
  /// In double precision, in order; the deviation is of the values themselves, not an estimate.
  fileprivate var meanAndDeviation: (mean: Float, deviation: Float) {
    guard !isEmpty else { return (0, 0) }
    let mean = reduce(0.0) { $0 + Double($1) } / Double(count)
    let squares = reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    return (Float(mean), Float((squares / Double(count)).squareRoot()))
  }
}
