import ArgumentParser
import GraphNetworks
import Parallelism
import Training

/// How to train a network of structure.
struct StructureOptions: ParsableArguments {
  @Option(
    help: "Go on from this model of structure, or from 'default', in place of random parameters.")
  var from: String?

  @Option(
    parsing: .upToNextOption,
    help: "More features and labels to learn from, in turn; their dimensions may differ.")
  var also: [String] = []

  @Option(help: "Selections of the points, each changed in another way, that graphs are made of.")
  var graphs = StructureTrainingOptions().graphCount

  @Option(help: "Generated sets beside them.")
  var mixtures = 0

  @Option(help: "The most points of a graph.")
  var graphPoints = StructureTrainingOptions().pointLimit

  @Option(help: "Channels of every hidden layer; with --from those of that model.")
  var width = StructureShape().width

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "What to do without, to measure what it is worth: features, groups of them, parts of training.",
      discussion: """
        Groups of features: absolute, ranks, local-scaling, overlap, linkage, sizes, point-edges, \
        level; all of nodes or edges; one feature, as node.logSize. Parts of training: \
        augmentation, confusion, overlapping, balance.
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
    try require((1...4096).contains(width), "--width \(width)", "1 ... 4096")
    do { _ = try StructureOmissions(without) } catch { throw ValidationError("--without \(error)") }
  }

  func options(
    _ recipe: RecipeOptions, _ judging: ValidationOptions, from start: StructureNetwork?,
    workers: Workers
  ) throws -> StructureTrainingOptions {
    try StructureTrainingOptions(
      shape: StructureShape(width: start?.width ?? width),
      settings: start?.settings ?? StructureNetwork.Settings(), graphCount: graphs,
      mixtureCount: mixtures, pointLimit: graphPoints,
      epochCount: recipe.epochs ?? StructureTrainingOptions().epochCount,
      validationFraction: judging.chosenFraction ?? 0,
      omissions: StructureOmissions(without), seed: recipe.seed, workers: workers)
  }

  /// What another run must have in common with this one to go on from its checkpoint, beside its data, by
  /// the names of options.
  func settings(of options: StructureTrainingOptions) -> [String: String] {
    [
      "--graphs": "\(options.graphCount)", "--mixtures": "\(options.mixtureCount)",
      "--graph-points": "\(options.pointLimit)", "--width": "\(options.shape.width)",
      "--epochs": "\(options.epochCount)", "--seed": "\(options.seed)",
      "--validation-fraction": "\(options.validationFraction)",
      "edges per step": "\(options.stepEdgeCount)",
      "--without": options.omissions.names.joined(separator: " "),
    ]
  }
}
