public import Communication
public import Differentiation
internal import LinearAlgebra
public import Optimization

/// The network's answers, on the tape.
public struct RecordedLinkage<Scalar: DifferentiableScalar> {
  /// Owned. z of every judged edge. Shape `[edges × 2]`.
  public let logits: Variable<Scalar>
  /// Owned. d of every judged node. Shape `[nodes × 1]`.
  public let density: Variable<Scalar>
}

extension LanderShape {
  /// Linkage and density, as ``Lander/linkage(of:over:using:on:)`` computes them, recorded for gradients.
  ///
  /// > Collective: over `communicator`. One halo exchange of the input rows of every layer, except a
  /// > first mean layer, and one of the decoder's rows; all again for the gradients.
  ///
  /// - Parameter disturbance: The random changes of training; nil for none.
  public func linkage<Scalar>(
    of input: StepInput<Scalar>, by parameters: RecordedParameters<Scalar>,
    disturbed disturbance: Disturbance? = nil, on tape: Tape<Scalar>,
    communicator: some Communicator
  ) throws -> RecordedLinkage<Scalar> {
    var hidden = tape.constant(input.inputs)
    var nextLayer = 0
    for layer in 0..<layerCount {
      let prefix = "conv.\(layer).gcn_layer"
      if headCount != nil {
        let weight = parameters["\(prefix).fc.weight"]
        hidden = try attention(
          hidden.linear(
            layer == 0 ? firstWeight([weight], input, disturbance, on: tape) : weight),
          layer, input.layers[nextLayer], parameters, communicator
        ).rectified()
        nextLayer += 1
      } else if layer == 0 {
        // The input is [x, Σ w x], the weight [own, neighbours'].
        let weight = parameters["\(prefix).mlp.weight"]
        hidden = hidden.linear(
          firstWeight(
            [weight.columns(0..<inputWidth), weight.columns(inputWidth..<2 * inputWidth)],
            input, disturbance, on: tape),
          bias: parameters["\(prefix).mlp.bias"], isRectified: true)
      } else {
        let neighbors = input.layers[nextLayer]
        let sums = try hidden.extended(by: neighbors.halo, on: communicator)
          .weightedSums(neighbors.weights, over: neighbors.adjacency)
        hidden = Variable.concatenated([hidden.sums(over: neighbors.own), sums])
          .linear(
            parameters["\(prefix).mlp.weight"], bias: parameters["\(prefix).mlp.bias"],
            isRectified: true)
        nextLayer += 1
      }
      if let mask: DenseMatrix<Scalar> = disturbance?.mask(
        ofLayer: layer, nodes: input.nodesOfLayer[layer + 1], width: hidden.columnCount)
      {
        hidden = hidden.masked(by: mask)
      }
    }
    return try decode(hidden, input, parameters, on: tape, communicator)
  }

  /// The weights of the first layer over the distinct blocks of its input: blocks that show the same
  /// matrix have one weight, the sum of theirs.
  ///
  /// - Parameter weights: For each part of the input rows. Shape `[out × inputWidth]` each.
  private func firstWeight<Scalar>(
    _ weights: [Variable<Scalar>], _ input: StepInput<Scalar>, _ disturbance: Disturbance?,
    on tape: Tape<Scalar>
  ) -> Variable<Scalar> {
    // x R has the product with W that x has with W Rᵀ.
    let rotation: DenseMatrix<Scalar>? = disturbance?.rotation(dimensions: dimensions)
    var columns: [Variable<Scalar>] = []
    for weight in weights {
      for source in 0...(input.blocks.max() ?? 0) {
        let shown = input.blocks.indices.filter { input.blocks[$0] == source }.map {
          weight.columns($0 * dimensions..<($0 + 1) * dimensions)
        }
        let sum = shown.dropFirst().reduce(shown[0], +)
        columns.append(rotation.map { sum.times(tape.constant($0)) } ?? sum)
      }
    }
    return Variable.concatenated(columns)
  }

  /// The layer of ``AttentionLayer`` without its ReLU, from z of all heads.
  private func attention<Scalar>(
    _ projected: Variable<Scalar>, _ layer: Int, _ input: LayerInput<Scalar>,
    _ parameters: RecordedParameters<Scalar>, _ communicator: some Communicator
  ) throws -> Variable<Scalar> {
    let heads = headCount ?? 1
    let outputs = layerWidths[layer].outputs
    let local = try projected.extended(by: input.halo, on: communicator)
    let own = projected.sums(over: input.own)
    let pattern = input.adjacency.pattern
    let sources = Adjacency(selecting: pattern.columns, of: pattern.columnCount)
    let destinations = Adjacency(selecting: pattern.rows, of: pattern.rowCount)
    let prefix = "conv.\(layer)"
    let bias = parameters["\(prefix).gcn_layer.bias"] + parameters["\(prefix).bias"]
    var sum: Variable<Scalar>?
    for head in 0..<heads {
      let columns = head * outputs..<(head + 1) * outputs
      let z = local.columns(columns)
      let left = z.linear(parameters["\(prefix).gcn_layer.attn_l"].columns(columns))
      let right = own.columns(columns)
        .linear(parameters["\(prefix).gcn_layer.attn_r"].columns(columns))
      let attention = (left.sums(over: sources) + right.sums(over: destinations))
        .rectified(leak: 0.2).softmax(overSegments: pattern.rowOffsets)
      let output = z.weightedSums(attention, over: input.adjacency)
        .addingToRows(bias.columns(columns))
      sum = sum.map { $0 + output } ?? output
    }
    return heads == 1 ? sum! : sum!.scaled(by: 1 / Scalar(heads))
  }

  /// What ``LinkageDecoder`` does, and the density.
  private func decode<Scalar>(
    _ hidden: Variable<Scalar>, _ input: StepInput<Scalar>,
    _ parameters: RecordedParameters<Scalar>, on tape: Tape<Scalar>,
    _ communicator: some Communicator
  ) throws -> RecordedLinkage<Scalar> {
    let source = try hidden.linear(parameters["src_mlp.weight"], bias: parameters["src_mlp.bias"])
      .extended(by: input.halo, on: communicator)
    let destination = hidden.linear(
      parameters["dst_mlp.weight"], bias: parameters["dst_mlp.bias"])
    let logits = source.edgeInputs(
      input.sources, destination, input.destinations,
      slopes: parameters["classifier_conn.0.weight"]
    )
    .linear(
      parameters["classifier_conn.1.weight"], bias: parameters["classifier_conn.1.bias"]
    )
    .rectified(slopes: parameters["classifier_conn.2.weight"])
    .linear(parameters["classifier_conn.3.weight"], bias: parameters["classifier_conn.3.bias"])
    // p₁ − p₀, then its mean over a node's edges, each times its affinity.
    let difference = logits.softmaxOfRows()
      .linear(tape.constant(DenseMatrix(rows: 1, columns: 2, elements: [-1, 1])))
    return RecordedLinkage(
      logits: logits,
      density: difference.weightedSums(input.densityWeights, over: input.edgesOfNode))
  }
}
