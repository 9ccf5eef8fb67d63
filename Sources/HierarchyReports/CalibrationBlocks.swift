package import Charts
package import Evaluation

/// A chart of p against the share of true edges, with a curve for each level, and a table of the levels.
///
/// - Parameter levels: Their numbers, ascending, and what was counted.
package func calibrationBlocks(
  of levels: [(Int, ProbabilityCalibration)]
) -> [Page.Block] {
  [
    .chart(calibrationChart(of: levels)),
    .table(
      Page.Table(
        header: ["level", "edges", "share true", "mean p", "expected calibration error"],
        rows: levels.map { level, calibration in
          ["\(level)", grouped(calibration.edgeCount)]
            + [
              calibration.shareTrue, calibration.meanProbability,
              calibration.expectedCalibrationError,
            ].map { $0.map { decimal($0, places: 4) } ?? "–" }
        })),
  ]
}

/// Bins of fewer edges say little.
private let fewEdges = 20

private func calibrationChart(of levels: [(Int, ProbabilityCalibration)]) -> LineChart {
  LineChart(
    title: "Edges between nodes of one true label", xLabel: "linkage probability p",
    yLabel: "share of the edges",
    series: levels.compactMap { level, calibration in
      let points = calibration.bins.compactMap { bin -> LineChart.Point? in
        guard bin.edgeCount >= fewEdges, let x = bin.meanProbability, let y = bin.shareTrue
        else { return nil }
        return .init(x: x, y: y)
      }
      return points.isEmpty ? nil : .init(name: "level \(level)", points: points)
    } + [
      .init(name: "as p says", points: [.init(x: 0, y: 0), .init(x: 1, y: 1)], style: .dashed)
    ])
}
