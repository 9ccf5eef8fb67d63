public import SpeakerTurns

/// Windows of recordings: rows of a file of segments.
public struct RecordingWindows: Sendable {
  /// The recordings, in the order of their first rows.
  public private(set) var names: [String] = []
  /// The first row of each recording. Ascending.
  public private(set) var firstRows: [Int] = []
  /// The place of every row's recording among them. Shape `[rows]`.
  public private(set) var recordings: [Int32] = []
  /// When every window is. None is empty, or begins before 0. Shape `[rows]`.
  public private(set) var times: [Interval] = []

  /// Reads all rows: `recording start end`, or with the segment's own name before that, as ``GroupFile`` does.
  ///
  /// - Throws: ``DataError`` if reading fails, for a line that is not like the first, that ends before it starts,
  ///   or whose recording has a name that is none in UTF-8; it names the line.
  /// - Complexity: O(bytes), 24 bytes in memory for a row.
  public init(_ file: GroupFile) throws {
    guard case .text(let lines) = file.contents else {
      throw DataError(
        path: file.path, problem: "an array; expected lines of a recording, a start and an end")
    }
    recordings.reserveCapacity(file.count)
    times.reserveCapacity(file.count)
    var places: [[UInt8]: Int32] = [:]
    try file.forEachRow(of: lines, upTo: file.count) { row, text, form in
      guard form != .name else {
        throw file.unexpected(text, row, "a recording, a start and an end")
      }
      guard let (recording, times) = form.segment(text) else {
        throw file.unexpected(text, row, file.expected(form))
      }
      guard times.start >= 0, times.end > times.start, times.end <= Self.latest else {
        throw file.unexpected(text, row, "a start of 0 or later, and an end after it")
      }
      if places[recording] == nil {
        guard let name = String(validating: recording, as: UTF8.self) else {
          throw file.unexpected(text, row, "a recording's name in UTF-8")
        }
        places[recording] = Int32(names.count)
        names.append(name)
        firstRows.append(row)
      }
      recordings.append(places[recording]!)
      self.times.append(times)
    }
  }

  /// Some thirty years: times in milliseconds are exact.
  private static let latest = 1e9
}
