import Evaluation

/// How well recordings were diarized, each and in all.
struct DiarizationReport: Encodable {
  struct Recording: Encodable {
    var recording: String
    var error: DiarizationError

    func encode(to encoder: any Encoder) throws {
      try error.encode(to: encoder)
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(recording, forKey: .recording)
    }

    private enum CodingKeys: String, CodingKey { case recording }
  }

  var recordings: [Recording]
  /// Seconds and speakers of all recordings, added up.
  var all: DiarizationError
  /// Recordings in which as many speakers were found as there are.
  var rightCounts: Int

  init(_ names: [String], _ errors: [DiarizationError]) {
    recordings = zip(names, errors).map { Recording(recording: $0, error: $1) }
    all = errors.reduce(DiarizationError(), +)
    rightCounts = errors.count { $0.trueSpeakers == $0.predictedSpeakers }
  }

  /// For people.
  var table: String {
    var table = TextTable([
      "recording", "speech s", "missed %", "false %", "confused %", "error %", "purity %",
      "coverage %", "speakers", "found",
    ])
    for recording in recordings { table.add(row(recording.recording, recording.error)) }
    table.add(row("all", all))
    return table.text
      + "\nThe number of speakers is right in \(rightCounts) of \(recordings.count) recordings."
  }

  private func row(_ name: String, _ error: DiarizationError) -> [String] {
    func percent(_ share: Double) -> String { decimal(100 * share, places: 2) }
    return [
      name, decimal(error.truthSeconds, places: 2),
      percent(error.missedSeconds / error.truthSeconds),
      percent(error.falseAlarmSeconds / error.truthSeconds),
      percent(error.confusedSeconds / error.truthSeconds), percent(error.rate),
      percent(error.purity), percent(error.coverage), "\(error.trueSpeakers)",
      "\(error.predictedSpeakers)",
    ]
  }
}
