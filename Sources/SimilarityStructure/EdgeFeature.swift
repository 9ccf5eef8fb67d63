/// The features of an edge j → i, apart from those of its ends. Cases are columns, in this order; files
/// name them.
///
/// z is as in ``ClosenessScale``; of two lists, "near" are the first m places, those that make
/// edges, and the whole list has K.
public enum EdgeFeature: Int, CaseIterable, Sendable {
  // How similar the ends are, absolutely and by the measure of either end.

  /// z of the edge.
  case closeness
  /// Place of j in the list of i, from 1, over m.
  case rankAtTarget
  /// Place of i in the list of j, from 1, over m; 1.5 if it is not near there.
  case rankAtSource
  /// Place of i in the list of j, from 1, over K; 1.5 if it is not there.
  case contextRankAtSource
  /// z less that of the end's nearest neighbour.
  case belowNearestOfTarget, belowNearestOfSource
  /// z less the mean of the end's near neighbours.
  case aboveMeanOfTarget, aboveMeanOfSource
  /// z less that of the end's last near neighbour.
  case aboveFarthestOfTarget, aboveFarthestOfSource
  /// (z − mean) / (deviation + 0.01) over the end's near neighbours.
  case standardAtTarget, standardAtSource

  // What their lists have in common.

  /// Near neighbours that both share, over m.
  case nearShared
  /// Σ z z′ over shared near neighbours, over the lengths of both: their cosine.
  case nearCosine
  /// Jaccard index of both lists.
  case jaccard
  /// Σ w w′ over the shared of both lists, over the lengths of both.
  case contextCosine
  /// Jaccard index over the largest of i's edges.
  case relativeJaccard
  /// Jaccard index less the mean of the end's edges.
  case jaccardAboveTarget, jaccardAboveSource

  // How close the members are: average linkage.

  /// z of the mean similarity of all pairs of members, one of either end.
  case averageLinkage
  /// That, less the tightness of the end.
  case linkageAboveTightnessOfTarget, linkageAboveTightnessOfSource
  /// That, over √(t t′), tightnesses below 0.05 taken as 0.05.
  case relativeLinkage
  /// That, less the cohesion of the end.
  case linkageAboveCohesionOfTarget, linkageAboveCohesionOfSource
  /// ln s / 3 of the end, and the lesser of both.
  case logSizeOfTarget, logSizeOfSource, logSizeOfSmaller

  // What runs between the members at level 0.

  /// Edges of level 0 into members of the end from members of the other, over all into the end,
  /// times 3.
  case pointShareOfTarget, pointShareOfSource
  /// All edges between them, over twice those into the one with fewer, times 3.
  case pointShareOfSmaller
  /// The same over those into the end that come from outside it, at least 1/1000 of all.
  case pointShareOfOutsideOfTarget, pointShareOfOutsideOfSource
  /// ln(1 + edges between them) / 2.
  case logPointEdges
  /// z of the most similar of them; 0 for none.
  case bestPointEdge
  /// That, less the larger cohesion of both; −0.5 for none.
  case bestPointEdgeAboveCohesion
  /// 1 if no edge of level 0 runs between them.
  case noPointEdge

  /// As files name it.
  public var name: String { "\(self)" }
}

/// What is known about an edge j → i, from which its features are computed.
struct EdgeStructure {
  /// z.
  var closeness: Float
  /// Of j in the list of i; 0 for the nearest.
  var place: Int
  var overlap: ListOverlap
  /// The edges between the members at level 0, seen from i.
  var pointEdges: PointEdgeTally
  /// z of the average linkage.
  var averageLinkage: Float
  /// z of the largest similarity between members at level 0.
  var bestPointEdge: Float
}

extension EdgeStructure {
  /// Writes all features, in the order of ``EdgeFeature``.
  ///
  /// - Parameters:
  ///   - i, j: Target and source.
  ///   - nearLength, contextLength: m and K.
  func writeFeatures(
    target i: NodeStructure, source j: NodeStructure, jaccard: Float, nearLength: Int,
    contextLength: Int, into row: inout MutableSpan<Float>, at first: Int
  ) {
    func set(_ feature: EdgeFeature, _ value: Float, _ row: inout MutableSpan<Float>) {
      row[first + feature.rawValue] = clipped(value)
    }
    let z = closeness
    let m = Float(nearLength)
    let rank = overlap.placeAtSource
    set(.closeness, z, &row)
    set(.rankAtTarget, Float(place + 1) / m, &row)
    set(.rankAtSource, (0..<nearLength).contains(rank) ? Float(rank + 1) / m : 1.5, &row)
    set(.contextRankAtSource, rank >= 0 ? Float(rank + 1) / Float(contextLength) : 1.5, &row)
    set(.belowNearestOfTarget, z - i.nearest, &row)
    set(.belowNearestOfSource, z - j.nearest, &row)
    set(.aboveMeanOfTarget, z - i.mean, &row)
    set(.aboveMeanOfSource, z - j.mean, &row)
    set(.aboveFarthestOfTarget, z - i.farthest, &row)
    set(.aboveFarthestOfSource, z - j.farthest, &row)
    set(.standardAtTarget, (z - i.mean) / (i.deviation + 0.01), &row)
    set(.standardAtSource, (z - j.mean) / (j.deviation + 0.01), &row)

    set(.nearShared, Float(overlap.nearSharedCount) / m, &row)
    set(.nearCosine, quotient(overlap.nearProduct, i.length * j.length), &row)
    set(.jaccard, jaccard, &row)
    set(.contextCosine, quotient(overlap.weightProduct, i.weightLength * j.weightLength), &row)
    set(.relativeJaccard, jaccard / (i.largestJaccard + 0.02), &row)
    set(.jaccardAboveTarget, jaccard - i.jaccard, &row)
    set(.jaccardAboveSource, jaccard - j.jaccard, &row)

    let l = averageLinkage
    set(.averageLinkage, l, &row)
    set(.linkageAboveTightnessOfTarget, l - i.tightness, &row)
    set(.linkageAboveTightnessOfSource, l - j.tightness, &row)
    set(.relativeLinkage, l / (max(i.tightness, 0.05) * max(j.tightness, 0.05)).squareRoot(), &row)
    set(.linkageAboveCohesionOfTarget, l - i.cohesion, &row)
    set(.linkageAboveCohesionOfSource, l - j.cohesion, &row)
    set(.logSizeOfTarget, i.logSize, &row)
    set(.logSizeOfSource, j.logSize, &row)
    set(.logSizeOfSmaller, min(i.logSize, j.logSize), &row)

    let (into, from) = (Float(pointEdges.incoming), Float(pointEdges.outgoing))
    let between = into + from
    set(.pointShareOfTarget, 3 * quotient(into, i.pointEdgeCount), &row)
    set(.pointShareOfSource, 3 * quotient(from, j.pointEdgeCount), &row)
    set(
      .pointShareOfSmaller, 3 * quotient(between, 2 * min(i.pointEdgeCount, j.pointEdgeCount)),
      &row)
    set(.pointShareOfOutsideOfTarget, quotient(into, i.outsidePointEdgeCount), &row)
    set(.pointShareOfOutsideOfSource, quotient(from, j.outsidePointEdgeCount), &row)
    set(.logPointEdges, between == 0 ? 0 : logarithm(1 + between) / 2, &row)
    set(.bestPointEdge, between > 0 ? bestPointEdge : 0, &row)
    set(
      .bestPointEdgeAboveCohesion,
      between > 0 ? bestPointEdge - max(i.cohesion, j.cohesion) : -0.5, &row)
    set(.noPointEdge, between > 0 ? 0 : 1, &row)
  }
}

extension NodeStructure {
  /// Edges of level 0 into its members from outside, at least 1/1000 of all.
  fileprivate var outsidePointEdgeCount: Float { pointEdgeCount * max(1 - insideShare, 0.001) }
}

/// a / b; 0 where b is 0.
private func quotient(_ a: Float, _ b: Float) -> Float { b == 0 ? 0 : a / b }
