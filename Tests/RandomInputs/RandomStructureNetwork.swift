public import GraphNetworks
internal import LinearAlgebra
internal import SimilarityStructure

extension StructureNetwork {
  /// A network of random numbers, whose probabilities are of all sizes.
  public static func random(
    width: Int, seed: Int, settings: Settings = Settings(threshold: 0.5, laterThreshold: 0.4)
  ) -> StructureNetwork {
    let (nodes, edges) = (StructureFeatures.nodeWidth, StructureFeatures.edgeWidth)
    var next = seed
    func floats(_ count: Int, scale: Float) -> [Float] {
      next += 1
      return randomFloats(count, seed: next, scale: scale)
    }
    func map(_ outputs: Int, _ inputs: Int) -> LinearMap {
      LinearMap(
        weight: Matrix(
          rows: outputs, columns: inputs,
          elements: floats(outputs * inputs, scale: 2 / Float(inputs).squareRoot())),
        bias: floats(outputs, scale: 0.1))
    }
    func scale(_ count: Int) -> FeatureScale {
      FeatureScale(
        mean: floats(count, scale: 0.5), deviation: floats(count, scale: 0.5).map { abs($0) })
    }
    return StructureNetwork(
      nodeScale: scale(nodes), edgeScale: scale(edges), nodeHidden: map(width, 2 * nodes),
      nodeOutput: map(width, width), edgeFirst: map(width, 2 * width + edges),
      edgeSecond: map(width, width), edgeThird: map(width, width), output: map(1, width),
      settings: settings)
  }
}
