extension OptionTable {
  /// A table for every kind of input of every command.
  static let all =
    [
      clusterByDefault, clusterByStructure, clusterByCoordinates, knn, componentsOfEdges,
      componentsOfLists, evaluate, report, generate, convertFeatures, convertLabels, convertText,
      infoOfFeatures, infoOfLabels, infoOfAModel, infoOfTheMachine, trainStructure,
      trainCoordinates,
    ] + graphs

  // MARK: - cluster

  private static let ofClustering = [
    OptionUse("--dimensions 16", .success, variant: "bin"),
    OptionUse("--output labels.npy", .file("labels.npy")),
    OptionUse("--max-levels 2", .levels),
    OptionUse("--truth {truth}", .line("BCubed")),
    OptionUse("--hierarchy levels", .file("levels/hierarchy.json")),
    OptionUse("--report report.json", .file("report.json")),
    OptionUse("--neighbors {lists} --similarities {similarities}", .levels),
    OptionUse(
      "--similarities {lower}", .levels, replacing: "--similarities {similarities}",
      with: "--neighbors {lists}"),
    OptionUse("--invalid-rows singleton", .success, variant: "invalid"),
    OptionUse("--threads 3", .line("of 3 threads")),
    OptionUse("--progress none", .silence),
    OptionUse(
      "--overwrite", .success, with: "--output labels.npy",
      existing: ["labels.npy", "report.json", "levels/hierarchy.json"]),
  ]

  /// Level 1 merges more than a ninth of what level 0 does.
  private static let surelyEarlyStop = OptionUse(
    "--early-stop", .levels, with: "--tau 0.8 --tau-later 0.02")

  private static let notWithSurelyEarlyStop = [
    ["--early-stop", "--granularity"], ["--early-stop", "--tau-by-silhouette"],
  ]

  private static let notTogetherInClustering = [
    ["--tau", "--granularity"], ["--tau-later", "--granularity"], ["--tau", "--tau-by-silhouette"],
    ["--tau-by-silhouette", "--neighbors"], ["--tau-by-silhouette", "--similarities"],
    ["--early-stop", "--max-levels"],
  ]

  private static let clusterByDefault = OptionTable(
    "cluster with the default model", "cluster {features}",
    ofClustering + OptionUse.refused("-k 5") + [
      OptionUse("--model {coordinates}", .levels),
      OptionUse("--granularity coarser", .levels),
      OptionUse("--tau 0.6", .levels), OptionUse("--tau-later 0.02", .levels),
      surelyEarlyStop,
    ], refused: notTogetherInClustering + notWithSurelyEarlyStop, asByDefault: ["--tau-by-silhouette"])

  private static let clusterByStructure = OptionTable(
    "cluster with a model of structure", "cluster {features}",
    ofClustering + OptionUse.refused("-k 5") + [
      OptionUse("--model {coordinates}", .levels, replacing: "--model {structure}"),
      OptionUse("--granularity coarser", .levels),
      OptionUse("--tau 0.3", .levels), OptionUse("--tau-later 0.02", .levels),
      OptionUse("--tau-by-silhouette", .line("silhouette has")), surelyEarlyStop,
    ], refused: notTogetherInClustering + notWithSurelyEarlyStop
      + [["--model", "--tau-by-silhouette"]])

  private static let clusterByCoordinates = OptionTable(
    "cluster with a model of coordinates", "cluster {features}",
    ofClustering + OptionUse.refused("--tau-by-silhouette") + [
      OptionUse("--model {structure}", .levels, replacing: "--model {coordinates}"),
      OptionUse("-k 7", .levels), OptionUse("--granularity coarser", .levels),
      OptionUse("--tau 0.5", .levels), OptionUse("--tau-later 0.02", .levels),
      OptionUse("--early-stop", .levels),
    ], refused: notTogetherInClustering + [["--model", "-k"]])

  // MARK: - Other commands on points

  private static let knn = OptionTable(
    "knn", "knn {features}",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("-k 4", .content("n.npy")),
      OptionUse("--neighbors other.npy", .file("other.npy"), replacing: "--neighbors n.npy"),
      OptionUse(
        "--similarities other-s.npy", .file("other-s.npy"), replacing: "--similarities s.npy"),
      OptionUse("--report report.json", .file("report.json")),
      OptionUse("--invalid-rows singleton", .success, variant: "invalid"),
      OptionUse("--threads 3", .json("report.json", "threadCount"), with: "--report report.json"),
      OptionUse("--progress none", .silence),
      OptionUse("--overwrite", .success, existing: ["n.npy", "other.npy", "report.json"]),
    ])

  private static let componentsOfEdges = OptionTable(
    "components of edges", "components {edges}",
    [
      OptionUse("--points 400", .line("points in")),
      OptionUse("--output labels.npy", .file("labels.npy")),
      OptionUse("--truth {truth}", .line("BCubed"), with: "--points 300"),
      OptionUse("--overwrite", .success, with: "--output labels.npy", existing: ["labels.npy"]),
    ] + OptionUse.refused("--neighbors {lists}", "--similarities {similarities}", "--above 0.5"),
    refused: [["--points", "--truth"]])

  private static let componentsOfLists = OptionTable(
    "components of lists", "components",
    [
      OptionUse(
        "--neighbors {lists}", .line("points in"), replacing: "--neighbors {other-lists}"),
      OptionUse(
        "--similarities {lower}", .line("points in"), replacing: "--similarities {similarities}"),
      OptionUse("--above 0.9", .line("points in"), replacing: "--above 0.6"),
      OptionUse("--output labels.npy", .file("labels.npy")),
      OptionUse("--truth {truth}", .line("BCubed")),
      OptionUse("--overwrite", .success, with: "--output labels.npy", existing: ["labels.npy"]),
    ] + OptionUse.refused("--points 300"))

  private static let evaluate = OptionTable(
    "evaluate", "evaluate",
    [
      OptionUse("--truth {answer}", .output, replacing: "--truth {truth}"),
      OptionUse("--predicted {answer}", .output, replacing: "--predicted {truth}"),
      OptionUse("--json", .output),
    ])

  private static let report = OptionTable(
    "report", "report {levels}",
    [
      OptionUse("--output page.html", .file("page.html"), with: "--json"),
      OptionUse("--truth {truth}", .shown, with: "--output page.html"),
      OptionUse("--names {names}", .shown, with: "--output page.html"),
      OptionUse("--top 2", .shown, with: "--output page.html"),
      OptionUse("--json", .line("{"), with: "--output page.html"),
      OptionUse("--overwrite", .success, with: "--output page.html", existing: ["page.html"]),
    ])

  private static let generate = OptionTable(
    "generate", "generate",
    [
      OptionUse("--points 70", .points, replacing: "--points 60"),
      OptionUse("--dimensions 4", .points, replacing: "--dimensions 6"),
      OptionUse("--seed 1", .points), OptionUse("--mean-cluster-size 4", .points),
      OptionUse("--singleton-share 0.6", .points), OptionUse("--test-share 0.2", .points),
      OptionUse("--output other", .file("other/generate.json"), replacing: "--output made"),
      OptionUse(
        "--overwrite", .success, existing: ["made/generate.json", "other/generate.json"]),
    ])

  private static let convertFeatures = OptionTable(
    "convert, features", "convert {few} out.x.npy",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("--element-type float64", .content("out.x.npy")),
      OptionUse("--overwrite", .success, existing: ["out.x.npy"]),
    ])

  private static let convertLabels = OptionTable(
    "convert, labels", "convert {truth} out.x.npy",
    [OptionUse("--overwrite", .success, existing: ["out.x.npy"])]
      + OptionUse.refused("--dimensions 1", "--element-type float32"))

  private static let convertText = OptionTable(
    "convert, text", "convert {lines} out.x.npy",
    [OptionUse("--overwrite", .success, existing: ["out.x.npy"])]
      + OptionUse.refused("--dimensions 1", "--element-type float32"))

  private static let infoOfFeatures = OptionTable(
    "info of features", "info {few}",
    [OptionUse("--dimensions 16", .success, variant: "bin"), OptionUse("--json", .output)])

  private static let infoOfLabels = OptionTable(
    "info of labels", "info {lines}",
    [OptionUse("--json", .output)] + OptionUse.refused("--dimensions 1"))

  private static let infoOfAModel = OptionTable(
    "info of a model", "info {coordinates}",
    [OptionUse("--json", .output)] + OptionUse.refused("--dimensions 1"))

  private static let infoOfTheMachine = OptionTable(
    "info of the machine", "info",
    [OptionUse("--json", .output)] + OptionUse.refused("--dimensions 1"))
}

extension Trace {
  /// What `highland report` shows, on its page and as JSON.
  static let shown = Trace {
    $0.output + String(decoding: $0.files["page.html"] ?? [], as: UTF8.self)
  }

  /// Points that were generated, in whichever directory.
  static let points = Trace { traces in
    traces.files.keys.filter { $0.hasSuffix(".npy") }.sorted().map {
      traces.files[$0]!.map { String($0, radix: 16) }.joined()
    }.joined(separator: " ")
  }
}
