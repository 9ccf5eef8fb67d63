internal import LinearAlgebra
internal import SimilarityStructure

/// A network that judges edges by the structure of similarities around them, not by coordinates.
///
///     hᵢ = W₂ ReLU( W₁ [xᵢ , meanⱼ xⱼ] )                       x: ``NodeFeature``, rescaled
///     u  = ReLU( E₂ ReLU( E₁ [hᵢ + hⱼ , |hᵢ − hⱼ| , eᵢⱼ] ) )    e: ``EdgeFeature``, rescaled
///     p  = σ( o · (u + ReLU(E₃ u)) )
///
/// with a bias in every map. None of its inputs is as wide as the embedding, so one network serves
/// embeddings of any kind and dimension.
public struct StructureNetwork: Sendable {
  public let nodeScale: FeatureScale
  public let edgeScale: FeatureScale
  /// W₁. Shape `[h × 2 · node features]`.
  public let nodeHidden: LinearMap
  /// W₂. Shape `[h × h]`.
  public let nodeOutput: LinearMap
  /// E₁. Shape `[h × (2 h + edge features)]`.
  public let edgeFirst: LinearMap
  /// E₂. Shape `[h × h]`.
  public let edgeSecond: LinearMap
  /// E₃. Shape `[h × h]`.
  public let edgeThird: LinearMap
  /// o. Shape `[1 × h]`.
  public let output: LinearMap
  /// How it was trained, and how it is therefore used.
  public let settings: Settings

  /// The settings of a network, apart from its parameters.
  public struct Settings: Equatable, Sendable {
    /// k: places in a list that make edges, including the node itself.
    public var neighborCount: Int
    /// K: places in the lists that are compared, without the node itself.
    public var contextLength: Int
    /// τ of level 0, and of all later levels.
    public var threshold: Double
    public var laterThreshold: Double
    /// γ of level 0, if modules of the constant Potts model merge better there than the best denser neighbour. Above 0
    /// and at most 1.
    public var resolution: Double?
    /// Whether it learned from small graphs, and so may merge levels of no more than k nodes.
    public var mergesFewNodes: Bool
    /// Points of the smallest cluster of a group.
    public var fewestPoints: Int

    /// - Parameter contextLength: Nil for the usual one: twice k, but no more than 100, and at least k.
    public init(
      neighborCount: Int = 10, contextLength: Int? = nil, threshold: Double = 0.8,
      laterThreshold: Double = 0.8, resolution: Double? = nil, mergesFewNodes: Bool = false,
      fewestPoints: Int = 1
    ) {
      let contextLength = contextLength ?? max(min(2 * neighborCount, 100), neighborCount)
      precondition(
        neighborCount > 1 && contextLength >= neighborCount - 1,
        "k = \(neighborCount), lists of \(contextLength)")
      precondition(
        (0...1).contains(threshold) && (0...1).contains(laterThreshold),
        "τ = \(threshold), \(laterThreshold)")
      self.neighborCount = neighborCount
      self.contextLength = contextLength
      self.threshold = threshold
      precondition(resolution.map { $0 > 0 && $0 <= 1 } ?? true, "γ = \(resolution ?? 0)")
      self.laterThreshold = laterThreshold
      self.resolution = resolution
      self.mergesFewNodes = mergesFewNodes
      self.fewestPoints = fewestPoints
    }

    /// Places in a list that make edges, without the node itself.
    public var nearLength: Int { neighborCount - 1 }
  }

  public init(
    nodeScale: FeatureScale, edgeScale: FeatureScale, nodeHidden: LinearMap, nodeOutput: LinearMap,
    edgeFirst: LinearMap, edgeSecond: LinearMap, edgeThird: LinearMap, output: LinearMap,
    settings: Settings
  ) {
    let h = nodeOutput.outputWidth
    func check(_ map: LinearMap, _ name: String, _ inputs: Int, _ outputs: Int) {
      precondition(
        map.inputWidth == inputs && map.outputWidth == outputs,
        "\(name) [\(map.outputWidth) × \(map.inputWidth)], expected [\(outputs) × \(inputs)]")
    }
    precondition(
      nodeScale.count == StructureFeatures.nodeWidth
        && edgeScale.count == StructureFeatures.edgeWidth,
      "\(nodeScale.count) node features, \(edgeScale.count) edge features")
    check(nodeHidden, "W₁", 2 * nodeScale.count, h)
    check(nodeOutput, "W₂", h, h)
    check(edgeFirst, "E₁", 2 * h + edgeScale.count, h)
    check(edgeSecond, "E₂", h, h)
    check(edgeThird, "E₃", h, h)
    check(output, "o", h, 1)
    self.nodeScale = nodeScale
    self.edgeScale = edgeScale
    self.nodeHidden = nodeHidden
    self.nodeOutput = nodeOutput
    self.edgeFirst = edgeFirst
    self.edgeSecond = edgeSecond
    self.edgeThird = edgeThird
    self.output = output
    self.settings = settings
  }

  /// h: channels of every hidden layer.
  public var width: Int { nodeOutput.outputWidth }

  /// The same network with other thresholds.
  public func with(_ settings: Settings) -> StructureNetwork {
    StructureNetwork(
      nodeScale: nodeScale, edgeScale: edgeScale, nodeHidden: nodeHidden, nodeOutput: nodeOutput,
      edgeFirst: edgeFirst, edgeSecond: edgeSecond, edgeThird: edgeThird, output: output,
      settings: settings)
  }
}
