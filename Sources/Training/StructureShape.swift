package import Communication
public import Differentiation
internal import DistributedGraphs
public import GraphNetworks
internal import LinearAlgebra
public import Optimization
internal import SimilarityStructure

/// The sizes of a network of structure that is to be trained, and its computation on the tape.
public struct StructureShape: Equatable, Sendable {
  /// h: channels of every hidden layer.
  public let width: Int

  public init(width: Int = 48) {
    precondition(width > 0, "\(width) channels")
    self.width = width
  }

  /// Random parameters, uniform in ±1/√inputs, in the names of ``StructureNetwork/tensors``.
  public func initialParameters(seed: UInt64) -> Parameters<Float> {
    var maker = ParameterMaker(seed: seed)
    let (nodes, edges) = (StructureFeatures.nodeWidth, StructureFeatures.edgeWidth)
    maker.linear("node.hidden", outputs: width, inputs: 2 * nodes)
    maker.linear("node.output", outputs: width, inputs: width)
    maker.linear("edge.first", outputs: width, inputs: 2 * width + edges)
    maker.linear("edge.second", outputs: width, inputs: width)
    maker.linear("edge.third", outputs: width, inputs: width)
    maker.linear("edge.output", outputs: 1, inputs: width)
    return Parameters(maker.parameters)
  }

  /// The network that inference runs.
  public func network(
    _ parameters: Parameters<Float>, nodeScale: FeatureScale, edgeScale: FeatureScale,
    settings: StructureNetwork.Settings
  ) -> StructureNetwork {
    func map(_ name: String) -> LinearMap {
      LinearMap(
        weight: parameters["\(name).weight"], bias: parameters["\(name).bias"].elements)
    }
    return StructureNetwork(
      nodeScale: nodeScale, edgeScale: edgeScale, nodeHidden: map("node.hidden"),
      nodeOutput: map("node.output"), edgeFirst: map("edge.first"),
      edgeSecond: map("edge.second"), edgeThird: map("edge.third"), output: map("edge.output"),
      settings: settings)
  }

  /// The logits of the edges of one part of a level, as ``StructureNetwork/linkage(of:using:on:)``
  /// computes them, recorded for gradients. Shape `[edges × 1]`.
  ///
  /// > Collective: over `communicator`. One halo exchange of hidden rows; again for the gradients.
  package func logits<Scalar>(
    of part: StructureGraph<Scalar>.EdgePart, in graph: StructureGraph<Scalar>,
    by parameters: RecordedParameters<Scalar>,
    on tape: Tape<Scalar>, communicator: some Communicator
  ) throws -> Variable<Scalar> {
    func linear(_ x: Variable<Scalar>, _ name: String, isRectified: Bool = false)
      -> Variable<Scalar>
    {
      x.linear(
        parameters["\(name).weight"], bias: parameters["\(name).bias"], isRectified: isRectified)
    }
    let hidden = linear(
      linear(tape.constant(graph.nodes), "node.hidden", isRectified: true), "node.output")
    let sources = try hidden.extended(by: graph.halo, on: communicator).sums(over: part.sources)
    let targets = hidden.sums(over: part.targets)
    let difference = (targets - sources).rectified(leak: -1)  // its absolute value
    let inputs = Variable.concatenated([
      targets + sources, difference, tape.constant(part.features),
    ])
    let first = linear(inputs, "edge.first", isRectified: true)
    let second = linear(first, "edge.second", isRectified: true)
    return linear(second + linear(second, "edge.third", isRectified: true), "edge.output")
  }
}

extension Parameters<Float> {
  /// The parameters of an existing network, to start from.
  public init(_ network: StructureNetwork) {
    func linear(_ name: String, _ map: LinearMap) -> [Parameter<Float>] {
      [Parameter("\(name).weight", map.weight), Parameter("\(name).bias", vector: map.bias)]
    }
    self.init(
      linear("node.hidden", network.nodeHidden) + linear("node.output", network.nodeOutput)
        + linear("edge.first", network.edgeFirst) + linear("edge.second", network.edgeSecond)
        + linear("edge.third", network.edgeThird) + linear("edge.output", network.output))
  }
}
