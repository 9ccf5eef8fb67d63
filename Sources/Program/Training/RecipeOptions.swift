import ArgumentParser
import Optimization
import Parallelism
import Training

/// Whole numbers with commas between them.
struct NumberList: ExpressibleByArgument, CustomStringConvertible {
  let numbers: [Int]

  init(_ numbers: [Int]) { self.numbers = numbers }

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    numbers = parts.compactMap { Int($0) }
    guard numbers.count == parts.count, !numbers.isEmpty else { return nil }
  }

  var description: String { numbers.map(String.init).joined(separator: ",") }
  var defaultValueDescription: String { description }
}

enum LossKind: String, CaseIterable, ExpressibleByArgument {
  case crossEntropy = "cross-entropy"
  case focal
}

enum OptimizerKind: String, CaseIterable, ExpressibleByArgument {
  case sgd, adam
}

enum InitialNetwork: String, CaseIterable, ExpressibleByArgument {
  case random, distance
}

/// How to train a network of coordinates.
struct RecipeOptions: ParsableArguments {
  // Of -k and --levels the one that was given is at fault: what was not given is nil.

  @Option(
    name: .customShort("k"),
    help: """
      Lengths of the training graphs' neighbour lists, including the point itself; highland cluster \
      will use the first. Default: 10,5,3.
      """)
  var givenNeighborCounts: NumberList?

  @Option(
    name: .customLong("levels"),
    help: "For each number of -k, the number of levels, ever coarser graphs. Default: 2,3,4.")
  var givenLevels: NumberList?

  @Flag(help: "Build coarser levels along true links, not by true density and similarity alone.")
  var trueLinks = false

  @Option(help: "The linkage loss: cross-entropy or focal.")
  var loss = LossKind.crossEntropy

  @Flag(
    inversion: .prefixedNo,
    help: "Cut the larger class of edges down to the smaller, at random in every step.")
  var balance = true

  @Option(help: "The weight of the density loss, which is added to the linkage loss.")
  var densityWeight = 1.0

  @Option(help: "adam, or sgd with a momentum of 0.9.")
  var optimizer = OptimizerKind.adam

  @Option(help: "The first learning rate; it falls to 0.00001 along half a cosine.")
  var learningRate = 0.002

  @Option(help: "Weight decay of all parameters: in the gradient with sgd, decoupled with adam.")
  var weightDecay = 0.00001

  @Option(help: "Scale gradients down so that their overall norm is at most this; 0: no limit.")
  var clip = 0.0

  @Option(help: "Passes over the points of the first graph.")
  var epochs = 30

  @Option(help: "Nodes per step, over all ranks; 0 for whole graphs.")
  var batchSize = 0

  @Option(help: "The share of hidden channels to drop at random in each step.")
  var dropout = 0.0

  @Flag(
    inversion: .prefixedNo,
    help: """
      Apply a random rotation to all embeddings in every step, so that coordinates carry no meaning.
      """)
  var rotate = true

  @Option(
    help: """
      How the network starts: random, or distance, where linkage falls with the distance between an \
      edge's ends. Default: distance for one mean layer.
      """)
  var initial: InitialNetwork?

  func validate() throws {
    func require(_ holds: Bool, _ option: String, _ expected: String) throws {
      if !holds { throw ValidationError("\(option): expected \(expected)") }
    }
    try require(
      neighborCounts.numbers.allSatisfy { (2...10_000).contains($0) }, "-k \(neighborCounts)",
      "numbers of 2 ... 10000")
    try require(
      levels.numbers.allSatisfy { (1...100).contains($0) }, "--levels \(levels)",
      "numbers of 1 ... 100")
    // The option that was given is at fault, not a default.
    try require(
      levels.numbers.count == neighborCounts.numbers.count || givenLevels != nil,
      "-k \(neighborCounts)",
      "as many numbers as --levels has, \(levels.numbers.count) by default (\(levels)); or give both"
    )
    try require(
      levels.numbers.count == neighborCounts.numbers.count, "--levels \(levels)",
      "as many numbers as -k has, \(neighborCounts.numbers.count)"
        + (givenNeighborCounts == nil ? " by default (\(neighborCounts)); or give both" : ""))
    guard !trueLinks || levels.numbers.contains(where: { $0 > 1 }) else {
      throw ValidationError(
        "--true-links makes the levels after the first; --levels \(levels) has none")
    }
    // Also as single precision, in which steps are computed.
    try require(
      (1e-30...1e30).contains(learningRate), "--learning-rate \(learningRate)",
      "above 0, 1e-30 ... 1e30")
    try require(
      weightDecay >= 0 && weightDecay < 1, "--weight-decay \(weightDecay)", "0 ..< 1")
    try require(
      clip == 0 || (1e-30...1e30).contains(clip), "--clip \(clip)", "0, or 1e-30 ... 1e30")
    try require((0...1_000_000).contains(epochs), "--epochs \(epochs)", "0 ... 1000000")
    try require(
      (0...1_000_000_000_000).contains(batchSize), "--batch-size \(batchSize)",
      "0 ... 1000000000000")
    try require((0..<1).contains(dropout), "--dropout \(dropout)", "0 ..< 1")
    try require(
      (0...1e30).contains(densityWeight), "--density-weight \(densityWeight)", "0 ... 1e30")
  }

  private var neighborCounts: NumberList { givenNeighborCounts ?? NumberList([10, 5, 3]) }
  private var levels: NumberList { givenLevels ?? NumberList([2, 3, 4]) }

  func options(shape: LanderShape, seed: UInt64, workers: Workers) -> TrainingOptions {
    TrainingOptions(
      shape: shape,
      chains: zip(neighborCounts.numbers, levels.numbers).map {
        TrainingChain(neighborCount: $0, levelCount: $1)
      },
      usesTrueLinks: trueLinks,
      loss: LinkageLoss(
        focus: loss == .focal ? 2 : nil, isBalanced: balance, densityWeight: densityWeight),
      optimizer: optimizer == .sgd
        ? .sgd(weightDecay: weightDecay) : .adam(weightDecay: weightDecay),
      learningRate: learningRate, gradientLimit: clip > 0 ? clip : nil, epochCount: epochs,
      batchSize: batchSize > 0 ? batchSize : nil, dropout: dropout, rotates: rotate,
      startsFromDistance: (initial ?? .distance) == .distance && shape.canStartFromDistance,
      seed: seed,
      workers: workers)
  }

  /// The settings that a run must share with this one to resume from its checkpoint. Keys are names of
  /// options.
  func settings(of options: TrainingOptions) -> [String: String] {
    let shape = options.shape
    return [
      "-k": "\(neighborCounts)", "--levels": "\(levels)", "--true-links": "\(trueLinks)",
      "--loss": loss.rawValue, "--balance": "\(balance)", "--density-weight": "\(densityWeight)",
      "--optimizer": optimizer.rawValue, "--learning-rate": "\(learningRate)",
      "--weight-decay": "\(weightDecay)", "--clip": "\(clip)", "--epochs": "\(epochs)",
      "--batch-size": "\(batchSize)", "--dropout": "\(dropout)", "--rotate": "\(rotate)",
      "--initial": options.startsFromDistance ? "distance" : "random",
      "--seed": "\(options.seed)", "--hidden": "\(shape.hidden)", "--layers": "\(shape.layerCount)",
      "--network": shape.headCount == nil ? "mean" : "attention",
      "--heads": "\(shape.headCount ?? 1)",
      "--average-feature": "\(shape.usesAverageFeature)",
    ]
  }
}

/// Which identities to choose by.
struct HeldOutOptions: ParsableArguments {
  @Option(
    name: .customLong("validation-fraction"),
    help: """
      The share of identities to hold out, on which parameters and τ are chosen; 0 for none. Default: 0 \
      for structure, which then chooses τ on the training identities, 0.5 for coordinates.
      """)
  var givenFraction: Double?

  @Option(
    parsing: .upToNextOption,
    help:
      "Features and labels to validate on, in place of training identities: all names up to the next option."
  )
  var validation: [String] = []

  func validate() throws {
    if let givenFraction, !(0...0.9).contains(givenFraction) {
      throw ValidationError("--validation-fraction \(givenFraction): expected 0 ... 0.9")
    }
    guard validation.isEmpty || validation.count == 2 else {
      throw ValidationError(
        "--validation: \(validation.count) names; expected two, features and labels")
    }
    guard givenFraction == nil || validation.isEmpty else {
      throw ValidationError("--validation-fraction and --validation: expected one of them")
    }
  }

  func fraction(default fraction: Double) -> Double { givenFraction ?? fraction }

  /// By the names of options.
  func settings(default fraction: Double) -> [String: String] {
    [
      "--validation-fraction": "\(self.fraction(default: fraction))",
      "--validation": validation.joined(separator: " "),
    ]
  }
}

/// How often to validate, and when to stop.
struct CourseOptions: ParsableArguments {
  @Option(
    name: .customLong("validate-every"),
    help: "Epochs between validations. Default: 5.")
  var givenInterval: Int?

  @Option(
    name: .customLong("patience"),
    help: """
      Stop after this many validations without improvement; 0 never stops early. Default: 0.
      """)
  var givenPatience: Int?

  func validate() throws {
    guard interval >= 1 else {
      throw ValidationError("--validate-every \(interval): expected 1 or more")
    }
    guard patience >= 0 else {
      throw ValidationError("--patience \(patience): expected 0 or more")
    }
  }

  /// The options that were given.
  var given: [String] {
    [("--patience", givenPatience != nil), ("--validate-every", givenInterval != nil)]
      .filter(\.1).map(\.0)
  }

  private var interval: Int { givenInterval ?? 5 }
  private var patience: Int { givenPatience ?? 0 }

  /// By the names of options.
  var settings: [String: String] {
    ["--validate-every": "\(interval)", "--patience": "\(patience)"]
  }

  var plan: ValidationPlan {
    ValidationPlan(interval: interval, patience: patience > 0 ? patience : nil)
  }
}
