public import SpeakerTurns

/// How far it is from who speaks when to who was found to speak when.
///
/// All times are sums over speakers: two who speak together for a second are two seconds. A quotient 0/0 is NaN here
/// and `null` in JSON.
public struct DiarizationError: Equatable, Sendable {
  /// Σ |truth|.
  public var truthSeconds = 0.0
  /// Σ |predicted|.
  public var predictedSeconds = 0.0
  /// Where fewer speakers were found than there are: Σ max(|truth| − |predicted|, 0).
  public var missedSeconds = 0.0
  /// Where more were found: Σ max(|predicted| − |truth|, 0).
  public var falseAlarmSeconds = 0.0
  /// Where as many were found, but others, after the best one-to-one map of speakers.
  public var confusedSeconds = 0.0
  /// Of every speaker that was found, the time with the true speaker with whom it is most.
  public var pureSeconds = 0.0
  /// Of every true speaker, the time with the found speaker with whom it is most.
  public var coveredSeconds = 0.0
  /// Speakers with a time that is scored.
  public var trueSpeakers = 0
  public var predictedSpeakers = 0

  public init() {}

  /// The diarization error rate: what is missed, false or confused, as a share of the truth. May be above 1.
  public var rate: Double {
    (missedSeconds + falseAlarmSeconds + confusedSeconds) / truthSeconds
  }
  public var purity: Double { pureSeconds / predictedSeconds }
  public var coverage: Double { coveredSeconds / truthSeconds }

  /// Of two recordings together, whose speakers are others.
  public static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.truthSeconds += b.truthSeconds
    sum.predictedSeconds += b.predictedSeconds
    sum.missedSeconds += b.missedSeconds
    sum.falseAlarmSeconds += b.falseAlarmSeconds
    sum.confusedSeconds += b.confusedSeconds
    sum.pureSeconds += b.pureSeconds
    sum.coveredSeconds += b.coveredSeconds
    sum.trueSpeakers += b.trueSpeakers
    sum.predictedSpeakers += b.predictedSpeakers
    return sum
  }
}

/// Which times of a recording are scored.
public struct ScoredTimes: Equatable, Sendable {
  /// Nil: from the first turn of truth or prediction to the last.
  public var regions: IntervalSet?
  /// Not so many seconds before and after each start and end of a turn of the truth.
  public var collarSeconds: Double
  /// Not while two turns of the truth overlap.
  public var skipsOverlap: Bool

  public init(
    regions: IntervalSet? = nil, collarSeconds: Double = 0, skipsOverlap: Bool = false
  ) {
    precondition(collarSeconds >= 0, "a collar of \(collarSeconds) s")
    self.regions = regions
    self.collarSeconds = collarSeconds
    self.skipsOverlap = skipsOverlap
  }

  fileprivate func times(_ truth: [Interval], _ predicted: [Interval]) -> IntervalSet {
    let all = truth + predicted
    let extent = all.first.map { first in
      all.reduce(first) { Interval(min($0.start, $1.start), max($0.end, $1.end)) }
    }
    var excluded: [Interval] = []
    if collarSeconds > 0 {
      excluded += truth.flatMap { [$0.start, $0.end] }
        .map { Interval($0 - collarSeconds, $0 + collarSeconds) }
    }
    if skipsOverlap { excluded += overlaps(of: truth) }
    return (regions ?? IntervalSet(extent.map { [$0] } ?? [])).subtracting(IntervalSet(excluded))
  }
}

/// How well one diarization of a recording agrees with the truth.      [NIST, RT-09 evaluation plan]
///
/// The scored times fall into pieces in which nobody starts or ends. Of a piece with r true and h found speakers
/// max(r − h, 0) are missed, max(h − r, 0) are false alarms, and min(r, h) are right or confused. Which found speaker
/// is which true one is said by the one-to-one map with the most time together, within the scored times. Who overlaps
/// himself speaks once.
///
/// - Complexity: O(n log n) for n turns, the pairs of speakers in every piece, and ``bestAssignment(_:)`` of all.
public func diarizationError<True, Found>(
  truth: [SpeakerTurn<True>], predicted: [SpeakerTurn<Found>],
  in scored: ScoredTimes = ScoredTimes()
) -> DiarizationError {
  let truth = NumberedTurns(truth)
  let found = NumberedTurns(predicted)
  var error = DiarizationError()
  var trueSeconds = [Double](repeating: 0, count: truth.speakerCount)
  var foundSeconds = [Double](repeating: 0, count: found.speakerCount)
  var secondsTogether = trueSeconds.map { _ in foundSeconds }
  var pairedSeconds = 0.0
  forEachPiece(of: scored.times(truth.intervals, found.intervals), truth, found) {
    seconds, trueSpeakers, foundSpeakers in
    let (r, h) = (Double(trueSpeakers.count), Double(foundSpeakers.count))
    error.missedSeconds += seconds * max(r - h, 0)
    error.falseAlarmSeconds += seconds * max(h - r, 0)
    pairedSeconds += seconds * min(r, h)
    for speaker in trueSpeakers {
      trueSeconds[speaker] += seconds
      for other in foundSpeakers { secondsTogether[speaker][other] += seconds }
    }
    for speaker in foundSpeakers { foundSeconds[speaker] += seconds }
  }
  let map = bestAssignment(secondsTogether)
  let rightSeconds = map.enumerated().reduce(0.0) { sum, pair in
    sum + (pair.element.map { secondsTogether[pair.offset][$0] } ?? 0)
  }
  error.confusedSeconds = max(pairedSeconds - rightSeconds, 0)
  error.truthSeconds = trueSeconds.reduce(0, +)
  error.predictedSeconds = foundSeconds.reduce(0, +)
  error.coveredSeconds = secondsTogether.reduce(0) { $0 + ($1.max() ?? 0) }
  error.pureSeconds = foundSeconds.indices.reduce(0) { sum, speaker in
    sum + (secondsTogether.map { $0[speaker] }.max() ?? 0)
  }
  error.trueSpeakers = trueSeconds.count { $0 > 0 }
  error.predictedSpeakers = foundSeconds.count { $0 > 0 }
  return error
}

/// The turns that are not empty, with numbers for speakers.
private struct NumberedTurns {
  var speakers: [Int] = []
  var intervals: [Interval] = []
  var speakerCount = 0

  init<Speaker>(_ turns: [SpeakerTurn<Speaker>]) {
    var numbers: [Speaker: Int] = [:]
    for turn in turns where turn.end > turn.start {
      let number = numbers[turn.speaker] ?? numbers.count
      numbers[turn.speaker] = number
      speakers.append(number)
      intervals.append(turn.interval)
    }
    speakerCount = numbers.count
  }
}

/// Calls `body` with every piece of the scored times in which nobody starts or ends: how long it is, and the speakers
/// of both, in no order.
private func forEachPiece(
  of scored: IntervalSet, _ truth: NumberedTurns, _ found: NumberedTurns,
  _ body: (_ seconds: Double, _ trueSpeakers: [Int], _ foundSpeakers: [Int]) -> Void
) {
  enum Line { case scored, truth, found }
  var events: [(time: Double, line: Line, speaker: Int, step: Int)] = []
  func add(_ interval: Interval, _ line: Line, _ speaker: Int) {
    events.append((interval.start, line, speaker, 1))
    events.append((interval.end, line, speaker, -1))
  }
  for interval in scored.intervals { add(interval, .scored, 0) }
  for (interval, speaker) in zip(truth.intervals, truth.speakers) { add(interval, .truth, speaker) }
  for (interval, speaker) in zip(found.intervals, found.speakers) { add(interval, .found, speaker) }
  events.sort { $0.time < $1.time }

  var isScored = false
  var trueSpeakers = Speaking(count: truth.speakerCount)
  var foundSpeakers = Speaking(count: found.speakerCount)
  var time = events.first?.time ?? 0
  for event in events {
    if isScored, event.time > time {
      body(event.time - time, trueSpeakers.active, foundSpeakers.active)
    }
    time = event.time
    switch event.line {
    case .scored: isScored = event.step > 0
    case .truth: trueSpeakers.change(event.speaker, by: event.step)
    case .found: foundSpeakers.change(event.speaker, by: event.step)
    }
  }
}

/// Who speaks at a time.
private struct Speaking {
  /// How many turns of every speaker have begun and not ended.
  private var turnCounts: [Int]
  private(set) var active: [Int] = []

  init(count: Int) { turnCounts = Array(repeating: 0, count: count) }

  mutating func change(_ speaker: Int, by step: Int) {
    turnCounts[speaker] += step
    if turnCounts[speaker] == (step > 0 ? 1 : 0) {
      active.removeAll { $0 == speaker }
      if step > 0 { active.append(speaker) }
    }
  }
}

/// The times in which two or more of some intervals meet.
private func overlaps(of intervals: [Interval]) -> [Interval] {
  var overlaps: [Interval] = []
  var end = -Double.infinity
  for interval in intervals.sorted(by: { $0.start < $1.start }) {
    if interval.start < end { overlaps.append(Interval(interval.start, min(end, interval.end))) }
    end = max(end, interval.end)
  }
  return overlaps
}
