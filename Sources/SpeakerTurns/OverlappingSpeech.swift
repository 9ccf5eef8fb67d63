public import LinearAlgebra

/// Who speaks in a time in which several do.
public struct OverlappingSpeech<Speaker: Hashable & Sendable>: Equatable, Sendable {
  public let interval: Interval
  /// The likeliest first.
  public let speakers: [Speaker]

  public init(_ interval: Interval, speakers: [Speaker]) {
    self.interval = interval
    self.speakers = speakers
  }
}

/// The two likeliest speakers of every region of overlapping speech.      [Singh and Ganapathy 2024, E-SHARC]
///
///     m(s) = direction of Σ |w \ regions| x(w),  w of speaker s        the speaker, as he is alone
///     a(r, s) = ⟨Σ |w ∩ r| x(w), m(s)⟩                                 how much of him is in region r
///
/// over windows w with directions x(w), each as often as it lasts. Of a speaker who is nowhere alone, m is the mean of all
/// windows. Equal speakers are in the order of their first windows.
///
/// - Parameters:
///   - windows: Each with the speaker that it was found to have.
///   - rows: An embedding for each window. Shape `[windows × any]`. Rows without a direction do not count.
/// - Returns: Regions in which there is a window, ascending; with one speaker where the recording has no other.
/// - Complexity: O(windows · columns + regions · speakers · columns), and the windows of every region.
public func likeliestSpeakers<Speaker>(
  in regions: IntervalSet, of windows: [SpeakerTurn<Speaker>], rows: Matrix
) -> [OverlappingSpeech<Speaker>] {
  precondition(rows.rowCount == windows.count, "\(rows.rowCount) rows of \(windows.count) windows")
  let order = windows.indices.sorted { (windows[$0].start, $0) < (windows[$1].start, $1) }
  let directions = windows.indices.map { direction(of: rows.row($0).map(Double.init)) }

  var speakers: [Speaker] = []
  var places: [Speaker: Int] = [:]
  for window in windows where places[window.speaker] == nil {
    places[window.speaker] = speakers.count
    speakers.append(window.speaker)
  }
  let zero = [Double](repeating: 0, count: rows.columnCount)
  var alone = [[Double]](repeating: zero, count: speakers.count)
  var everywhere = alone
  var place = 0
  for index in order {
    let window = windows[index]
    let speaker = places[window.speaker]!
    let outside = regions.gaps(in: window.interval, from: &place).reduce(0) { $0 + $1.duration }
    alone[speaker].add(directions[index], times: outside)
    everywhere[speaker].add(directions[index], times: window.interval.duration)
  }
  let means = speakers.indices.map { speaker in
    direction(of: alone[speaker] == zero ? everywhere[speaker] : alone[speaker])
  }

  var first = 0
  return regions.intervals.compactMap { region in
    while first < order.count, windows[order[first]].end <= region.start { first += 1 }
    var sum = zero
    var isHeard = false
    for index in order[first...].prefix(while: { windows[$0].start < region.end }) {
      let overlap = windows[index].interval.overlap(with: region)
      isHeard = isHeard || overlap > 0
      sum.add(directions[index], times: overlap)
    }
    guard isHeard else { return nil }
    let likeness = means.map { mean in zip(sum, mean).reduce(0) { $0 + $1.0 * $1.1 } }
    let likeliest = speakers.indices.sorted { (-likeness[$0], $0) < (-likeness[$1], $1) }.prefix(2)
    return OverlappingSpeech(region, speakers: likeliest.map { speakers[$0] })
  }
}

/// The turns of a recording when more than one speaker speaks in some regions: there these, elsewhere as before.
///
/// - Parameter turns: They do not overlap, and ascend.
/// - Returns: Ascending. Those of one speaker neither overlap nor touch.
public func turns<Speaker>(
  _ turns: [SpeakerTurn<Speaker>], overlappingIn regions: [OverlappingSpeech<Speaker>]
) -> [SpeakerTurn<Speaker>] {
  let others = parts(of: turns, outside: IntervalSet(regions.map(\.interval)))
  let together = regions.flatMap { region in
    region.speakers.map { SpeakerTurn($0, region.interval) }
  }
  var intervals: [Speaker: [Interval]] = [:]
  var speakers: [Speaker] = []
  for turn in others + together {
    if intervals[turn.speaker] == nil { speakers.append(turn.speaker) }
    intervals[turn.speaker, default: []].append(turn.interval)
  }
  let joined = speakers.enumerated().flatMap { place, speaker in
    IntervalSet(intervals[speaker]!).intervals.map { (place, SpeakerTurn(speaker, $0)) }
  }
  return joined.sorted { ($0.1.start, $0.0) < ($1.1.start, $1.0) }.map(\.1)
}

/// - Returns: Zeros, where there is no direction.
private func direction(of vector: [Double]) -> [Double] {
  let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
  guard length > 0, length.isFinite else { return vector.map { _ in 0 } }
  return vector.map { $0 / length }
}

extension [Double] {
  fileprivate mutating func add(_ other: [Double], times factor: Double) {
    for place in indices { self[place] += factor * other[place] }
  }
}
