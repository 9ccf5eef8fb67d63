import Communication
import Datasets
import Evaluation
import HierarchicalClustering
import LinearAlgebra
import SpeakerTurns

/// Turns labels of windows into turns of speakers, in a file for each recording; `Docs/Formats.md` describes the
/// directory.
struct DiarizationWriter {
  let windows: RecordingWindows
  let source: FeatureRows
  /// Of overlapping speech, by recordings.
  let regions: [String: IntervalSet]
  let gapSeconds: Double

  /// The file that makes a directory a diarization.
  static let marker = "diarize.json"

  /// The JSON: what was asked for and what came out, without what it cost, so that the directory is the same on any
  /// number of ranks.
  struct Summary: Encodable, CustomStringConvertible {
    struct Recording: Encodable {
      var recording: String
      var windowCount, speakerCount, turnCount: Int
      var speechSeconds: Double
    }

    var highland = highlandVersion
    var segments: String
    var parameters: ClusteringAccount
    /// The bounds of --clusters.
    var fewestSpeakers: Int?
    var mostSpeakers: Int?
    var gapSeconds: Double
    var overlaps: String?
    var recordings: [Recording]

    var description: String {
      let turnCount = recordings.reduce(0) { $0 + $1.turnCount }
      let seconds = recordings.reduce(0) { $0 + $1.speechSeconds }
      return
        "\(recordings.count) recordings: \(turnCount) turns, \(decimal(seconds, places: 1)) s of speech."
    }
  }

  /// Each rank writes the files of some recordings.
  ///
  /// > Collective: over `communicator`. 24 bytes per recording to every rank, and two rounds of a byte.
  ///
  /// - Parameter labels: Replicated. Of all windows.
  func write(
    labels: [Int64], _ parameters: ClusteringAccount, segments: String, overlaps: String?,
    clusters: ClosedRange<Int>?, to directory: String, on communicator: some Communicator
  ) throws -> Summary {
    let own = ownShare(of: windows.names.count, on: communicator)
    let counts = try communicator.agree {
      let turns = try zip(own, windows.rows(ofRecordings: own)).map { place, rows in
        try self.turns(of: windows.names[place], rows: rows, labels: labels)
      }
      try writeTexts(
        zip(windows.names[own], turns).lazy.map {
          (name: "\($0).rttm", text: TurnFile.text(of: $1, in: $0))
        }, inDirectory: directory)
      return turns.map(Counts.init)
    }
    let all = try communicator.allGather(counts).values
    let rowCounts = windows.rowCounts
    let summary = Summary(
      segments: segments, parameters: parameters, fewestSpeakers: clusters?.lowerBound,
      mostSpeakers: clusters?.upperBound, gapSeconds: gapSeconds, overlaps: overlaps,
      recordings: zip(windows.names.indices, all).map { place, counts in
        Summary.Recording(
          recording: windows.names[place], windowCount: rowCounts[place],
          speakerCount: counts.speakers, turnCount: counts.turns, speechSeconds: counts.seconds)
      })
    try writeJSON(
      summary, to: "\(directory)/\(Self.marker)", overwrite: false, on: communicator)
    return summary
  }

  private struct Counts: Message {
    let speakers, turns: Int
    let seconds: Double

    init(_ turns: [SpeakerTurn<String>]) {
      speakers = Set(turns.map(\.speaker)).count
      self.turns = turns.count
      seconds = turns.reduce(0) { $0 + $1.interval.duration }
    }
  }

  /// The turns of a recording, whose speakers are called in the order in which they first speak.
  private func turns(
    of recording: String, rows: [Int], labels: [Int64]
  ) throws -> [SpeakerTurn<String>] {
    let labelled = rows.map { SpeakerTurn(labels[$0], windows.times[$0]) }
    var turns = SpeakerTurns.turns(ofWindows: labelled, closingGapsBelow: gapSeconds)
    if let regions = regions[recording] {
      let together = likeliestSpeakers(in: regions, of: labelled, rows: try features(of: rows))
      turns = SpeakerTurns.turns(turns, overlappingIn: together)
    }
    var names: [Int64: String] = [:]
    return turns.map { turn in
      let name = names[turn.speaker] ?? "speaker\(names.count + 1)"
      names[turn.speaker] = name
      return SpeakerTurn(name, turn.interval)
    }
  }

  /// - Parameter rows: Ascending.
  private func features(of rows: [Int]) throws -> Matrix {
    var elements: [Float] = []
    for run in rows.runs { elements += try source.directions(run).matrix.elements }
    return Matrix(rows: rows.count, columns: source.dimensions, elements: elements)
  }
}

extension RecordingWindows {
  /// The rows of every recording of a range of them, ascending.
  fileprivate func rows(ofRecordings range: Range<Int>) -> [[Int]] {
    var rows = [[Int]](repeating: [], count: range.count)
    for (row, recording) in recordings.enumerated() where range.contains(Int(recording)) {
      rows[Int(recording) - range.lowerBound].append(row)
    }
    return rows
  }

  /// Rows of every recording.
  fileprivate var rowCounts: [Int] {
    var counts = names.map { _ in 0 }
    for recording in recordings { counts[Int(recording)] += 1 }
    return counts
  }

  /// When there is a window, by recordings.
  var timesByName: [String: IntervalSet] {
    Dictionary(
      uniqueKeysWithValues: zip(names, rows(ofRecordings: names.indices)).map { name, rows in
        (name, IntervalSet(rows.map { times[$0] }))
      })
  }
}
