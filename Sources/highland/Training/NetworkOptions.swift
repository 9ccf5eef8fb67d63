import ArgumentParser
import Training

/// What a network sees of the points.
enum InputFamily: String, CaseIterable, ExpressibleByArgument {
  /// The structure of similarities.
  case structure
  /// The embeddings themselves.
  case coordinates
}

/// How a layer looks at neighbours.
enum LayerKind: String, CaseIterable, ExpressibleByArgument {
  case mean, attention
}

struct NetworkOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the network sees: structure or coordinates.",
      discussion: """
        structure: ranks, shared neighbours, sizes and linkages of clusters, for embeddings of any kind \
        and dimension; learned in seconds from some hundred identities. coordinates: the embeddings \
        themselves, as in the paper, for very many identities. The options below are for coordinates.
        """))
  var input = InputFamily.structure

  @Option(help: "How layers look at neighbours: mean or attention.")
  var network = LayerKind.mean

  @Option(help: "Hidden channels H; the decoder has half of them.")
  var hidden = 256

  @Option(help: "Layers of the encoder, 1 to 4.")
  var layers = 1

  @Option(help: "Attention heads of every layer.")
  var heads = 1

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
    guard network == .attention || heads == 1 else {
      throw ValidationError("--heads \(heads) goes with --network attention")
    }
  }

  func shape(dimensions: Int) -> LanderShape {
    LanderShape(
      dimensions: dimensions, hidden: hidden, layerCount: layers,
      headCount: network == .attention ? heads : nil, usesAverageFeature: averageFeature)
  }
}
