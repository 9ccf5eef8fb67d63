internal import Charts
package import Datasets
internal import Evaluation
internal import HierarchicalClustering

extension HierarchyReport {
  /// The report as a page to look at; the same bytes whenever it is made.
  ///
  /// - Parameter images: Those of the rows that ``listedRows`` tells; it holds each wherever its row stands.
  package func page(images: [Int: EncodedImage] = [:]) -> String {
    let images = images.mapValues { Page.Image(mediaType: $0.mediaType, bytes: $0.bytes) }
    return Page(
      title: "Clusters of \(hierarchy.features)", summary: summary,
      sections: [sizeSection] + (map.map { [mapSection($0)] } ?? [])
        + [levelSection, judgementSection]
        + (agreement.map { agreementSections($0, images) } ?? [])
        + [
          largestSection(images), leastCertainSection(images), stakeSection(images),
          settingsSection,
        ]
    ).html
  }

  /// The rows that stand in the lists of a page.
  package var listedRows: Set<Int> {
    let members = (largest + (agreement?.mostMixed ?? [])).flatMap(\.examples)
    let merges = leastCertain.flatMap(\.bridges) + mostAtStake
    return Set((members + merges.flatMap { [$0.point, $0.parent] }).map(\.row))
  }

  /// One line for the command line.
  package var overview: String {
    "\(pointCount) points in \(clusters.clusterCount) clusters, \(clusters.singletonCount) of one "
      + "point"
  }

  private var summary: String {
    let reason =
      switch StopReason(rawValue: stopReason) {
      case .nothingMerged: "a level merged nothing"
      case .maximumLevels: "the given number of levels was reached"
      case .earlyStop: "merges no longer fell fast enough"
      case .fewNodes: "no more than k = \(hierarchy.k) nodes were left"
      case .shortestCode: "no move made the code shorter"
      case nil: stopReason
      }
    var text =
      "\(grouped(pointCount)) points in \(grouped(clusters.clusterCount)) clusters, "
      + "\(grouped(clusters.singletonCount)) of one point. "
    if copyCount > 0 {
      text += "Copies of other points, which count once in merges: \(grouped(copyCount)). "
    }
    text += "Merging ended after \(quantity(levels.count, "level")): \(reason)."
    if let metrics = agreement?.metrics {
      text +=
        " Against the truth: pairwise F \(decimal(metrics.pairwise.f, places: 3)), BCubed F "
        + "\(decimal(metrics.bcubed.f, places: 3)), NMI \(decimal(metrics.nmi, places: 3))."
    }
    return text
  }

  // Sizes and levels

  private var sizeSection: Page.Section {
    let sizes = clusters.sizes
    let edges = (sizeClasses.map(\.smallest) + [(sizeClasses.last?.largest ?? 1) + 1])
      .map(Double.init)
    func chart(_ title: String, _ label: String, _ scale: LineChart.Scale, _ values: [Int])
      -> Page.Block
    {
      .bars(
        BarChart(
          title: title, xLabel: "points of a cluster", yLabel: label,
          places: .bins(edges: edges, scale: .logarithmic),
          series: [.init(values: values.map(Double.init))], yScale: scale))
    }
    let charts: [Page.Block] =
      sizeClasses.isEmpty
      ? []
      : [
        chart(
          "Clusters by size", "clusters", readableScale(sizeClasses.map(\.clusterCount)),
          sizeClasses.map(\.clusterCount)),
        chart(
          "Points by the size of their cluster", "points", .linear, sizeClasses.map(\.pointCount)),
      ]
    return Page.Section(
      heading: "Sizes",
      body: charts + [
        .table(
          Page.Table(
            caption: "Points of a cluster, each cluster counted once",
            header: ["smallest", "25 %", "median", "75 %", "90 %", "largest", "mean"],
            rows: [
              [
                grouped(sizes.minimum), decimal(sizes.q25, places: 0),
                decimal(sizes.median, places: 0), decimal(sizes.q75, places: 0),
                decimal(sizes.q90, places: 0), grouped(sizes.maximum),
                decimal(sizes.mean, places: 1),
              ]
            ]))
      ])
  }

  // Map

  /// Clusters that have a colour on the map.
  private static let coloredCount = 8

  private func mapSection(_ map: Map) -> Page.Section {
    var counts: [Int: Int] = [:]
    for point in map.points { counts[point.cluster, default: 0] += 1 }
    let colored = counts.keys.filter { counts[$0]! > 1 }
      .sorted { (counts[$1]!, $0) < (counts[$0]!, $1) }.prefix(Self.coloredCount)
    func points(_ isShown: (Int) -> Bool) -> [ScatterChart.Point] {
      map.points.filter { isShown($0.cluster) }.map { place in
        let truth = place.point.truth.map { ", true label \($0)" } ?? ""
        return ScatterChart.Point(
          x: place.x, y: place.y, title: "\(place.point.text), cluster \(place.cluster)\(truth)")
      }
    }
    let others = points { !colored.contains($0) }
    let chart = ScatterChart(
      title: "Points by cluster", xLabel: "first column", yLabel: "second column",
      series: (others.isEmpty
        ? [] : [.init(name: "other clusters", points: others, isFaint: true)])
        + colored.map { cluster in
          .init(name: "cluster \(cluster)", points: points { $0 == cluster })
        })
    let shown =
      map.step == 1
      ? "All points" : "One of every \(map.step) points, \(grouped(map.points.count)) in all"
    return Page.Section(
      heading: "Map",
      body: [
        .text(
          "\(shown), where --map has them. The clusters with most points there have colours. What is far apart on a "
            + "map of two columns may be near in all of them, and the other way round."),
        .points(chart),
      ])
  }

  /// The number of levels on a page; the JSON has all.
  private static let shownLevelCount = 40

  private var levelSection: Page.Section {
    guard !levels.isEmpty else {
      return Page.Section(
        heading: "Levels", body: [.text("There are no levels: nothing was judged or merged.")])
    }
    let shown = levels.prefix(Self.shownLevelCount)
    let chart = BarChart(
      title: "Merges of each level", xLabel: "level", yLabel: "nodes",
      places: .names(shown.map { "\($0.level)" }),
      series: [
        .init(name: "all", values: shown.map { Double($0.nodeCount) }),
        .init(name: "merged", values: shown.map { Double($0.mergedCount) }),
      ], yScale: readableScale(shown.flatMap { [$0.nodeCount, $0.mergedCount] }))
    let table = Page.Table(
      caption: shown.count < levels.count
        ? "The first \(shown.count) of \(levels.count) levels; the others are in the JSON." : "",
      header: [
        "level", "τ", "nodes", "edges", "kept edges", "merged", "left", "lowest p of merges",
        "mean",
      ],
      rows: shown.map { level in
        [
          "\(level.level)", level.tau.map { decimal($0, places: 3) } ?? "modules",
          grouped(level.nodeCount),
          grouped(level.edgeCount), grouped(level.keptEdgeCount), grouped(level.mergedCount),
          grouped(level.clusterCount), probability(level.lowestMergeProbability),
          probability(level.meanMergeProbability),
        ]
      })
    let probabilities = LineChart(
      title: "How probable the merges were", xLabel: "level", yLabel: "linkage probability p",
      series: [
        .init(
          name: "mean",
          points: shown.compactMap { level in
            level.meanMergeProbability.map { .init(x: Double(level.level), y: $0) }
          }),
        .init(
          name: "τ",
          points: shown.compactMap { level in
            level.tau.map { .init(x: Double(level.level), y: $0) }
          }, style: .dashed),
      ])
    return Page.Section(
      heading: "Levels", body: [.bars(chart), .chart(probabilities), .table(table)])
  }

  // Linkage and density

  private var judgementSection: Page.Section {
    let count = Judgement.binCount
    func edges(from low: Double, to high: Double) -> [Double] {
      (0...count).map { low + (high - low) * Double($0) / Double(count) }
    }
    let charts = judgements.flatMap { judgement -> [Page.Block] in
      [
        .bars(
          BarChart(
            title: "Linkage, \(judgement.levelNames)", xLabel: "linkage probability p",
            yLabel: "edges", places: .bins(edges: edges(from: 0, to: 1)),
            series: [
              .init(name: "all", values: judgement.edges.map(Double.init)),
              .init(name: "merges", values: judgement.merges.map(Double.init)),
            ],
            lines: judgement.tau.map { [.vertical(at: $0, label: "τ")] } ?? [],
            yScale: readableScale(judgement.edges))),
        .bars(
          BarChart(
            title: "Density, \(judgement.levelNames)", xLabel: "density d", yLabel: "nodes",
            places: .bins(edges: edges(from: -1, to: 1)),
            series: [
              .init(name: "all", values: judgement.nodes.map(Double.init)),
              .init(name: "peaks", values: judgement.peaks.map(Double.init)),
            ], yScale: readableScale(judgement.nodes))),
      ]
    }
    return Page.Section(
      heading: "Linkage and density",
      body: [
        .text(
          "What the network said. An edge above τ to a denser node is kept; a node merges by the "
            + "most probable of them, and is a peak without one."
            + (hierarchy.resolution == nil
              ? ""
              : " At level 0 nodes went to modules, and all edges to denser nodes of a module are kept.")
        )
      ] + charts)
  }

  // Truth

  private func agreementSections(_ agreement: Agreement, _ images: [Int: Page.Image])
    -> [Page.Section]
  {
    [
      Page.Section(
        heading: "Agreement with the truth",
        body: [
          .table(pairMeasures(agreement.metrics)), .table(otherMeasures(agreement)),
          .bars(
            BarChart(
              title: "Points by the purity of their cluster", xLabel: "purity", yLabel: "points",
              places: .bins(edges: (0...10).map { Double($0) / 10 }),
              series: [.init(values: agreement.pointsByPurity.map(Double.init))])),
        ]),
      calibrationSection,
      Page.Section(
        heading: "Most mixed clusters",
        body: [
          .text("With most points of another true label than their most frequent."),
          .table(clusterTable(agreement.mostMixed, images)),
        ]),
      Page.Section(
        heading: "Most spread true clusters",
        body: [
          .text("With most points outside of the cluster that has most of them."),
          .table(
            Page.Table(
              header: ["true label", "points", "in clusters", "most of them in", "points there"],
              rows: agreement.mostSpread.map {
                [
                  "\($0.truth)", grouped($0.size), grouped($0.clusterCount), "\($0.mainCluster)",
                  grouped($0.mainCount),
                ]
              })),
        ]),
    ]
  }

  private func pairMeasures(_ metrics: ClusteringMetrics) -> Page.Table {
    func row(_ name: String, _ values: PrecisionRecall) -> [String] {
      [name] + [values.precision, values.recall, values.f].map { decimal($0, places: 4) }
    }
    return Page.Table(
      header: ["", "precision", "recall", "F"],
      rows: [row("pairwise", metrics.pairwise), row("BCubed", metrics.bcubed)])
  }

  private func otherMeasures(_ agreement: Agreement) -> Page.Table {
    let metrics = agreement.metrics
    return Page.Table(
      header: ["NMI", "ARI", "purity", "clusters", "true clusters"],
      rows: [
        [metrics.nmi, metrics.ari, agreement.purity ?? .nan].map { decimal($0, places: 4) }
          + [clusters.clusterCount, metrics.truth.clusterCount].map(grouped)
      ])
  }

  private var calibrationSection: Page.Section {
    let measured = levels.prefix(Self.shownLevelCount).compactMap { level in
      level.calibration.map { (level.level, $0) }
    }
    return Page.Section(
      heading: "Calibration",
      body: [
        .text(
          "Of the edges with about the same p, how many are true: those between nodes with the same label, which is that "
            + "of most of their points.")
      ] + (measured.isEmpty ? [] : calibrationBlocks(of: measured)))
  }

  // Clusters and merges

  private func largestSection(_ images: [Int: Page.Image]) -> Page.Section {
    Page.Section(
      heading: "Largest clusters",
      body: [
        .text(
          "The certainty of a cluster is the lowest p of its merges; if that merge was wrong, as many "
            + "of its distinct points come off."), .table(clusterTable(largest, images)),
      ])
  }

  private func clusterTable(_ clusters: [Cluster], _ images: [Int: Page.Image]) -> Page.Table {
    let hasTruth = agreement != nil
    return Page.Table(
      header: ["cluster", "points", "first rows"] + (hasTruth ? ["purity", "true label"] : [])
        + ["certainty", "comes off"],
      cells: clusters.map { cluster in
        let split = cluster.bridges.first.map {
          "\(grouped($0.splitCount)) of \(grouped($0.distinctCount))"
        }
        let purity = cluster.purity.map { decimal($0, places: 3) } ?? ""
        let numbers =
          (hasTruth ? [purity, cluster.mainTruth.map { "\($0)" } ?? ""] : [])
          + [probability(cluster.certainty), split ?? "–"]
        return ["\(cluster.label)", grouped(cluster.size)].map { Page.Cell($0) }
          + [Page.Cell(cluster.examples.map { ($0.text, images[$0.row]) })]
          + numbers.map { Page.Cell($0) }
      })
  }

  private func leastCertainSection(_ images: [Int: Page.Image]) -> Page.Section {
    Page.Section(
      heading: "Least certain clusters",
      body: [
        .text(
          "Those held together by the least probable merge. Of each the least probable merges: the "
            + "first row stands for a node that joined the node of the second, and how many of the "
            + "cluster's distinct points come off if that was wrong."),
        .table(
          mergeTable(
            leastCertain.flatMap { cluster in
              cluster.bridges.enumerated().map { place, merge in
                (place == 0 ? ["\(cluster.label)", grouped(cluster.size)] : ["", ""], merge)
              }
            }, leading: ["cluster", "points"], images)),
      ])
  }

  private func stakeSection(_ images: [Int: Page.Image]) -> Page.Section {
    Page.Section(
      heading: "Merges with most at stake",
      body: [
        .text(
          "How many pairs of points are together wrongly, to be expected of p alone: (1 − p) times "
            + "the distinct points on one side times those on the other."),
        .table(
          mergeTable(
            mostAtStake.map { (["\($0.cluster)", grouped(Int($0.stake.rounded()))], $0) },
            leading: ["cluster", "pairs"], images)),
      ])
  }

  private func mergeTable(
    _ merges: [(leading: [String], merge: Merge)], leading: [String], _ images: [Int: Page.Image]
  ) -> Page.Table {
    let hasTruth = agreement != nil
    return Page.Table(
      header: leading + ["p", "row", "joined row"] + (hasTruth ? ["true labels"] : [])
        + ["level", "similarity", "comes off"],
      cells: merges.map { leading, merge in
        let truths: [String] =
          if let a = merge.point.truth, let b = merge.parent.truth {
            [a == b ? "\(a)" : "\(a) ≠ \(b)"]
          } else { [] }
        let numbers =
          truths + [
            "\(merge.level)", decimal(merge.similarity, places: 3),
            "\(grouped(merge.splitCount)) of \(grouped(merge.distinctCount))",
          ]
        return (leading + [probability(merge.probability)]).map { Page.Cell($0) }
          + [merge.point, merge.parent].map { Page.Cell([($0.text, images[$0.row])]) }
          + numbers.map { Page.Cell($0) }
      })
  }

  private var settingsSection: Page.Section {
    Page.Section(
      heading: "Settings",
      body: [
        .table(
          Page.Table(
            header: ["", ""],
            rows: [
              ["features", hierarchy.features], ["model", hierarchy.model],
              ["points", grouped(pointCount)], ["dimensions", "\(dimensions)"],
              ["k, the point itself counted", "\(hierarchy.k)"],
              hierarchy.resolution.map { ["γ of level 0", decimal($0, places: 3)] }
                ?? ["τ of level 0", decimal(hierarchy.tau, places: 3)],
              ["τ of later levels", decimal(hierarchy.tauLater ?? hierarchy.tau, places: 3)],
              ["clustered by", "highland \(highland)"],
            ])),
        .text(
          "Rows of the input (#), clusters and levels are counted from 0; clusters in the order in "
            + "which they first appear. The certainty of a cluster is the lowest p of its merges; one of "
            + "a single distinct point has none."),
      ])
  }
}

extension HierarchyReport.Judgement {
  fileprivate var levelNames: String {
    firstLevel == lastLevel ? "level \(firstLevel)" : "levels \(firstLevel)–\(lastLevel)"
  }
}

extension HierarchyReport.Point {
  fileprivate var text: String { name.map { "#\(row) \($0)" } ?? "#\(row)" }
}

/// Logarithmic where linear bars would hide the small ones.
private func readableScale(_ counts: [Int]) -> LineChart.Scale {
  let seen = counts.filter { $0 > 0 }
  guard let least = seen.min(), let most = seen.max() else { return .linear }
  return most >= 30 * least ? .logarithmic : .linear
}

private func probability(_ p: Double?) -> String { p.map { decimal($0, places: 4) } ?? "–" }
