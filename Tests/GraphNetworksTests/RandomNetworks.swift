import GraphNetworks
import LinearAlgebra
import RandomInputs

/// A linear map whose outputs are about as large as its inputs.
func randomMap(_ outputs: Int, _ inputs: Int, seed: Int) -> LinearMap {
  LinearMap(
    weight: randomMatrix(outputs, inputs, seed: seed, scale: 2 / Float(inputs).squareRoot()),
    bias: randomFloats(outputs, seed: seed + 1))
}

func randomDecoder(hidden: Int, width: Int, seed: Int) -> LinkageDecoder {
  LinkageDecoder(
    source: randomMap(width, hidden, seed: seed),
    destination: randomMap(width, hidden, seed: seed + 10),
    firstSlope: randomFloats(width, seed: seed + 20),
    middle: randomMap(width, width, seed: seed + 30),
    secondSlope: randomFloats(width, seed: seed + 40),
    output: randomMap(2, width, seed: seed + 50))
}

/// What a network is made of.
struct Architecture: CustomStringConvertible, Sendable {
  /// Attention heads; nil for mean layers.
  var headCount: Int?
  /// Outputs of each layer.
  var widths: [Int]
  var dimensions: Int
  var usesAverage: Bool

  var description: String {
    let layer = headCount.map { "attention of \($0) heads" } ?? "mean"
    return "\(layer), \(usesAverage ? 2 : 1) × \(dimensions) to \(widths)"
  }

  func random(seed: Int) -> Lander {
    var inputs = (usesAverage ? 2 : 1) * dimensions
    var layers: [ConvolutionLayer] = []
    for (place, width) in widths.enumerated() {
      let seed = seed + 100 * place
      let scale = 1 / Float(inputs).squareRoot()
      func matrix(_ rows: Int, _ columns: Int, _ offset: Int, scale: Float) -> Matrix {
        randomMatrix(rows, columns, seed: seed + offset, scale: scale)
      }
      if let headCount {
        layers.append(
          .attention(
            AttentionLayer(
              headCount: headCount, weight: matrix(headCount * width, inputs, 1, scale: 2 * scale),
              sourceAttention: matrix(headCount, width, 2, scale: 1),
              destinationAttention: matrix(headCount, width, 3, scale: 1),
              bias: randomFloats(width, seed: seed + 4))))
      } else {
        layers.append(
          .mean(
            MeanLayer(
              selfWeight: matrix(width, inputs, 1, scale: 2 * scale),
              neighborWeight: matrix(width, inputs, 2, scale: 2 * scale),
              bias: randomFloats(width, seed: seed + 4))))
      }
      inputs = width
    }
    return Lander(
      layers: layers, decoder: randomDecoder(hidden: inputs, width: 9, seed: seed + 1000),
      usesAverageFeature: usesAverage, dimensions: dimensions)
  }
}
