import Charts

/// What a run of training is about: for the log, the report and the model's metadata.
struct RunDescription: Encodable {
  var highland = highlandVersion
  var features: String
  var rankCount: Int
  var threadCount: Int
  var trainingPoints: Int
  var trainingIdentities: Int
  var dimensions: Int
  var parameterCount: Int
  /// By the names of options.
  var settings: [String: String]

  /// All of it, for a page.
  var table: Page.Table {
    Page.Table(
      header: ["", ""],
      rows: [
        ["points, identities", "\(trainingPoints), \(trainingIdentities)"],
        ["dimensions, parameters", "\(dimensions), \(parameterCount)"],
        ["ranks, threads of each", "\(rankCount), \(threadCount)"],
      ] + settings.sorted { $0.key < $1.key }.map { [$0.key, $0.value] })
  }
}
