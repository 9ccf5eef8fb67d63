import Charts
import Evaluation
import Training

extension TrainingRun {
  /// The curves of a run, as a page to look at.
  func page(of state: TrainingState) -> String {
    let history = state.progress.history
    let validations = history.compactMap { epoch in
      epoch.validation.map { (epoch: Double(epoch.epoch), result: $0) }
    }
    func curve(_ name: String, _ value: (EpochRecord) -> Double) -> LineChart.Series {
      LineChart.Series(name: name, points: history.map { .init(x: Double($0.epoch), y: value($0)) })
    }
    func validated(_ name: String, _ value: (ValidationResult) -> Double) -> LineChart.Series {
      LineChart.Series(
        name: name, points: validations.map { .init(x: $0.epoch, y: value($0.result)) })
    }
    var sections = [
      Page.Section(
        heading: "Losses",
        body: [
          .chart(
            LineChart(
              title: "Linkage", xLabel: "epoch", yLabel: "loss",
              series: [curve("training") { $0.linkageLoss }]
                + (validations.isEmpty ? [] : [validated("held out") { $0.linkageLoss }]))),
          .chart(
            LineChart(
              title: "Density", xLabel: "epoch", yLabel: "mean squared error",
              series: [curve("training") { $0.densityLoss }]
                + (validations.isEmpty ? [] : [validated("held out") { $0.densityLoss }]))),
        ])
    ]
    if !validations.isEmpty {
      sections.append(
        Page.Section(
          heading: "Held-out identities",
          body: [
            .chart(
              LineChart(
                title: "Clustering, at the best τ of every validation", xLabel: "epoch",
                yLabel: "F, NMI",
                series: [
                  validated("pairwise F") { $0.chosen.pairwiseF },
                  validated("BCubed F") { $0.chosen.bcubedF },
                  validated("NMI") { $0.chosen.nmi },
                ])),
            .chart(
              LineChart(
                title: "Edges of level 0", xLabel: "epoch", yLabel: "AUC",
                series: [validated("AUC") { $0.edgeAUC ?? .nan }])),
          ] + thresholds(state)))
    }
    sections.append(Page.Section(heading: "Settings", body: [.table(description.table)]))
    return Page(
      title: "Training on \(description.features)", summary: summary(of: state), sections: sections
    ).html
  }

  private func thresholds(_ state: TrainingState) -> [Page.Block] {
    guard let best = state.progress.best else { return [] }
    func series(_ name: String, _ value: (ValidationResult.Point) -> Double) -> LineChart.Series {
      LineChart.Series(
        name: name, points: best.result.curve.map { .init(x: $0.tau, y: value($0)) })
    }
    return [
      .chart(
        LineChart(
          title: "The parameters kept, for every τ", xLabel: "τ", yLabel: "F",
          series: [series("pairwise F") { $0.pairwiseF }, series("BCubed F") { $0.bcubedF }],
          lines: [.vertical(at: best.result.chosen.tau, label: "chosen")]))
    ]
  }
}
