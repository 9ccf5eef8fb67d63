internal import SimilarityStructure

// What the network computes and sends, for predictions.
extension StructureNetwork {
  /// Floating-point operations of the products that judge an edge.
  package var flopsPerEdge: Double {
    Self.flops(of: [edgeFirst, edgeSecond, edgeThird, output])
  }

  /// Floating-point operations of the products that make a node's hidden row.
  package var flopsPerNode: Double { Self.flops(of: [nodeHidden, nodeOutput]) }

  private static func flops(of maps: [LinearMap]) -> Double {
    maps.reduce(0) { $0 + 2 * Double($1.inputWidth) * Double($1.outputWidth) }
  }

  /// Numbers that ranks add up at level 0 to tell how strange the nodes are.
  package static var strangenessCount: Int { NodeFeature.logSize.rawValue + 1 }
}
