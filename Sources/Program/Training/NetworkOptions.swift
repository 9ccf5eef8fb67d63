import ArgumentParser
import Training

/// How a layer looks at neighbours.
enum LayerKind: String, CaseIterable, ExpressibleByArgument {
  case mean, attention
}

/// The shape of a network of coordinates.
struct NetworkOptions: ParsableArguments {
  @Option(help: "How layers look at neighbours: mean or attention.")
  var network = LayerKind.mean

  @Option(help: "Hidden channels H; the decoder has half of them.")
  var hidden = 256

  @Option(help: "Layers of the encoder, 1 to 4.")
  var layers = 1

  @Option(
    name: .customLong("heads"),
    help: "Attention heads of every layer. Needs --network attention. Default: 1.")
  var givenHeads: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Show the network the mean of a node's points beside its own embedding.")
  var averageFeature = true

  func validate() throws {
    guard (2...65536).contains(hidden) else {
      throw ValidationError("--hidden \(hidden): expected 2 ... 65536")
    }
    guard (1...4).contains(layers) else {
      throw ValidationError("--layers \(layers): expected 1 ... 4")
    }
    guard (1...64).contains(heads) else {
      throw ValidationError("--heads \(heads): expected 1 ... 64")
    }
    guard network == .attention || givenHeads == nil else {
      throw ValidationError("--heads \(heads) goes with --network attention")
    }
  }

  private var heads: Int { givenHeads ?? 1 }

  func shape(dimensions: Int) -> LanderShape {
    LanderShape(
      dimensions: dimensions, hidden: hidden, layerCount: layers,
      headCount: network == .attention ? heads : nil, usesAverageFeature: averageFeature)
  }
}
