import LinearAlgebra
import SimilarityStructure
import Testing

/// The features of a node, each counted by hand.
@Suite struct NodeFeatures {
  /// Of node 2 of ``TwoTriangles``, whose list is 0, 1 and, across the bridge, 3.
  static let ofPoints: [(NodeFeature, Float)] = [
    (.nearest, 0.8),
    (.third, 0.7),  // two places are near: the last there is
    (.sixth, 0.7),
    (.farthest, 0.7),
    (.mean, 0.75),
    (.deviation, 3 * 0.05),
    (.popularity, 0),  // 0 and 1 hold it for near: (1 + 2) / (1 + 2)
    (.mutualShare, 1),
    (.nearJaccard, 1 / 3),  // {0, 1} with {1, 2} and with {0, 2}: one of three
    (.jaccard, 1 / 2),
    (.logSize, 0),
    (.tightness, 0.8),
    (.cohesion, 0.75),
    (.insideShare, 0),
    (.level, 0),
  ]

  /// Of the first triangle as a node.
  static let ofClusters: [(NodeFeature, Float)] = [
    (.nearest, 0.5),
    (.logSize, 1.098_612 / 3),
    (.tightness, (3 * 0.81 - 1) / 2),
    (.cohesion, 5.6 / 9),
    (.insideShare, 6 / 9),
    (.level, 1 / 4),
  ]

  @Test(arguments: ofPoints)
  func ofAPointAreThoseCountedByHand(feature: NodeFeature, value: Float) throws {
    let found = try TwoTriangles.features().nodeFeatures[2, feature.rawValue]
    #expect(abs(found - value) < 2e-5, "\(found)")
  }

  @Test(arguments: ofClusters)
  func ofAClusterAreThoseCountedByHand(feature: NodeFeature, value: Float) throws {
    let found = try TwoTriangles.coarseFeatures().nodeFeatures[0, feature.rawValue]
    #expect(abs(found - value) < 2e-5, "\(found)")
  }

  @Test func areAllCountedByHand() {
    #expect(Set(Self.ofPoints.map(\.0)) == Set(NodeFeature.allCases))
  }
}
