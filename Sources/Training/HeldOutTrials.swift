internal import Communication

/// How well a choice of training clusters a half of the identities, or both.
protocol HeldOutTrial {
  /// Means over the halves.
  var pairwiseF: Double { get set }
  var bcubedF: Double { get set }
  /// In how many halves of the identities it was scored.
  var halfCount: Int { get set }
}

extension Array where Element: HeldOutTrial {
  /// Of the trials of one choice, each on one half.
  var mean: Element {
    var mean = self[0]
    mean.halfCount = count
    mean.pairwiseF = reduce(0) { $0 + $1.pairwiseF } / Double(count)
    mean.bcubedF = reduce(0) { $0 + $1.bcubedF } / Double(count)
    return mean
  }
}

/// The F of one of some trials, which were dealt to the ranks.
struct PlacedScores: Message {
  var place: Int
  var pairwiseF: Double
  var bcubedF: Double

  /// The scores of trials that do not wait for each other, in their order.
  ///
  /// > Collective: over `communicator`. Two rounds of some bytes per rank.
  ///
  /// - Parameter result: What one rank finds alone.
  static func dealt(
    _ count: Int, on communicator: some Communicator,
    result: (Int) throws -> (pairwiseF: Double, bcubedF: Double)
  ) throws -> [PlacedScores] {
    let own = try communicator.agree {
      try (0..<count).filter { $0 % communicator.size == communicator.rank.index }.map {
        let scores = try result($0)
        return PlacedScores(place: $0, pairwiseF: scores.pairwiseF, bcubedF: scores.bcubedF)
      }
    }
    return try communicator.allGather(own).values.sorted { $0.place < $1.place }
  }
}
