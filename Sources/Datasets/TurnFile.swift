internal import Glibc
public import SpeakerTurns

/// Who speaks when in recordings: RTTM, as NIST defines it.
///
///     SPEAKER recording channel onset duration <NA> <NA> speaker <NA> <NA>
///
/// Fields are separated by blanks, times are in seconds. Of the lines only those of type `SPEAKER` say who speaks;
/// the other types that NIST has, and comments after `;`, are passed over. Channels are not told apart.
public enum TurnFile {
  /// The turns of every recording in a file, or in all files of a directory whose names end in `.rttm`.
  ///
  /// - Returns: By the recording's name, in the order of the lines. A turn may be empty.
  /// - Throws: ``DataError`` if reading fails, for a line that is not so, and for a recording in two files.
  public static func turns(path: String) throws -> [String: [SpeakerTurn<String>]] {
    guard try kind(of: path) == S_IFDIR else { return try turns(ofFile: path) }
    var all: [String: [SpeakerTurn<String>]] = [:]
    var files: [String: String] = [:]
    let names = try fileNames(inDirectory: path).filter { $0.hasSuffix(".rttm") }
    guard !names.isEmpty else {
      throw DataError(path: path, problem: "holds no file whose name ends in .rttm")
    }
    for name in names {
      let file = "\(path)/\(name)"
      for (recording, found) in try turns(ofFile: file).sorted(by: { $0.key < $1.key }) {
        if let other = files[recording] {
          throw DataError(
            path: file, problem: "recording \(quoted(recording.utf8)) is in \(other), too")
        }
        files[recording] = name
        all[recording] = found
      }
    }
    return all
  }

  private static func turns(ofFile path: String) throws -> [String: [SpeakerTurn<String>]] {
    var turns: [String: [SpeakerTurn<String>]] = [:]
    try forEachRecord(of: path) { record in
      guard let type = record.fields.first, types.contains(type) else {
        throw record.error(expected: "SPEAKER, or another type of line of RTTM")
      }
      guard type == "SPEAKER" else { return }
      guard record.fields.count >= 8, let onset = record.number(3), let duration = record.number(4),
        duration >= 0
      else {
        throw record.error(
          expected: "SPEAKER, a recording, a channel, onset, duration, two fields and a speaker")
      }
      turns[record.fields[1], default: []].append(
        SpeakerTurn(record.fields[7], Interval(onset, onset + duration)))
    }
    return turns
  }

  private static let types: Set<String> = [
    "SPEAKER", "SPKR-INFO", "SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX",
    "NON-SPEECH", "FILLER", "EDIT", "SU", "IP", "CB", "A/P",
  ]

  /// The times of recordings that are scored: UEM, lines of `recording channel start end`.
  ///
  /// - Throws: ``DataError`` if reading fails, or for a line that is not so.
  public static func scoredTimes(path: String) throws -> [String: IntervalSet] {
    var times: [String: [Interval]] = [:]
    try forEachRecord(of: path) { record in
      guard record.fields.count == 4, let start = record.number(2), let end = record.number(3),
        end >= start
      else {
        throw record.error(expected: "a recording, a channel, a start and an end")
      }
      times[record.fields[0], default: []].append(Interval(start, end))
    }
    return times.mapValues { IntervalSet($0) }
  }

  /// The lines of a recording. Times are rounded to milliseconds, and what is shorter has no line.
  ///
  /// - Precondition: The name has no blanks: ``problem(ofName:)``.
  public static func text(
    of turns: [SpeakerTurn<String>], in recording: String
  ) -> String {
    var text = ""
    for turn in turns {
      let (start, end) = (milliseconds(turn.start), milliseconds(turn.end))
      guard end > start else { continue }
      text += "SPEAKER \(recording) 1 \(seconds(start)) \(seconds(end - start)) <NA> <NA> "
      text += "\(turn.speaker) <NA> <NA>\n"
    }
    return text
  }

  /// Why a recording of this name can have no file of its own, or no line in it; nil if it can.
  public static func problem(ofName name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if name.utf8.count > 200 { return "has more than 200 bytes" }
    if name.hasPrefix(".") || name.hasPrefix(";") { return "begins with '\(name.prefix(1))'" }
    if name.contains("/") { return "holds a '/'" }
    if name.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.value < 32 }) {
      return "holds a blank"
    }
    return nil
  }

  private static func milliseconds(_ seconds: Double) -> Int { Int((seconds * 1000).rounded()) }

  private static func seconds(_ milliseconds: Int) -> String {
    let fraction = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }

  /// A line, as fields between blanks.
  private struct Record {
    let path: String
    let line: Int
    let text: [UInt8]
    let fields: [String]

    func number(_ place: Int) -> Double? {
      Double(fields[place]).flatMap { $0.isFinite ? $0 : nil }
    }

    func error(expected: String) -> DataError {
      DataError(
        path: path, problem: "line \(line + 1): expected \(expected), found \(quoted(text))")
    }
  }

  /// Calls `body` with every line that is neither blank nor a comment.
  private static func forEachRecord(of path: String, _ body: (Record) throws -> Void) throws {
    let lines = try TextLines(InputFile(path: path))
    let limit = 4096
    try lines.forEachLine(0..<lines.filledCount, limit: limit) { line, text in
      guard text.count < limit else {
        throw DataError(path: path, problem: "line \(line + 1): more than \(limit - 1) bytes")
      }
      let fields = text.split(whereSeparator: TextLines.isBlank)
        .map { String(decoding: $0, as: UTF8.self) }
      guard let first = fields.first, !first.hasPrefix(";") else { return }
      try body(Record(path: path, line: line, text: text, fields: fields))
    }
  }
}
