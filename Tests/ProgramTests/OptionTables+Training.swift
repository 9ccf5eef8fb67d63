extension OptionTable {
  // MARK: - train

  private static let ofTraining = [
    OptionUse("--dimensions 16", .success, variant: "bin"),
    OptionUse(
      "--output other.safetensors", .file("other.safetensors")),
    OptionUse("--seed 1", .parameters),
    OptionUse("--checkpoint state", .names(in: "state")),
    OptionUse("--checkpoint-interval 0", .names(in: "state"), with: "--checkpoint state"),
    OptionUse("--log log.jsonl", .file("log.jsonl")),
    OptionUse("--report page.html", .file("page.html")),
    OptionUse(
      "--threads 3", .count(of: "\"threadCount\":3", in: "log.jsonl"), with: "--log log.jsonl"),
    OptionUse(
      "--search approximate", .count(of: "\"--search\":\"approximate\"", in: "log.jsonl"),
      with: "--log log.jsonl"),
    OptionUse(
      "--recall 0.5", .count(of: "\"--recall\":\"0.5\"", in: "log.jsonl"),
      with: "--search approximate --log log.jsonl"),
    OptionUse(
      "--noise-label 1", .count(of: "\"--noise-label\":\"1\"", in: "log.jsonl"),
      with: "--log log.jsonl"),
    OptionUse("--progress none", .silence),
    OptionUse(
      "--overwrite", .success,
      existing: ["model.safetensors", "other.safetensors", "log.jsonl", "page.html"]),
  ]

  static let trainStructure = OptionTable(
    "train structure", "train structure {few} {few-truth}",
    defaults: "--output model.safetensors --graphs 1 --epochs 1",
    ofTraining + [
      OptionUse("--from {structure}", .parameters),
      OptionUse("--also {others} {others-truth}", .parameters),
      OptionUse("--graphs 2", .parameters),
      OptionUse("--no-transform", .metadata("transform_trials")),
      OptionUse("--mixtures 1", .parameters),
      OptionUse("--graph-points 100", .parameters),
      OptionUse("--width 8", .parameters),
      OptionUse("--groups {few-groups}", .parameters),
      OptionUse("--context 30", .parameters, with: "-k 5"),
      OptionUse("--without augmentation", .parameters, with: "--graphs 2"),
      OptionUse("--epochs 2", .parameters),
      OptionUse("--validation-fraction 0.1", .parameters),
      OptionUse(
        "--validation {others} {others-truth}", .metadata("validation_bcubed_f")),
      OptionUse("-k 5", .parameters),
    ],
    refused: [
      ["--from", "--width"], ["--from", "-k"], ["--from", "--context"],
      ["--validation-fraction", "--validation"], ["--groups", "--also"],
      ["--groups", "--mixtures"], ["--no-transform", "--also"], ["--no-transform", "--groups"],
      ["--groups", "--validation"], ["--groups", "--search"], ["--groups", "--recall"],
    ], asByDefault: [usualResume])

  /// Seen by losses and validations, whichever epoch's network is kept.
  private static func learned(_ words: String, with companions: String = "") -> OptionUse {
    OptionUse(words, .curves(in: "log.jsonl"), with: companions + " --log log.jsonl")
  }

  static let trainCoordinates = OptionTable(
    "train coordinates", "train coordinates {few} {few-truth}",
    defaults: "--output model.safetensors --hidden 8 -k 4 --levels 2 --epochs 2 --validate-every 1",
    ofTraining + [
      learned("--network attention"),
      learned("--hidden 4"),
      learned("--layers 2"),
      learned("--heads 2", with: "--network attention"),
      learned("--no-average-feature"),
      learned("-k 5"),
      learned("--levels 1"),
      learned("--true-links"),
      learned("--loss focal"),
      learned("--no-balance"),
      learned("--density-weight 0.1"),
      learned("--optimizer sgd"),
      learned("--learning-rate 0.1"),
      learned("--weight-decay 0.1"),
      learned("--clip 0.001"),
      learned("--epochs 7"),
      learned("--batch-size 16"),
      learned("--dropout 0.5"),
      learned("--no-rotate"),
      learned("--initial random"),
      learned("--validation-fraction 0.3"),
      learned("--validation {others} {others-truth}"),
      OptionUse(
        "--validate-every 2", .curves(in: "log.jsonl"), with: "--log log.jsonl"),
      OptionUse(
        "--patience 1", .line("as validation no longer improved"), with: "--epochs 7"),
    ],
    refused: [
      ["--validation-fraction", "--validation"], ["--levels", "--true-links"],
    ],
    alike: [["--initial", "--layers"], ["--initial", "--network"], ["--initial", "--heads"]],
    asByDefault: ["--average-feature", "--balance", "--rotate", usualResume])

  // MARK: - graphs

  static let graphs = [
    graphsBenchmark, graphsBenchmarkOnSplits,
    OptionTable("graphs info", "graphs info {graphs}", [OptionUse("--json", .output)]),
    OptionTable(
      "graphs evaluate", "graphs evaluate {graphs}", defaults: "--model {flat}",
      [
        OptionUse("--model {pooling}", .output),
        OptionUse("--json", .output),
      ] + OptionUse.refused("--threads 0")),
    OptionTable(
      "graphs predict", "graphs predict {graphs}", defaults: "--model {pooling} --output out.csv",
      [
        OptionUse("--model {flat}", .written),
        OptionUse("--output other.csv", .file("other.csv")),
        OptionUse("--assignments clusters.npy", .file("clusters.npy")),
        OptionUse("--overwrite", .success, existing: ["out.csv", "other.csv", "clusters.npy"]),
      ] + OptionUse.refused("--threads 0"), refused: [["--model", "--assignments"]]),
    OptionTable(
      "graphs generate", "graphs generate", defaults: "--graphs 8 --output made",
      [
        OptionUse("--graphs 6", .graphs),
        OptionUse("--smallest-motif 5", .graphs),
        OptionUse("--largest-motif 8", .graphs), OptionUse("--fewest-motifs 2", .graphs),
        OptionUse("--most-motifs 4", .graphs), OptionUse("--seed 1", .graphs),
        OptionUse("--output other", .file("other/MOTIFS_A.txt")),
        OptionUse(
          "--overwrite", .success, existing: ["made/MOTIFS_A.txt", "other/MOTIFS_A.txt"]),
      ]),
    graphsTrain,
  ]

  private static func results(_ words: String, with companions: String = "") -> OptionUse {
    OptionUse(
      words, .json("report.json", "folds"), with: companions + " --report report.json")
  }

  private static func inJSON(_ words: String, _ key: String) -> OptionUse {
    OptionUse(words, .line("\"\(key)\" :"), with: "--json")
  }

  private static let graphsBenchmark = OptionTable(
    "graphs benchmark", "graphs benchmark {graphs}",
    defaults: "--networks baseline --folds 2 --repeats 1 --epochs 2",
    ofGraphsBenchmark + [inJSON("--folds 3", "folds")] + OptionUse.refused("--splits {splits}"))

  private static let graphsBenchmarkOnSplits = OptionTable(
    "graphs benchmark on splits", "graphs benchmark {graphs} --splits {splits}",
    defaults: "--networks baseline --repeats 1 --epochs 2",
    ofGraphsBenchmark + OptionUse.refused("--folds 3"))

  private static let ofGraphsBenchmark = [
    inJSON("--networks gcn", "network"), inJSON("--quick", "hidden"),
    inJSON("--repeats 2", "repeats"), inJSON("--epochs 3", "epochs"),
    inJSON("--patience 1", "patience"), inJSON("--seed 5", "seed"),
    inJSON("--threads 3", "threadCount"), OptionUse("--json", .line("testAccuracy")),
    OptionUse("--progress none", .silence),
  ]

  private static let graphsTrain = OptionTable(
    "graphs train", "graphs train {graphs}", defaults: "--hidden 8 --epochs 8 --learning-rate 0.05",
    [
      results("--network diffpool"), results("--hidden 16"),
      results("--layers 2"), results("--clusters 2", with: "--network diffpool"),
      results("--readout max"), results("--dropout 0.5"), results("--features constant"),
      results("--folds 4"), results("--seed 5"), results("--seeds 2"),
      results("--validation-share 0.4"), results("--test-share 0.3"),
      results("--epochs 5"),
      results("--patience 1"), results("--select last"),
      results("--batch 3"), results("--learning-rate 0.02"), results("--schedule cosine"),
      results("--weight-decay 0.1"), results("--link-weight 0", with: "--network diffpool"),
      results("--entropy-weight 0", with: "--network diffpool"),
      OptionUse("--output model.safetensors", .file("model.safetensors")),
      OptionUse("--report report.json", .file("report.json")),
      OptionUse("--json", .line("{")),
      OptionUse("--diagnostics", .json("report.json", "smoothing"), with: "--report report.json"),
      OptionUse("--threads 3", .json("report.json", "threadCount"), with: "--report report.json"),
      OptionUse("--progress none", .silence),
      OptionUse(
        "--overwrite", .success, with: "--report report.json",
        existing: ["report.json", "model.safetensors"]),
    ] + OptionUse.refused("--groups 2"),
    refused: [
      ["--folds", "--test-share"], ["--patience", "--select"], ["--output", "--folds"],
      ["--output", "--seeds"],
    ], helped: [["--epochs", "--patience"]: "--schedule cosine"])
}

extension Trace {
  /// Predictions, in whichever file.
  static let written = Trace { traces in
    traces.files.keys.filter { $0.hasSuffix(".csv") }.sorted().map {
      String(decoding: traces.files[$0]!, as: UTF8.self)
    }.joined()
  }

  /// Graphs that were generated, in whichever directory.
  static let graphs = Trace { traces in
    traces.files.keys.filter { $0.hasSuffix(".txt") }.sorted().map {
      String(decoding: traces.files[$0]!, as: UTF8.self)
    }.joined()
  }
}
