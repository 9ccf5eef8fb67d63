import ArgumentParser
import Communication
import Datasets
import Evaluation
@unsafe @preconcurrency import Glibc
import MPICommunication
import SpeakerTurns

struct EvaluateCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Compare a clustering, or a diarization, with the truth.",
    discussion: """
        highland evaluate --truth truth.npy --predicted labels.npy
        highland evaluate --rttm truth.rttm --predicted turns/ --collar 0.25

      With --truth: prints pairwise and BCubed precision, recall and F, NMI, ARI, the numbers of clusters and \
      singletons, and quantiles of cluster sizes.

      With --rttm: prints the diarization error rate of every recording and of all, in percent of the time of the true \
      speakers: what is missed, false alarms, and confusion after the best one-to-one map of speakers within the \
      scored time; purity of the found speakers, coverage of the true ones, and how many there are.
      """)

  @Option(help: "True labels: .npy of integers, or text, one number or name per line.")
  var truth: String?

  @OptionGroup var noise: NoiseOptions

  @Option(help: "Who truly speaks when: an RTTM file, or a directory of them.")
  var rttm: String?

  @Option(
    help: """
      Predicted labels: .npy of integers, or text, one number or name per line. With --rttm: an RTTM file, or a directory of them.
      """)
  var predicted: String

  @Option(
    help: ArgumentHelp(
      "Do not score so many seconds before and after each start and end of a true turn. Default: 0.",
      discussion:
        "On each side, as NIST's md-eval does; the collar of pyannote.metrics is both sides together."
    ))
  var collar: Double?

  @Flag(help: "Do not score where two true turns overlap.")
  var skipOverlap = false

  @Option(
    help: ArgumentHelp(
      "Score the recordings and times of this UEM file: lines of recording, channel, start, end.",
      discussion: """
        Default: the recordings of the truth, each from the first turn, of truth or prediction, to the last.
        """))
  var uem: String?

  @Flag(help: "Print JSON; null stands for 0/0.")
  var json = false

  func validate() throws {
    guard (truth == nil) != (rttm == nil) else {
      throw ValidationError(
        truth == nil
          ? "missing the truth; expected --truth of labels, or --rttm of turns"
          : "--truth is of labels, --rttm of turns: expected one of them")
    }
    if let truth {
      try requireLabels(truth)
      try requireLabels(predicted)
    }
    guard truth != nil || noise.noiseLabel == nil else {
      throw ValidationError("--noise-label is of labels: expected --truth")
    }
    if rttm == nil {
      for (isGiven, name) in [
        (collar != nil, "--collar"), (skipOverlap, "--skip-overlap"), (uem != nil, "--uem"),
      ] where isGiven {
        throw ValidationError("\(name) is of turns: expected --rttm")
      }
    }
    if let collar, collar < 0 || !collar.isFinite {
      throw ValidationError("--collar \(collar): expected seconds, 0 or more")
    }
  }

  private func requireLabels(_ path: String) throws {
    guard !path.hasSuffix(".rttm") else {
      throw ValidationError("\(path): turns of speakers, which --rttm compares; expected labels")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    if let truth {
      try compare(labels: truth, on: communicator)
    } else if let rttm {
      try communicator.agree {
        if communicator.rank == Rank(0) { try compare(turns: rttm) }
      }
    }
  }

  /// By this rank alone.
  private func compare(turns path: String) throws {
    let truth = try TurnFile.turns(path: path)
    let found = try TurnFile.turns(path: predicted)
    let times = try uem.map { try TurnFile.scoredTimes(path: $0) }
    let names = (times.map { Array($0.keys) } ?? Array(truth.keys)).sorted()
    let errors = names.map { name in
      diarizationError(
        truth: truth[name] ?? [], predicted: found[name] ?? [],
        in: ScoredTimes(
          regions: times?[name], collarSeconds: collar ?? 0, skipsOverlap: skipOverlap))
    }
    let scored = Set(names)
    for (count, problem) in [
      (names.count { found[$0] == nil }, "without a turn in \(predicted)"),
      (found.keys.count { !scored.contains($0) }, "of \(predicted) not scored"),
      (truth.keys.count { !scored.contains($0) }, "of \(path) not scored"),
    ] where count > 0 {
      unsafe fputs("note: \(count) recording\(count == 1 ? "" : "s") \(problem)\n", stderr)
    }
    let report = DiarizationReport(names, errors)
    try show(report, as: report.table, inJSON: json)
  }

  private func compare(labels truth: String, on communicator: MPICommunicator) throws {
    let (trueShare, trueFile) = try readAllLabels(truth, on: communicator)
    let (share, file) = try readAllLabels(predicted, on: communicator)
    try requireEqualCounts(file, trueFile)
    let trueLabels = try TrueLabels(
      trueShare, of: trueFile, noise: noise.noiseLabel, on: communicator)
    try noteLabels(share, of: file, on: communicator)
    let metrics = try trueLabels.metrics(of: share, on: communicator)
    guard communicator.rank == Rank(0) else { return }
    try show(metrics, as: "\(metrics)", inJSON: json)
  }
}

/// This rank's share of all labels of a file, and the file: every line is read before numbers of lines are
/// compared, so that a file with a line that is no label is the one that is named.
///
/// > Collective: over `communicator`. A round of one byte.
func readAllLabels(
  _ path: String, on communicator: some Communicator
) throws -> (share: [Int64], file: LabelFile) {
  try communicator.agree {
    let file = try LabelFile(path: path)
    return (try file.labels(ownShare(of: file.count, on: communicator)), file)
  }
}

/// - Throws: The same on every rank if one file has more labels than the other, with the line that may be a heading.
func requireEqualCounts(_ file: LabelFile, _ other: LabelFile) throws {
  guard file.count != other.count else { return }
  if file.oddity == nil, other.oddity != nil {
    throw AgreedFailure(
      reason: "\(other.miscount(expected: file.count, "as in \(file.path)"))")
  }
  throw AgreedFailure(reason: "\(file.miscount(expected: other.count, "as in \(other.path)"))")
}
