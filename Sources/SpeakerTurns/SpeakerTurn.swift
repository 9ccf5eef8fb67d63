/// A time in which somebody speaks.
public struct SpeakerTurn<Speaker: Hashable & Sendable>: Hashable, Sendable {
  public var speaker: Speaker
  public var start: Double
  public var end: Double

  public init(_ speaker: Speaker, _ interval: Interval) {
    self.speaker = speaker
    (start, end) = (interval.start, interval.end)
  }

  public var interval: Interval { Interval(start, end) }
}

/// The turns of a recording, from windows of which each has one speaker: one speaks at a time.
///
/// Two windows that overlap are cut at the middle of the overlap, so that what is between them belongs to the
/// nearer. A window that lies in another keeps its time, and of windows with equal times the first counts.
/// Neighbours of one speaker are joined.
///
/// - Parameters:
///   - windows: In any order, none of them empty.
///   - limit: Neighbours of one speaker are also joined over a gap that is shorter, in seconds.
/// - Returns: Turns that do not overlap, ascending.
/// - Complexity: O(n log n), times the depth in which windows lie in others.
public func turns<Speaker>(
  ofWindows windows: [SpeakerTurn<Speaker>], closingGapsBelow limit: Double
) -> [SpeakerTurn<Speaker>] {
  var turns: [SpeakerTurn<Speaker>] = []
  for piece in pieces(of: windows) {
    if let last = turns.last, last.speaker == piece.speaker,
      piece.start <= last.end || piece.start - last.end < limit
    {
      turns[turns.count - 1].end = piece.end
    } else {
      turns.append(piece)
    }
  }
  return turns
}

/// The windows after they are cut. They do not overlap, and ascend.
private func pieces<Speaker>(of windows: [SpeakerTurn<Speaker>]) -> [SpeakerTurn<Speaker>] {
  var pieces: [SpeakerTurn<Speaker>] = []
  // The longer of two that start together comes first, and what lies in another comes after it.
  var rest = windows.enumerated().sorted {
    ($0.element.start, -$0.element.end, $0.offset) < ($1.element.start, -$1.element.end, $1.offset)
  }.map(\.element)
  while !rest.isEmpty {
    var outer: [SpeakerTurn<Speaker>] = []
    var inner: [SpeakerTurn<Speaker>] = []
    for window in rest {
      guard let last = outer.last, window.end <= last.end else {
        outer.append(window)
        continue
      }
      if window.interval != last.interval { inner.append(window) }
    }
    let cut = cutAtMiddles(outer)
    pieces = (parts(of: pieces, outside: IntervalSet(cut.map(\.interval))) + cut)
      .sorted { $0.start < $1.start }
    rest = inner
  }
  return pieces
}

/// - Parameter windows: Their starts ascend, and so do their ends: so do the middles between neighbours.
private func cutAtMiddles<Speaker>(
  _ windows: [SpeakerTurn<Speaker>]
) -> [SpeakerTurn<Speaker>] {
  var pieces = windows
  for (first, second) in zip(windows.indices, windows.indices.dropFirst())
  where windows[second].start < windows[first].end {
    let middle = (windows[second].start + windows[first].end) / 2
    pieces[first].end = middle
    pieces[second].start = middle
  }
  return pieces
}

/// What of some turns is at other times.
///
/// - Parameter turns: Their starts ascend.
func parts<Speaker>(
  of turns: [SpeakerTurn<Speaker>], outside times: IntervalSet
) -> [SpeakerTurn<Speaker>] {
  var place = 0
  return turns.flatMap { turn in
    times.gaps(in: turn.interval, from: &place).map { SpeakerTurn(turn.speaker, $0) }
  }
}
