public import Differentiation

/// Which network: everything about it but its numbers.
public struct GraphArchitecture: Equatable, Codable, Sendable {
  public enum Kind: String, CaseIterable, Codable, Sendable {
    /// Sums over nodes, a linear map with ReLU, a linear map: sees no edges.
    case baseline
    /// Graph convolutions, a mean over nodes, a linear map: the flat network.
    case gcn
    /// Sums over neighbours, each through a perceptron; sums of all layers' nodes; a linear map
    /// [Xu et al. 2019, arXiv:1810.00826].
    case gin
    /// The mean of neighbours and the node itself, each by weights of its own, with ReLU; the greatest of all layers'
    /// nodes; a linear map with ReLU, a linear map [Hamilton et al. 2017, arXiv:1706.02216, the mean aggregator; all
    /// layers side by side, as Errica et al. 2020 measure it].
    case sage
    /// Nodes are pooled into learned clusters, level by level [Ying et al. 2018, arXiv:1806.08804].
    case diffpool
  }

  public var kind: Kind
  /// Columns of the nodes' rows.
  public var inputWidth: Int
  public var hidden: Int
  /// Layers one after the other: of a network without pooling, or of each block of DiffPool. Of the baseline linear
  /// maps with ReLU of each node.
  public var layerCount: Int
  /// DiffPool's clusters at each pooling level; empty for other networks.
  public var clusterCounts: [Int]
  public var classCount: Int
  /// The share of a graph's hidden numbers that training sets to 0, before the last linear map.
  public var dropout: Double
  /// What a graph's row is made of those of its nodes, or of its last clusters.
  public var readout: Aggregation

  /// - Precondition: Positive sizes, clusters for DiffPool alone, a share below 1.
  public init(
    kind: Kind, inputWidth: Int, hidden: Int = 64, layerCount: Int? = nil,
    clusterCounts: [Int] = [], classCount: Int, dropout: Double = 0, readout: Aggregation? = nil
  ) {
    precondition(
      inputWidth > 0 && hidden > 0 && classCount > 0 && (layerCount ?? 1) > 0
        && clusterCounts.allSatisfy { $0 > 0 } && clusterCounts.isEmpty == (kind != .diffpool)
        && (0..<1).contains(dropout),
      "\(kind) of \(inputWidth), \(hidden), \(clusterCounts), \(classCount), \(dropout)")
    self.kind = kind
    self.inputWidth = inputWidth
    self.hidden = hidden
    self.layerCount = layerCount ?? (kind == .baseline || clusterCounts.count == 1 ? 1 : 3)
    self.clusterCounts = clusterCounts
    self.classCount = classCount
    self.dropout = dropout
    self.readout = readout ?? kind.readout
  }
}

extension GraphArchitecture.Kind {
  /// What the network was published with.
  public var readout: Aggregation {
    switch self {
    case .baseline, .gin: .sum
    case .gcn, .diffpool: .mean
    case .sage: .max
    }
  }
}

/// A block of DiffPool: SAGE layers, each with ReLU and batch normalisation, their results side by
/// side, and for assignments a linear map with ReLU.
struct Block {
  /// As in PyTorch Geometric's example: `gnn1_pool`, `gnn1_embed`, `gnn2_pool`, …
  var name: String
  var inputWidth: Int
  /// The width of each layer's result.
  var widths: [Int]
  var hasLinear: Bool

  var outputWidth: Int { hasLinear ? widths[widths.count - 1] : widths.reduce(0, +) }

  /// `.conv1.lin_rel.weight` and so on stand behind ``name``.
  var layers: [(name: String, inputWidth: Int, width: Int)] {
    widths.indices.map { layer in
      (String(layer + 1), layer == 0 ? inputWidth : widths[layer - 1], widths[layer])
    }
  }
}

extension GraphArchitecture {
  /// Clusters of one pooling level for graphs up to this size: a quarter of its nodes.
  public static func usualClusterCount(largestGraph: Int) -> Int {
    min(160, (largestGraph + 3) / 4)
  }

  /// The blocks of each pooling level: assignment logits, and embeddings.
  var levels: [(pool: Block, embed: Block)] {
    var width = inputWidth
    return clusterCounts.enumerated().map { level, clusterCount in
      let hiddenLayers = Array(repeating: hidden, count: layerCount - 1)
      let pool = Block(
        name: "gnn\(level + 1)_pool", inputWidth: width, widths: hiddenLayers + [clusterCount],
        hasLinear: true)
      let embed = Block(
        name: "gnn\(level + 1)_embed", inputWidth: width, widths: hiddenLayers + [hidden],
        hasLinear: false)
      width = embed.outputWidth
      return (pool, embed)
    }
  }

  /// The block after the last pooling; networks with blocks of one layer have none.
  var lastBlock: Block? {
    guard kind == .diffpool, layerCount > 1 else { return nil }
    return Block(
      name: "gnn\(clusterCounts.count + 1)_embed", inputWidth: levels.last!.embed.outputWidth,
      widths: Array(repeating: hidden, count: layerCount), hasLinear: false)
  }

  /// Columns of a graph's row, before the linear maps at the end.
  var readoutWidth: Int {
    switch kind {
    case .baseline, .gcn: hidden
    case .gin: inputWidth + layerCount * hidden
    case .sage: layerCount * hidden
    case .diffpool: lastBlock?.outputWidth ?? levels.last!.embed.outputWidth
    }
  }

  /// Columns of a graph's row before the last linear map, on which dropout acts.
  var dropoutWidth: Int { kind == .gin ? readoutWidth : hidden }

  /// The parameters of the network: names, shapes, and how they are drawn.
  var parameters: [(name: String, shape: [Int], start: Start)] {
    var all: [(name: String, shape: [Int], start: Start)] = []
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) {
      all.append(("\(name).weight", [outputs, inputs], .uniform(bound: 1 / root(inputs))))
      all.append(("\(name).bias", [outputs], .uniform(bound: 1 / root(inputs))))
    }
    func normalization(_ name: String, _ width: Int) {
      all.append(("\(name).weight", [width], .constant(1)))
      all.append(("\(name).bias", [width], .constant(0)))
    }
    func sampling(_ name: String, _ inputs: Int, _ outputs: Int) {
      all.append(
        ("\(name).lin_rel.weight", [outputs, inputs], .uniform(bound: 1 / root(inputs))))
      linear("\(name).lin_root", inputs, outputs)
    }
    func block(_ block: Block) {
      for layer in block.layers {
        sampling("\(block.name).conv\(layer.name)", layer.inputWidth, layer.width)
        normalization("\(block.name).bn\(layer.name)", layer.width)
      }
      if block.hasLinear {
        linear("\(block.name).lin", block.widths.reduce(0, +), block.outputWidth)
      }
    }
    switch kind {
    case .baseline:
      for layer in 0..<layerCount {
        linear("node\(layer + 1)", layer == 0 ? inputWidth : hidden, hidden)
      }
      linear("lin1", hidden, hidden)
      linear("lin2", hidden, classCount)
    case .gin:
      for layer in 0..<layerCount {
        let name = "conv\(layer + 1)"
        all.append(("\(name).eps", [1], .constant(0)))
        linear("\(name).lin1", layer == 0 ? inputWidth : hidden, hidden)
        normalization("\(name).bn1", hidden)
        linear("\(name).lin2", hidden, hidden)
        normalization("\(name).bn2", hidden)
      }
      linear("lin", readoutWidth, classCount)
    case .sage:
      for layer in 0..<layerCount {
        sampling("conv\(layer + 1)", layer == 0 ? inputWidth : hidden, hidden)
      }
      linear("lin1", readoutWidth, hidden)
      linear("lin2", hidden, classCount)
    case .gcn:
      for layer in 0..<layerCount {
        let inputs = layer == 0 ? inputWidth : hidden
        all.append(
          (
            "conv\(layer + 1).lin.weight", [hidden, inputs],
            .uniform(bound: (6 / Double(inputs + hidden)).squareRoot())
          ))
        all.append(("conv\(layer + 1).bias", [hidden], .constant(0)))
      }
      linear("lin", hidden, classCount)
    case .diffpool:
      for level in levels {
        block(level.pool)
        block(level.embed)
      }
      lastBlock.map(block)
      linear("lin1", readoutWidth, hidden)
      linear("lin2", hidden, classCount)
    }
    return all
  }

  /// How many numbers the largest parameter has.
  public var largestParameterCount: Int {
    parameters.reduce(0) { max($0, $1.shape.reduce(1, *)) }
  }

  /// How many numbers are learned.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.reduce(1, *) } }

  /// The layers with batch normalisation, by the names of their parameters, and their widths.
  var normalizations: [(name: String, width: Int)] {
    if kind == .gin {
      return (1...layerCount).flatMap { layer in
        [("conv\(layer).bn1", hidden), ("conv\(layer).bn2", hidden)]
      }
    }
    return (levels.flatMap { [$0.pool, $0.embed] } + (lastBlock.map { [$0] } ?? [])).flatMap {
      block in
      block.layers.map { ("\(block.name).bn\($0.name)", $0.width) }
    }
  }
}

private func root(_ count: Int) -> Double { Double(count).squareRoot() }

/// What a parameter is before training.
enum Start {
  /// Evenly in −bound ..< bound: PyTorch's choice for linear maps, and Glorot's for convolutions.
  case uniform(bound: Double)
  case constant(Double)
}
