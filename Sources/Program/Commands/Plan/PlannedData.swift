import ArgumentParser
import HierarchicalClustering

/// What a plan takes the data to be, where it cannot know.
struct PlannedDataOptions: ParsableArguments {
  @Option(
    name: .customLong("apart"),
    help: ArgumentHelp(
      "Of the nodes of level 0, 1, … the share that stays apart, such as 0.1,0.6; the next level merges nothing.",
      discussion: "Default: 0.08,0.65, as generated points have."))
  var givenApart: Shares?

  @Option(
    name: .customLong("cut"),
    help: ArgumentHelp(
      "Of the edges of level 0 those between ranks, by those that there would be if ranks owned points by chance.",
      discussion: "Default: 0.03. The report of a run has the edges and the cut ones."))
  var givenCut: Double?

  @Option(name: .customLong("trials"), help: "Thresholds that are tried to choose τ. Default: 3.")
  var givenTrials: Int?

  @Flag(
    help:
      "A few cells hold few of the neighbours of a point at level 0: more and larger cells are searched."
  )
  var diffuse = false

  @Option(
    name: .customLong("partitions"),
    help: """
      Partitions of an approximate search at level 0, in 1 ... 16. Default: 2, or with --diffuse what the recall takes.
      """)
  var givenPartitions: Int?

  /// Shares of nodes.
  struct Shares: ExpressibleByArgument {
    let values: [Double]

    init?(argument: String) {
      let values = argument.split(separator: ",", omittingEmptySubsequences: false).map {
        Double($0)
      }
      guard values.allSatisfy({ $0.map { $0 > 0 && $0 <= 1 } ?? false }) else { return nil }
      self.values = values.map { $0! }
    }
  }

  func validate() throws {
    if let givenCut, !(0...1).contains(givenCut) {
      throw ValidationError("--cut \(givenCut): expected 0 ... 1")
    }
    if let givenTrials, !(1...14).contains(givenTrials) {
      throw ValidationError("--trials \(givenTrials): expected 1 ... 14")
    }
    if let givenPartitions, !(1...16).contains(givenPartitions) {
      throw ValidationError("--partitions \(givenPartitions): expected 1 ... 16")
    }
  }

  /// Those of clustering that are given.
  var namesOfClustering: [String] {
    [
      (givenApart != nil, "--apart"), (givenCut != nil, "--cut"), (givenTrials != nil, "--trials"),
    ].filter(\.0).map(\.1)
  }

  /// Those of an approximate search that are given.
  var namesOfSearch: [String] {
    [(diffuse, "--diffuse"), (givenPartitions != nil, "--partitions")].filter(\.0).map(\.1)
  }

  var expected: ExpectedData {
    var data = ExpectedData()
    if let givenApart { data.sharesApart = givenApart.values }
    if let givenCut { data.cutByChance = givenCut }
    if let givenTrials { data.trialCount = givenTrials }
    data.isDiffuse = diffuse
    data.partitionCount = givenPartitions
    return data
  }
}
