import Foundation

extension OptionTable {
  /// A table for every kind of input of every command.
  static let all =
    [
      clusterByFlow, clusterByDefault, clusterByStructure, clusterByCoordinates, clusterByDensity,
      assign, assignWithinGroups, update, tree, treeAsJSON,
      cut, cutOfLevels, diarize,
      knn, componentsOfEdges, componentsOfText,
      componentsOfLists, evaluate, evaluateTurns, compare, benchmark, report, reportAsJSON,
      generate,
      convertFeatures, convertReduced, convertTransformed,
      convertLabels,
      convertText, transformFit,
      planClustering, planNeighbors, planOfAFile,
      infoOfFeatures, infoOfLabels, infoOfAModel, infoOfTheMachine, trainStructure,
      trainCoordinates,
    ] + graphs

  /// What it does otherwise is seen where something is damaged, as in ``Programs/NeighborCheckpoints``.
  static let usualResume = "--checkpoint state --resume whole"

  // MARK: - cluster

  private static let ofEveryMethod = [
    OptionUse("--dimensions 16", .success, variant: "bin"),
    OptionUse(
      "--transform {transform}", .count(of: "\"transform\"", in: "report.json"),
      with: "--report report.json"),
    OptionUse("--output labels.npy", .file("labels.npy")),
    OptionUse("--truth {truth}", .line("BCubed")),
    OptionUse("--noise-label 1", .line("BCubed"), with: "--truth {truth}"),
    OptionUse("--report report.json", .file("report.json")),
    OptionUse("--invalid-rows singleton", .success, variant: "invalid"),
    OptionUse("--search approximate", .line("approximate neighbours")),
    OptionUse(
      "--recall 0.5", .count(of: "\"wantedRecall\" : 0.5", in: "report.json"),
      with: "--search approximate --report report.json"),
    OptionUse("--threads 3", .line("of 3 threads")),
    OptionUse(
      "--nodes-per-rank 77", .count(of: "\"nodesPerRank\" : 77", in: "report.json"),
      with: "--report report.json"),
    OptionUse("--progress none", .silence),
    OptionUse(
      "--overwrite", .success, with: "--output labels.npy",
      existing: [
        "labels.npy", "report.json", "levels/hierarchy.json", "saved/clustering.json",
      ]),
  ]

  private static let ofAnyMethod =
    ofEveryMethod + [
      OptionUse("--checkpoint state", .names(in: "state")),
      OptionUse("--save saved", .file("saved/clustering.json")),
      OptionUse(
        "--memory 64G", .json("report.json", "memory", "limitBytes"), with: "--report report.json"),
    ]
    + OptionUse.refused(
      "--distance 0.3", "--eps 0.3", "--min-points 4", "--min-cluster-size 4", "--min-samples 4",
      "--finch-partition 1")

  private static let ofClustering =
    [
      OptionUse("--max-levels 2", .levels),
      OptionUse("--hierarchy levels", .file("levels/hierarchy.json")),
      OptionUse(
        "--partition input", .count(of: "\"partition\" : \"input\"", in: "report.json"),
        with: "--report report.json"),
      OptionUse("--neighbors {next-lists} --similarities {next-similarities}", .levels),
      OptionUse("--groups {groups}", .line("groups of up to")),
      OptionUse("--clusters 7", .levels, with: "--groups {groups}"),
      OptionUse(
        "--similarities {next-lower}", .levels, replacing: "--similarities {next-similarities}",
        with: "--neighbors {next-lists}"),
    ] + ofAnyMethod

  private static let clusterByFlow = OptionTable(
    "cluster by flow", "cluster {features} --method flow", defaults: "-k 9",
    ofAnyMethod + [OptionUse("-k 4", .levels)]
      + OptionUse.refused(
        "--model {structure}", "--granularity coarser", "--tau 0.6", "--tau-later 0.02",
        "--tau-by-silhouette", "--max-levels 2", "--early-stop", "--hierarchy levels",
        "--partition input",
        "--neighbors {next-lists}", "--similarities {next-similarities}", "--groups {groups}",
        "--clusters 3"),
    refused: [["--save", "--transform"]], asByDefault: [usualResume])

  /// For the other methods with parameters see ``Programs/Baselines``.
  private static let clusterByDensity = OptionTable(
    "cluster by density", "cluster {features} --method dbscan", defaults: "--eps 0.1",
    ofEveryMethod
      + [
        OptionUse("-k 5", .levels), OptionUse("--eps 0.2", .levels),
        OptionUse("--min-points 3", .levels),
      ]
      + OptionUse.refused(
        "--model {structure}", "--granularity coarser", "--tau 0.6", "--tau-later 0.02",
        "--tau-by-silhouette", "--max-levels 2", "--early-stop", "--hierarchy levels",
        "--partition input", "--neighbors {next-lists} --similarities {next-similarities}",
        "--groups {groups}", "--clusters 3", "--checkpoint state", "--resume newest",
        "--save saved", "--memory 64G", "--distance 0.3", "--min-cluster-size 4", "--min-samples 4",
        "--finch-partition 1"))

  /// Level 1 merges more than a ninth of what level 0 does.
  private static let surelyEarlyStop = OptionUse(
    "--early-stop", .levels, with: "--tau 0.8 --tau-later 0.02")

  private static let notWithSurelyEarlyStop = [
    ["--early-stop", "--granularity"], ["--early-stop", "--tau-by-silhouette"],
  ]

  private static let notTogetherInClustering =
    [
      ["--tau", "--granularity"], ["--tau-later", "--granularity"],
      ["--tau", "--tau-by-silhouette"],
      ["--early-stop", "--max-levels"], ["--search", "--neighbors"],
      ["--search", "--similarities"],
      ["--recall", "--neighbors"], ["--recall", "--similarities"],
      ["--checkpoint", "--neighbors"], ["--checkpoint", "--similarities"],
      ["--save", "--neighbors"], ["--save", "--similarities"], ["--save", "--transform"],
    ]
    + ["--groups", "--clusters"].flatMap { option in
      [
        "--neighbors", "--similarities", "--partition", "--checkpoint", "--early-stop",
        "--hierarchy", "--search", "--recall",
      ]
      .map { [option, $0] }
    } + [["--clusters", "--save"]]

  private static let clusterByDefault = OptionTable(
    "cluster with the default model", "cluster {features} --method network",
    ofClustering + OptionUse.refused("-k 5") + [
      OptionUse("--model {coordinates}", .levels),
      OptionUse("--granularity coarser", .levels),
      OptionUse("--tau 0.6", .levels), OptionUse("--tau-later 0.02", .levels),
      surelyEarlyStop,
    ], refused: notTogetherInClustering + notWithSurelyEarlyStop,
    asByDefault: ["--tau-by-silhouette", usualResume])

  private static let clusterByStructure = OptionTable(
    "cluster with a model of structure", "cluster {features} --method network",
    defaults: "--model {structure}",
    ofClustering + OptionUse.refused("-k 5") + [
      OptionUse("--model {coordinates}", .levels),
      OptionUse("--granularity coarser", .levels),
      OptionUse("--tau 0.6", .levels), OptionUse("--tau-later 0.02", .levels),
      OptionUse(
        "--tau-by-silhouette", .json("report.json", "parameters", "tauTrials"),
        with: "--report report.json"), surelyEarlyStop,
    ],
    refused: notTogetherInClustering + notWithSurelyEarlyStop
      + [["--model", "--tau-by-silhouette"]], asByDefault: [usualResume])

  private static let clusterByCoordinates = OptionTable(
    "cluster with a model of coordinates", "cluster {features} --method network",
    defaults: "--model {coordinates}",
    ofClustering + OptionUse.refused("--tau-by-silhouette") + [
      OptionUse("--model {other-coordinates}", .levels),
      OptionUse("-k 9", .levels), OptionUse("--granularity finer", .levels),
      OptionUse("--tau 0.7", .levels), OptionUse("--tau-later 0.02", .levels),
      OptionUse("--early-stop", .levels),
    ], refused: notTogetherInClustering,
    helped: [["--early-stop", "--model"]: "--tau 0.8 --tau-later 0.02"],
    asByDefault: [usualResume])

  // MARK: - assign

  private static let assign = OptionTable(
    "assign", "assign {features}", defaults: "--to {saved}",
    ofAssigning("other-saved") + OptionUse.refused("--groups {groups}") + [
      OptionUse(
        "--search approximate", .json("report.json", "search", "method"),
        with: "--report report.json"),
      OptionUse(
        "--recall 0.5", .count(of: "\"wantedRecall\" : 0.5", in: "report.json"),
        with: "--search approximate --report report.json"),
    ])

  private static let assignWithinGroups = OptionTable(
    "assign within groups", "assign {features} --groups {groups}",
    defaults: "--to {saved-by-groups}",
    ofAssigning("also-saved-by-groups")
      + OptionUse.refused("--search approximate", "--recall 0.5"))

  private static func ofAssigning(_ other: String) -> [OptionUse] {
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("--to {\(other)}", .json("report.json", "run"), with: "--report report.json"),
      OptionUse("--output labels.npy", .file("labels.npy")),
      OptionUse("--report report.json", .file("report.json")),
      OptionUse("--json", .output),
      OptionUse("--invalid-rows singleton", .success, variant: "invalid"),
      OptionUse("--threads 3", .json("report.json", "threadCount"), with: "--report report.json"),
      OptionUse("--progress none", .silence),
      OptionUse(
        "--overwrite", .success, with: "--output labels.npy",
        existing: ["labels.npy", "report.json"]),
    ]
  }

  // MARK: - update

  private static let update = OptionTable(
    "update", "update {features}", defaults: "--to {saved} --features {few}",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse(
        "--to {saved-as-well}", .json("report.json", "run"), with: "--report report.json"),
      OptionUse(
        "--features {few-as-well}", .count(of: "few-as-well", in: "report.json"),
        with: "--report report.json"),
      OptionUse("--output labels.npy", .file("labels.npy")),
      OptionUse("--save saved", .file("saved/clustering.json")),
      OptionUse("--renumber", .content("labels.npy"), with: "--output labels.npy"),
      OptionUse("--report report.json", .file("report.json")),
      OptionUse("--top 0", .output), OptionUse("--json", .output),
      OptionUse("--invalid-rows singleton", .success, variant: "invalid"),
      OptionUse("--threads 3", .json("report.json", "threadCount"), with: "--report report.json"),
      OptionUse("--progress none", .silence),
      OptionUse(
        "--overwrite", .success, with: "--output labels.npy",
        existing: ["labels.npy", "report.json", "saved/clustering.json"]),
    ])

  // MARK: - tree and cut

  private static let tree = OptionTable(
    "tree", "tree {saved}", defaults: "--newick tree.nwk",
    [
      OptionUse("--newick other.nwk", .file("other.nwk")),
      OptionUse("--graphml tree.graphml", .file("tree.graphml")),
      OptionUse("--linkage z.npy", .file("z.npy")), OptionUse("--json", .output),
      OptionUse(
        "--overwrite", .success, existing: ["tree.nwk", "other.nwk", "tree.graphml", "z.npy"]),
    ])

  private static let treeAsJSON = OptionTable(
    "tree as JSON", "tree {saved} --json",
    [
      OptionUse("--newick tree.nwk", .file("tree.nwk")),
      OptionUse("--graphml tree.graphml", .file("tree.graphml")),
      OptionUse("--linkage z.npy", .file("z.npy")),
      OptionUse(
        "--overwrite", .success, with: "--linkage z.npy",
        existing: ["tree.nwk", "tree.graphml", "z.npy"]),
    ])

  private static let cut = OptionTable(
    "cut", "cut {saved}", defaults: "--clusters 2 --output labels.npy",
    [
      OptionUse("--clusters 1", .output), OptionUse("--output other.npy", .file("other.npy")),
      OptionUse("--overwrite", .success, existing: ["labels.npy", "other.npy"]),
      OptionUse("--json", .output),
    ] + OptionUse.refused("--above 0.9", "--min-size 3", "--level 0"))

  private static let cutOfLevels = OptionTable(
    "cut of levels", "cut {levels}", defaults: "--level 0 --output labels.npy",
    [
      OptionUse("--level 1", .output), OptionUse("--output other.npy", .file("other.npy")),
      OptionUse("--overwrite", .success, existing: ["labels.npy", "other.npy"]),
      OptionUse("--json", .output),
    ] + OptionUse.refused("--above 0.9", "--min-size 3", "--clusters 2"))

  // MARK: - diarize

  private static let diarize = OptionTable(
    "diarize", "diarize {windows}",
    defaults: "--features {features} --output turns --model {structure}",
    [
      OptionUse("--features {turned-features}", .diarization("parameters", "features")),
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("--transform {transform}", .diarization("parameters", "transform")),
      OptionUse("--output other", .file("other/diarize.json")),
      OptionUse("--model {coordinates}", .diarization("parameters", "model")),
      OptionUse("--granularity coarser", .diarization("parameters", "granularity")),
      OptionUse("--tau 0.9", .diarization("parameters", "tau")),
      OptionUse("--tau-later 0.02", .diarization("parameters", "tauLater")),
      OptionUse("--tau-by-silhouette", .diarization("parameters", "tauTrials")),
      OptionUse("--max-levels 2", .diarization("parameters", "maximumLevels")),
      OptionUse("--clusters 2..3", .diarization("mostSpeakers")),
      OptionUse("--gap 1.5", .diarization("gapSeconds")),
      OptionUse("--overlaps {overlaps}", .diarization("overlaps")),
      OptionUse("--invalid-rows singleton", .success, variant: "invalid"),
      OptionUse("--report report.json", .file("report.json")),
      OptionUse(
        "--memory 64G", .json("report.json", "memory", "limitBytes"), with: "--report report.json"),
      OptionUse("--threads 3", .json("report.json", "threadCount"), with: "--report report.json"),
      OptionUse("--progress none", .silence),
      OptionUse(
        "--overwrite", .success,
        existing: ["turns/diarize.json", "other/diarize.json", "report.json"]),
    ],
    refused: [
      ["--tau", "--granularity"], ["--tau-later", "--granularity"],
      ["--tau", "--tau-by-silhouette"], ["--model", "--tau-by-silhouette"],
    ])

  // MARK: - Other commands on points

  private static let knn = OptionTable(
    "knn", "knn {features}", defaults: "--neighbors n.npy --similarities s.npy",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("--transform {transform}", .arrays),
      OptionUse("-k 4", .arrays),
      OptionUse("--groups {groups}", .arrays),
      OptionUse("--neighbors other.npy", .file("other.npy")),
      OptionUse(
        "--similarities other-s.npy", .file("other-s.npy")),
      OptionUse("--report report.json", .file("report.json")),
      OptionUse("--checkpoint state", .names(in: "state")),
      OptionUse("--invalid-rows singleton", .success, variant: "invalid"),
      OptionUse("--search approximate", .line("approximate neighbours")),
      OptionUse(
        "--recall 0.5", .count(of: "\"wantedRecall\" : 0.5", in: "report.json"),
        with: "--search approximate --report report.json"),
      OptionUse(
        "--memory 64G", .json("report.json", "memory", "limitBytes"), with: "--report report.json"),
      OptionUse("--threads 3", .json("report.json", "threadCount"), with: "--report report.json"),
      OptionUse("--progress none", .silence),
      OptionUse("--overwrite", .success, existing: ["n.npy", "other.npy", "report.json"]),
    ],
    refused: [["--groups", "--checkpoint"], ["--groups", "--search"], ["--groups", "--recall"]],
    asByDefault: [usualResume])

  private static let componentsOfEdges = OptionTable(
    "components of edges", "components {edges}",
    [
      OptionUse("--points 300", .line("points in")),
      OptionUse("--output labels.npy", .file("labels.npy")),
      OptionUse("--truth {truth}", .line("BCubed"), with: "--points 300"),
      OptionUse("--overwrite", .success, with: "--output labels.npy", existing: ["labels.npy"]),
    ] + OptionUse.refused("--neighbors {lists}", "--similarities {similarities}", "--above 0.5"))

  private static let componentsOfText = OptionTable(
    "components of a text", "components {edge-text}",
    [
      OptionUse("--points 300", .line("points in")),
      OptionUse("--above 0.5", .line("points in")),
      OptionUse("--output labels.txt", .file("labels.txt")),
      OptionUse("--truth {truth}", .line("BCubed"), with: "--points 300"),
      OptionUse("--overwrite", .success, with: "--output labels.txt", existing: ["labels.txt"]),
    ] + OptionUse.refused("--neighbors {lists}", "--similarities {similarities}"))

  private static let componentsOfLists = OptionTable(
    "components of lists", "components",
    defaults: "--neighbors {next-lists} --similarities {similarities} --above 0.9",
    [
      OptionUse(
        "--neighbors {lists}", .content("labels.npy"), with: "--output labels.npy"),
      OptionUse(
        "--similarities {lower}", .line("points in")),
      OptionUse("--above 0.8", .line("points in")),
      OptionUse("--output labels.npy", .file("labels.npy")),
      OptionUse("--truth {truth}", .line("BCubed")),
      OptionUse("--overwrite", .success, with: "--output labels.npy", existing: ["labels.npy"]),
    ] + OptionUse.refused("--points 300"))

  private static let evaluate = OptionTable(
    "evaluate", "evaluate", defaults: "--truth {truth} --predicted {truth}",
    [
      OptionUse("--truth {answer}", .output),
      OptionUse("--noise-label 1", .output),
      OptionUse("--predicted {answer}", .output),
      OptionUse("--json", .output),
    ]
      + OptionUse.refused(
        "--rttm {turns}", "--collar 0.5", "--skip-overlap", "--uem {scored-times}"))

  private static let evaluateTurns = OptionTable(
    "evaluate turns", "evaluate", defaults: "--rttm {turns} --predicted {found-turns}",
    [
      OptionUse("--rttm {other-turns}", .output),
      OptionUse("--predicted {other-turns}", .output),
      OptionUse("--collar 0.5", .output), OptionUse("--skip-overlap", .output),
      OptionUse("--uem {scored-times}", .output), OptionUse("--json", .output),
    ] + OptionUse.refused("--truth {truth}", "--noise-label 1"))

  private static let compare = OptionTable(
    "compare", "compare {truth} {answer}",
    [
      OptionUse("--top 2", .output), OptionUse("--json", .output),
      OptionUse("--output page.html", .file("page.html")),
      OptionUse("--names {names}", .content("page.html"), with: "--output page.html"),
      OptionUse(
        "--overwrite", .success, with: "--output page.html", existing: ["page.html"]),
    ])

  /// What a benchmark found, without seconds and bytes.
  private static let benchmarked = Trace { traces in
    let wanted = ["\"method\"", "\"chosenBy\"", "\"eps\"", "\"clusterCount\"", "\"f\""]
    return traces.output.split(separator: "\n").filter { line in
      wanted.contains { line.contains($0) }
    }.joined(separator: "\n")
  }

  private static let benchmark = OptionTable(
    "benchmark", "benchmark {features} {truth}", defaults: "--methods components,network",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("--train {few} {few-truth}", benchmarked, with: "--json"),
      OptionUse("--methods dbscan,network", benchmarked, with: "--json"),
      OptionUse("-k 12", .line("\"k\" :"), with: "--json"),
      OptionUse("--model {coordinates}", benchmarked, with: "--json"),
      OptionUse("--json", .line("trials")),
      OptionUse("--report page.html", .file("page.html")),
      OptionUse("--invalid-rows singleton", .success, variant: "invalid"),
      OptionUse("--search approximate", .line("\"method\" : \"approximate\""), with: "--json"),
      OptionUse(
        "--recall 0.5", .line("\"wantedRecall\" : 0.5"), with: "--search approximate --json"),
      OptionUse("--threads 3", .line("\"threadCount\""), with: "--json"),
      OptionUse("--progress none", .silence),
      OptionUse("--overwrite", .success, with: "--report page.html", existing: ["page.html"]),
    ])

  private static let report = OptionTable(
    "report", "report {levels}",
    [
      OptionUse("--output page.html", .file("page.html"), with: "--json"),
      OptionUse("--truth {truth}", .shown, with: "--output page.html"),
      OptionUse("--names {names}", .shown, with: "--output page.html"),
      OptionUse("--images {images}", .content("page.html"), with: "--output page.html"),
      OptionUse("--map {map}", .shown, with: "--output page.html"),
      OptionUse("--top 2", .shown, with: "--output page.html"),
      OptionUse("--json", .line("{"), with: "--output page.html"),
      OptionUse("--overwrite", .success, with: "--output page.html", existing: ["page.html"]),
    ])

  private static let reportAsJSON = OptionTable(
    "report as JSON", "report {levels} --json",
    [
      OptionUse("--output page.html", .file("page.html")),
      OptionUse("--truth {truth}", .output), OptionUse("--names {names}", .output),
      OptionUse("--images {images}", .content("page.html"), with: "--output page.html"),
      OptionUse("--map {map}", .output), OptionUse("--top 2", .output),
      OptionUse("--overwrite", .success, with: "--output page.html", existing: ["page.html"]),
    ])

  private static let generate = OptionTable(
    "generate", "generate", defaults: "--points 60 --dimensions 6 --output made",
    [
      OptionUse("--points 70", .arrays),
      OptionUse("--dimensions 4", .arrays),
      OptionUse("--seed 1", .arrays), OptionUse("--mean-cluster-size 4", .arrays),
      OptionUse("--singleton-share 0.6", .arrays), OptionUse("--test-share 0.2", .arrays),
      OptionUse("--element-type int8", .arrays),
      OptionUse("--output other", .file("other/generate.json")),
      OptionUse(
        "--overwrite", .success, existing: ["made/generate.json", "other/generate.json"]),
    ])

  private static let convertFeatures = OptionTable(
    "convert, features", "convert {few} out.x.npy",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("--element-type float64", .content("out.x.npy")),
      OptionUse("--reduce 3", .line("columns to 3")),
      OptionUse("--transform {transform}", .content("out.x.npy")),
      OptionUse("--overwrite", .success, existing: ["out.x.npy"]),
    ] + OptionUse.refused("--json", "--threads 3", "--progress none"),
    refused: [["--reduce", "--transform"]])

  private static let convertReduced = OptionTable(
    "convert, reduced", "convert {few} out.x.npy --reduce 3",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("--element-type float64", .content("out.x.npy")),
      OptionUse("--json", .line("keptShare")),
      OptionUse("--threads 5", .line("threadCount"), with: "--json"),
      OptionUse("--progress none", .silence),
      OptionUse("--overwrite", .success, existing: ["out.x.npy"]),
    ] + OptionUse.refused("--transform {transform}"))

  private static let convertTransformed = OptionTable(
    "convert, transformed", "convert {few} out.x.npy", defaults: "--transform {transform}",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("--element-type float64", .content("out.x.npy")),
      OptionUse("--transform {other-transform}", .content("out.x.npy")),
      OptionUse("--overwrite", .success, existing: ["out.x.npy"]),
    ] + OptionUse.refused("--reduce 3", "--json", "--threads 3", "--progress none"))

  private static let transformFit = OptionTable(
    "transform fit", "transform fit {features} {truth}", defaults: "--output t.safetensors",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"),
      OptionUse("--output other.safetensors", .file("other.safetensors")),
      OptionUse("--columns 3", .parameters),
      OptionUse("--weights {weights}", .parameters), OptionUse("--json", .line("shrinkage")),
      OptionUse("--threads 3", .line("threadCount"), with: "--json"),
      OptionUse("--progress none", .silence),
      OptionUse("--overwrite", .success, existing: ["t.safetensors", "other.safetensors"]),
    ])

  private static let convertLabels = OptionTable(
    "convert, labels", "convert {truth} out.x.npy",
    [OptionUse("--overwrite", .success, existing: ["out.x.npy"])]
      + OptionUse.refused(
        "--dimensions 1", "--element-type float32", "--reduce 1", "--transform {transform}",
        "--json",
        "--threads 3", "--progress none"))

  private static let convertText = OptionTable(
    "convert, text", "convert {lines} out.x.npy",
    [OptionUse("--overwrite", .success, existing: ["out.x.npy"])]
      + OptionUse.refused(
        "--dimensions 1", "--element-type float32", "--reduce 1", "--transform {transform}",
        "--json",
        "--threads 3", "--progress none"))

  private static let infoOfFeatures = OptionTable(
    "info of features", "info {few}",
    [OptionUse("--dimensions 16", .success, variant: "bin"), OptionUse("--json", .output)])

  private static let infoOfLabels = OptionTable(
    "info of labels", "info {lines}",
    [OptionUse("--json", .output)] + OptionUse.refused("--dimensions 1"))

  private static let infoOfAModel = OptionTable(
    "info of a model", "info {coordinates}",
    [OptionUse("--json", .output)] + OptionUse.refused("--dimensions 1"))

  // MARK: - plan

  private static let ofAnyPlan =
    [
      OptionUse("--points 2e5", .output), OptionUse("--dimensions 64", .output),
      OptionUse("--element-type int8", .output), OptionUse("--ranks 8", .output),
      OptionUse("--threads 3", .output), OptionUse("--hosts 4", .output),
      OptionUse("--search exact", .output), OptionUse("--recall 0.9", .output),
      OptionUse("--memory 1G", .output), OptionUse("--network 1M", .output),
      OptionUse("--diffuse", .output), OptionUse("--partitions 4", .output),
      OptionUse("--constants {rates}", .output), OptionUse("--json", .output),
    ] + OptionUse.refused("--calibrate", "--overwrite")

  private static let notTogetherInPlans = [
    ["--search", "--recall"], ["--search", "--diffuse"], ["--search", "--partitions"],
    ["--recall", "--partitions"],
  ]

  private static let planClustering = OptionTable(
    "plan of clustering", "plan --command cluster",
    defaults: "--points 3e5 --dimensions 32 --ranks 4 --hosts 2",
    ofAnyPlan + [
      OptionUse("--model {structure}", .output), OptionUse("--tau 0.5", .output),
      OptionUse("--max-levels 1", .output), OptionUse("--partition input", .output),
      OptionUse("--apart 0.5,0.5", .output), OptionUse("--cut 0.5", .output),
      OptionUse("--trials 5", .output),
    ] + OptionUse.refused("-k 5"),
    refused: notTogetherInPlans + [
      ["--model", "--tau"], ["--model", "--trials"], ["--tau", "--trials"],
      ["--partition", "--cut"],
    ])

  private static let planNeighbors = OptionTable(
    "plan of neighbours", "plan --command knn",
    defaults: "--points 3e5 --dimensions 32 --ranks 4 --hosts 2",
    ofAnyPlan + [OptionUse("-k 20", .output)]
      + OptionUse.refused(
        "--model {structure}", "--tau 0.5", "--max-levels 1", "--partition input", "--apart 0.5",
        "--cut 0.5", "--trials 5"),
    refused: notTogetherInPlans)

  private static let planOfAFile = OptionTable(
    "plan of a file", "plan {features}", defaults: "--ranks 4 --hosts 2 --search approximate",
    [
      OptionUse("--dimensions 16", .success, variant: "bin"), OptionUse("--ranks 8", .output),
      OptionUse("--threads 3", .output), OptionUse("--hosts 4", .output),
      OptionUse("--search exact", .output), OptionUse("--memory 1G", .output),
      OptionUse("--network 1K", .output), OptionUse("--command knn", .output),
      OptionUse("--constants {rates}", .output), OptionUse("--json", .output),
      OptionUse("--diffuse", .output), OptionUse("--model {structure}", .output),
    ]
      + OptionUse.refused(
        "--points 100", "--element-type int8", "-k 5", "--calibrate", "--overwrite",
        "--recall 2", "--tau 2", "--max-levels 0", "--partition all", "--apart 0", "--cut 2",
        "--trials 0", "--partitions 17"),
    refused: [["--search", "--diffuse"], ["--command", "--model"]])

  private static let infoOfTheMachine = OptionTable(
    "info of the machine", "info",
    [OptionUse("--json", .output)] + OptionUse.refused("--dimensions 1"))
}

extension Trace {
  /// A value in `diarize.json`, in whichever directory.
  static func diarization(_ names: String...) -> Trace {
    Trace { traces in
      let file = traces.files.keys.sorted().first {
        $0.hasSuffix("/diarize.json") && traces.files[$0] != OptionUse.oldContents
      }
      return Trace.json(file ?? "", names).of(traces)
    }
  }

  /// What `highland report` shows, on its page and as JSON.
  static let shown = Trace {
    $0.output + String(decoding: $0.files["page.html"] ?? [], as: UTF8.self)
  }

  /// Arrays that were written, under whichever names.
  static let arrays = Trace { traces in
    traces.files.keys.filter { $0.hasSuffix(".npy") }.sorted().map {
      Data(traces.files[$0]!).base64EncodedString()
    }.joined(separator: " ")
  }
}
