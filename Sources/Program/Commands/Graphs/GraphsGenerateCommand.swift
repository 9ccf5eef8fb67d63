import ArgumentParser
import Communication
import Datasets
import GraphCollections
import MPICommunication

struct GraphsGenerateCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make graphs whose class depends on how their parts are arranged, for trials.",
    discussion: """
        highland graphs generate --output rings/

      Makes rings of wheels and ladders, with equal numbers of both. In class 0 each kind forms one \
      run, in class 1 the kinds alternate. Neither nodes nor motifs tell the classes apart, only which \
      motifs are neighbours. The directory will hold a collection in TUDataset format.
      """)

  @Option(help: "The number of graphs in both classes together.")
  var graphs = 400

  @Option(help: "The minimum nodes in a motif.")
  var smallestMotif = 6

  @Option(help: "The maximum nodes in a motif.")
  var largestMotif = 10

  @Option(help: "The minimum motifs of each kind in a graph.")
  var fewestMotifs = 3

  @Option(help: "The maximum motifs of each kind in a graph.")
  var mostMotifs = 5

  @Option(help: "The seed of the random numbers.")
  var seed: UInt64 = 0

  @Option(name: .shortAndLong, help: "The directory to write.")
  var output: String

  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    guard (2...1_000_000).contains(graphs) else {
      throw ValidationError("--graphs \(graphs): expected 2 ... 1000000")
    }
    guard smallestMotif >= 4, smallestMotif <= largestMotif, largestMotif <= 10_000 else {
      throw ValidationError(
        "--smallest-motif \(smallestMotif) and --largest-motif \(largestMotif): expected 4 ... 10000, "
          + "ascending")
    }
    guard fewestMotifs >= 2, fewestMotifs <= mostMotifs, mostMotifs <= 10_000 else {
      throw ValidationError(
        "--fewest-motifs \(fewestMotifs) and --most-motifs \(mostMotifs): expected 2 ... 10000, ascending"
      )
    }
    // The graphs are made in memory.
    let nodeCount = graphs * 2 * mostMotifs * largestMotif
    guard nodeCount <= 200_000_000 else {
      throw ValidationError(
        "--graphs \(graphs), --most-motifs \(mostMotifs), --largest-motif \(largestMotif): up to "
          + "\(nodeCount) nodes; expected at most 200000000")
    }
  }

  func run(on communicator: MPICommunicator) throws {
    let task = MotifTask(
      graphCount: graphs, motifSizes: smallestMotif...largestMotif,
      motifsPerKind: fewestMotifs...mostMotifs, seed: seed)
    try writeDirectory(
      to: output, marker: "MOTIFS_A.txt", overwrite: outputs.overwrite, on: communicator
    ) { directory in
      try communicator.agree {
        guard communicator.rank == Rank(0) else { return }
        try task.collection(name: "MOTIFS").write(toDirectory: directory)
      }
    }
    guard communicator.rank == Rank(0) else { return }
    print("\(graphs) graphs in \(output)")
  }
}
