import LinearAlgebra
import SimilarityStructure
import Testing

/// The features of an edge, each counted by hand.
@Suite struct EdgeFeatures {
  /// Of the edge 1 → 0 of ``TwoTriangles``, between points.
  static let ofPoints: [(EdgeFeature, Float)] = [
    (.closeness, 0.9),
    (.rankAtTarget, 1 / 2),
    (.rankAtSource, 1 / 2),
    (.contextRankAtSource, 1 / 3),
    (.belowNearestOfTarget, 0),
    (.belowNearestOfSource, 0),
    (.aboveMeanOfTarget, 0.9 - 0.85),
    (.aboveMeanOfSource, 0.9 - 0.8),
    (.aboveFarthestOfTarget, 0.9 - 0.8),
    (.aboveFarthestOfSource, 0.9 - 0.7),
    (.standardAtTarget, 0.05 / (0.05 + 0.01)),
    (.standardAtSource, 0.1 / (0.1 + 0.01)),
    // Of {1, 2} and {0, 2}: 2. Of {1, 2, 3} and {0, 2, 3}: 2 and 3, of four.
    (.nearShared, 1 / 2),
    (.nearCosine, 0.8 * 0.7 / (Float(0.81 + 0.64).squareRoot() * Float(0.81 + 0.49).squareRoot())),
    (.jaccard, 2 / 4),
    // w is 0.72, 0.62, 0.02 in the list of 0 and 0.82, 0.62, 0.02 in that of 1.
    (
      .contextCosine,
      (0.62 * 0.62 + 0.02 * 0.02)
        / (Float(0.5184 + 0.3844 + 0.0004).squareRoot()
          * Float(0.6724 + 0.3844 + 0.0004).squareRoot())
    ),
    // The list of 2, {0, 1, 3}, has 1 and 3 in common with that of 0, and 0 and 3 with that of 1.
    (.relativeJaccard, 0.5 / (0.5 + 0.02)),
    (.jaccardAboveTarget, 0),
    (.jaccardAboveSource, 0),
    // Of points: a itself; tightness is the nearest neighbour's z, cohesion the mean of both edges.
    (.averageLinkage, 0.9),
    (.linkageAboveTightnessOfTarget, 0),
    (.linkageAboveTightnessOfSource, 0),
    (.relativeLinkage, 1),
    (.linkageAboveCohesionOfTarget, 0.9 - 0.85),
    (.linkageAboveCohesionOfSource, 0.9 - 0.8),
    (.logSizeOfTarget, 0),
    (.logSizeOfSource, 0),
    (.logSizeOfSmaller, 0),
    // Of two edges into either point one comes from the other.
    (.pointShareOfTarget, 3 / 2),
    (.pointShareOfSource, 3 / 2),
    (.pointShareOfSmaller, 3 * 2 / 4),
    (.pointShareOfOutsideOfTarget, 1 / 2),
    (.pointShareOfOutsideOfSource, 1 / 2),
    (.logPointEdges, 1.098_612 / 2),
    (.bestPointEdge, 0.9),
    (.bestPointEdgeAboveCohesion, 0.9 - 0.85),
    (.noPointEdge, 0),
  ]

  /// Of the edge between the two triangles as nodes: a = 0.5, |u| = 0.9 and 0.95, three points each.
  ///
  /// At level 0 nine edges ran into either, three of them from the other; the best has 0.5. Their
  /// mean similarities are both 5.6 / 9.
  static let ofClusters: [(EdgeFeature, Float)] = [
    (.averageLinkage, 0.5 * 0.9 * 0.95),
    (.linkageAboveTightnessOfTarget, 0.5 * 0.9 * 0.95 - (3 * 0.81 - 1) / 2),
    (.linkageAboveTightnessOfSource, 0.5 * 0.9 * 0.95 - (3 * 0.9025 - 1) / 2),
    (.relativeLinkage, 0.4275 / Float(0.715 * 0.853_75).squareRoot()),
    (.linkageAboveCohesionOfTarget, 0.4275 - 5.6 / 9),
    (.linkageAboveCohesionOfSource, 0.4275 - 5.6 / 9),
    (.logSizeOfTarget, 1.098_612 / 3),
    (.logSizeOfSource, 1.098_612 / 3),
    (.logSizeOfSmaller, 1.098_612 / 3),
    (.pointShareOfTarget, 3 * 3 / 9),
    (.pointShareOfSource, 3 * 3 / 9),
    (.pointShareOfSmaller, 3 * 6 / 18),
    (.pointShareOfOutsideOfTarget, 3 / 3),
    (.pointShareOfOutsideOfSource, 3 / 3),
    (.logPointEdges, 1.945_910 / 2),
    (.bestPointEdge, 0.5),
    (.bestPointEdgeAboveCohesion, 0.5 - 5.6 / 9),
    (.noPointEdge, 0),
  ]

  @Test(arguments: ofPoints)
  func betweenPointsAreThoseCountedByHand(feature: EdgeFeature, value: Float) throws {
    let found = try TwoTriangles.features().edgeFeatures[0, feature.rawValue]
    #expect(abs(found - value) < 2e-5, "\(found)")
  }

  @Test(arguments: ofClusters)
  func betweenClustersAreThoseCountedByHand(feature: EdgeFeature, value: Float) throws {
    let found = try TwoTriangles.coarseFeatures().edgeFeatures[0, feature.rawValue]
    #expect(abs(found - value) < 2e-5, "\(found)")
  }

  @Test func areAllCountedByHand() {
    #expect(Set(Self.ofPoints.map(\.0)) == Set(EdgeFeature.allCases))
  }
}
