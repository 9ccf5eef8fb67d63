public import ArgumentParser
import Communication
import Datasets
import FoundationEssentials
public import HierarchicalClustering

/// The options of every command in which a network clusters: the model, and what merges.
struct LinkageOptions: ParsableArguments {
  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "The model, a .safetensors file; highland info FILE describes it.",
      discussion: """
        Default: the built-in model of structure, for embeddings of any kind and dimension. A model \
        trained on data of the same kind (highland train) does better; if it holds a transform of rows, that is \
        done first.
        """))
  var model: String?

  @Option(
    name: .customLong("granularity"),
    help: "finer makes more and smaller clusters than the model would, coarser fewer and larger.")
  var givenGranularity: Granularity?

  @Option(
    name: .customLong("tau"),
    help: ArgumentHelp(
      "Merge only along linkages more probable than this, 0 ... 1.",
      discussion: """
        Default: the one that training chose; 0.8 if the model does not say. A model that merges level 0 by modules \
        merges it above this instead.
        """))
  var tau: Double?

  @Option(
    name: .customLong("tau-later"),
    help: "The same for levels after level 0. Default: as --tau.")
  var tauLater: Double?

  @Flag(
    help: ArgumentHelp(
      "Choose τ on this data, without labels: the value that separates clusters best.",
      discussion: "The built-in model does this unless --tau or --neighbors is given."))
  var tauBySilhouette = false

  @Option(
    name: .customLong("max-levels"), help: "The maximum number of levels. Default: 10.")
  var givenMaxLevels: Int?

  var granularity: Granularity { givenGranularity ?? .asTrained }
  var maxLevels: Int { givenMaxLevels ?? 10 }

  /// Those that are given.
  var names: [String] {
    [
      (model != nil, "--model"), (givenGranularity != nil, "--granularity"), (tau != nil, "--tau"),
      (tauLater != nil, "--tau-later"), (tauBySilhouette, "--tau-by-silhouette"),
      (givenMaxLevels != nil, "--max-levels"),
    ].filter(\.0).map(\.1)
  }

  func validate() throws {
    for (name, tau) in [("--tau", tau), ("--tau-later", tauLater)] {
      if let tau, !(0...1).contains(tau) {
        throw ValidationError("\(name) \(tau): expected 0 ... 1")
      }
    }
    guard !tauBySilhouette || tau == nil else {
      throw ValidationError("--tau-by-silhouette chooses τ; --tau sets it: expected one of them")
    }
    guard granularity == .asTrained || tau == nil && tauLater == nil else {
      throw ValidationError(
        "--granularity moves the model's τ; --tau sets it: expected one of them")
    }
    guard maxLevels >= 1 else {
      throw ValidationError("--max-levels \(maxLevels): expected 1 or more")
    }
    guard maxLevels > 1 || tauLater == nil else {
      throw ValidationError("--tau-later is for levels after the first; not with --max-levels 1")
    }
  }
}

/// How many clusters groups have: `4`, or `2..6`.
struct ClusterCounts {
  let range: ClosedRange<Int>

  /// - Throws: `ValidationError`, which says what was expected.
  init(argument: String) throws {
    let bounds = argument.components(separatedBy: "..").map { Int($0) }
    guard (1...2).contains(bounds.count), let least = bounds.first!, let most = bounds.last!,
      least >= 1, most >= least
    else {
      throw ValidationError(
        "--clusters \(argument): expected a number of at least 1, or MIN..MAX with both, as 2..6")
    }
    range = least...most
  }
}

extension Granularity: ExpressibleByArgument {}
extension InvalidRowPolicy: ExpressibleByArgument {}

extension ClusteringMemory {
  /// Of clustering rows with a model on these ranks.
  ///
  /// - Parameters:
  ///   - largestShare: Replicated. Points of the rank with most of them; nil for equal shares.
  ///   - keepsLists: Whether the lists of a level are written.
  ///   - coarseShare: How many of the nodes of a level, as a share, are taken to stay apart.
  init(
    _ source: FeatureRows, with model: TrainedModel, neighborCount: Int, largestShare: Int? = nil,
    keepsLists: Bool = false, coarseShare: Double, on communicator: some Communicator
  ) {
    self.init(
      rowCount: largestShare ?? equalShare(of: source.rowCount, on: communicator),
      pointCount: source.rowCount,
      columnCount: source.dimensions, element: source.storedElement, rankCount: communicator.size,
      neighborCount: neighborCount, keepsLists: keepsLists, model: model.linkage,
      coarseShare: coarseShare)
  }
}
