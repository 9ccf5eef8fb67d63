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
        and dimension; trains in seconds on a few hundred identities. coordinates: the embeddings \
        themselves, as in the paper, for very many identities. The options below are for coordinates.
        """))
  var input = InputFamily.structure

  // What was not given is nil.

  @Option(
    name: .customLong("network"),
    help: "How layers look at neighbours: mean or attention. Default: mean.")
  var givenNetwork: LayerKind?

  @Option(
    name: .customLong("hidden"),
    help: "Hidden channels H; the decoder has half of them. Default: 256.")
  var givenHidden: Int?

  @Option(name: .customLong("layers"), help: "Layers of the encoder, 1 to 4. Default: 1.")
  var givenLayers: Int?

  @Option(name: .customLong("heads"), help: "Attention heads of every layer. Default: 1.")
  var givenHeads: Int?

  @Flag(
    name: .customLong("average-feature"), inversion: .prefixedNo,
    help: """
      Show the network the mean of a node's points beside its own embedding. Default: \
      --average-feature.
      """)
  var givenAverageFeature: Bool?

  /// To be asked once it is known that the options fit the kind of model.
  func checkValues() throws {
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

  /// Which options were given that networks of structure do not know.
  var givenOfCoordinates: [String] {
    [
      ("--network", givenNetwork != nil), ("--hidden", givenHidden != nil),
      ("--layers", givenLayers != nil), ("--heads", givenHeads != nil),
      ("--average-feature", givenAverageFeature == true),
      ("--no-average-feature", givenAverageFeature == false),
    ].filter(\.1).map(\.0)
  }

  private var network: LayerKind { givenNetwork ?? .mean }
  private var hidden: Int { givenHidden ?? 256 }
  private var layers: Int { givenLayers ?? 1 }
  private var heads: Int { givenHeads ?? 1 }

  func shape(dimensions: Int) -> LanderShape {
    LanderShape(
      dimensions: dimensions, hidden: hidden, layerCount: layers,
      headCount: network == .attention ? heads : nil,
      usesAverageFeature: givenAverageFeature ?? true)
  }
}
