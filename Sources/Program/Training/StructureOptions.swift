import ArgumentParser
import Datasets
import GraphNetworks
import Parallelism
import Training

/// How to train a network of structure.
struct StructureOptions: ParsableArguments {
  @Option(
    help: "Start from this model of structure, or from 'default', instead of random parameters.")
  var from: String?

  @Option(
    name: .customShort("k"),
    help: """
      Places in a point's neighbour list that make edges, itself included, 2 ... 1000; highland cluster will \
      use it. Default: chosen on held-out identities, among \
      \(LengthChoice.candidates.map(String.init).joined(separator: ", ")); with --groups, \
      \(StructureNetwork.Settings().neighborCount). Not with --from, which keeps that of its model.
      """)
  var givenNeighborCount: Int?

  @Option(
    parsing: .upToNextOption,
    help:
      "More to learn from: features and labels, in turn, up to the next option; dimensions may differ."
  )
  var also: [String] = []

  @Option(
    help: "How many selections of the points, each changed in a different way, to make graphs from."
  )
  var graphs = StructureTrainingOptions().graphCount

  @Flag(
    help: ArgumentHelp(
      "Do not try whether a linear transform of rows, learned from the labels, helps the network.",
      discussion: """
        It is tried on halves of the identities, and the model holds it if it gains there. Such a model is for rows of \
        this kind and width alone. Of several sets (--also), groups, and rows of more than \
        \(TransformChoice.mostColumns) columns none is tried anyway.
        """))
  var noTransform = false

  @Option(help: "How many generated sets to add.")
  var mixtures = 0

  @Option(
    help: ArgumentHelp(
      "Learn to cluster within groups: the group of every point, as for highland cluster --groups.",
      discussion: """
        Equal labels in two groups are two identities. The model merges groups of any size, so it is one for \
        small graphs. Not with --also and --validation, which have no groups.
        """))
  var groups: String?

  @Option(
    name: .customLong("context"),
    help: """
      Places in the lists that are compared, without the point itself. Default: 2 k, at most 100. With -k or \
      --groups.
      """
  )
  var givenContext: Int?

  @Option(help: "The maximum points in a graph.")
  var graphPoints = StructureTrainingOptions().pointLimit

  @Option(help: "Passes over the points of the first graph.")
  var epochs = StructureTrainingOptions().epochCount

  @Option(
    name: .customLong("width"),
    help: """
      Channels of every hidden layer. Default: \(StructureShape().width). Not with --from, which keeps \
      those of its model.
      """)
  var givenWidth: Int?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Leave out features, groups of features or parts of training, to measure what they are worth.",
      discussion: """
        Groups of features: absolute, ranks, local-scaling, overlap, linkage, sizes, point-edges, \
        level; all of nodes or edges; one feature, as node.logSize. Parts of training: \
        augmentation, confusion, overlapping, balance, modules.
        """, visibility: .hidden))
  var without: [String] = []

  func validate() throws {
    func require(_ holds: Bool, _ option: String, _ expected: String) throws {
      if !holds { throw ValidationError("\(option): expected \(expected)") }
    }
    try require(
      also.count.isMultiple(of: 2), "--also: \(also.count) names", "two for every set")
    try require((0...10_000).contains(graphs), "--graphs \(graphs)", "0 ... 10000")
    try require((0...10_000).contains(mixtures), "--mixtures \(mixtures)", "0 ... 10000")
    try require(graphs + mixtures > 0, "--graphs 0 --mixtures 0", "something to learn from")
    try require(
      (100...10_000_000).contains(graphPoints), "--graph-points \(graphPoints)", "100 ... 10000000")
    if let k = givenNeighborCount {
      try require((2...1000).contains(k), "-k \(k)", "2 ... 1000")
      try require(
        k < graphPoints, "-k \(k) --graph-points \(graphPoints)", "fewer places than points")
    }
    try require((1...4096).contains(width), "--width \(width)", "1 ... 4096")
    try require((0...1_000_000).contains(epochs), "--epochs \(epochs)", "0 ... 1000000")
    if let context = givenContext {
      try require(
        (neighborCount - 1...1000).contains(context), "--context \(context)",
        "\(neighborCount - 1) ... 1000, at least k − 1")
    }
    for (isGiven, name) in [(givenNeighborCount != nil, "-k"), (givenContext != nil, "--context")]
    where isGiven && from != nil {
      throw ValidationError("\(name) and --from: expected one of them; a model has its own")
    }
    if givenContext != nil, givenNeighborCount == nil, groups == nil {
      throw ValidationError("--context: expected -k beside it; a length that is chosen has its own")
    }
    if groups != nil, !also.isEmpty || mixtures > 0 {
      throw ValidationError(
        "--groups and --also or --mixtures: expected one; the others have no groups")
    }
    if noTransform, !also.isEmpty || groups != nil {
      throw ValidationError(
        "--no-transform and --also or --groups: expected one; with these no transform is tried")
    }
    if from != nil, givenWidth != nil {
      throw ValidationError("--width and --from: expected one of them; a model has its own width")
    }
    do { _ = try StructureOmissions(without) } catch { throw ValidationError("--without \(error)") }
  }

  private var neighborCount: Int {
    givenNeighborCount ?? StructureNetwork.Settings().neighborCount
  }

  private var width: Int { givenWidth ?? StructureShape().width }

  /// - Throws: ``DataError`` if graphs are too small for the k of the model to start from.
  func options(
    _ held: HeldOutOptions, seed: UInt64, from start: StructureNetwork?, workers: Workers
  ) throws -> StructureTrainingOptions {
    var settings =
      start?.settings
      ?? StructureNetwork.Settings(neighborCount: neighborCount, contextLength: givenContext)
    settings.mergesFewNodes = settings.mergesFewNodes || groups != nil
    guard graphPoints > settings.neighborCount else {
      throw DataError(
        path: from ?? "--graph-points",
        problem: "has k = \(settings.neighborCount); expected --graph-points above it, not "
          + "\(graphPoints)")
    }
    return try StructureTrainingOptions(
      shape: StructureShape(width: start?.width ?? width), settings: settings,
      neighborCounts: start == nil && givenNeighborCount == nil && groups == nil
        ? LengthChoice.candidates : [],
      triesTransforms: !noTransform && also.isEmpty && groups == nil,
      graphCount: graphs, mixtureCount: mixtures, pointLimit: graphPoints,
      epochCount: epochs, validationFraction: held.fraction(default: 0),
      omissions: StructureOmissions(without), seed: seed, workers: workers)
  }

  /// The settings that a run must share with this one, besides its data, to resume from its checkpoint.
  /// Keys are names of options.
  func settings(of options: StructureTrainingOptions) -> [String: String] {
    [
      "-k": options.neighborCounts.isEmpty ? "\(options.settings.neighborCount)" : "chosen",
      "--graphs": "\(options.graphCount)", "--mixtures": "\(options.mixtureCount)",
      "--graph-points": "\(options.pointLimit)", "--width": "\(options.shape.width)",
      "--epochs": "\(options.epochCount)",
      "--no-transform": "\(!options.triesTransforms)", "--seed": "\(options.seed)",
      "--validation-fraction": "\(options.validationFraction)",
      "edges per step": "\(options.stepEdgeCount)",
      "--context": "\(options.settings.contextLength)",
      "--without": options.omissions.names.joined(separator: " "),
    ]
  }
}
