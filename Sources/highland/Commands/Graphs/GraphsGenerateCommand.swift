import ArgumentParser
import Communication
import Datasets
import GraphCollections
import MPICommunication

struct GraphsGenerateCommand: RankedCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make graphs whose class is in the arrangement of their parts, for trials.",
    discussion: """
      Rings of wheels and ladders, as many of one kind as of the other. In class 0 the kinds lie in \
      two runs, in class 1 they alternate: neither nodes nor motifs, only which motifs are \
      neighbours tells the classes apart. The directory holds a collection in TUDataset format.
      """)

  @Option(help: "Graphs of both classes together.")
  var graphs = 400

  @Option(help: "The fewest nodes of a motif.")
  var smallestMotif = 6

  @Option(help: "The most nodes of a motif.")
  var largestMotif = 10

  @Option(help: "The fewest motifs of each kind in a graph.")
  var fewestMotifs = 3

  @Option(help: "The most motifs of each kind in a graph.")
  var mostMotifs = 5

  @Option(help: "Another seed, other graphs.")
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
        "motifs of \(smallestMotif) to \(largestMotif) nodes: expected 4 ... 10000, ascending")
    }
    guard fewestMotifs >= 2, fewestMotifs <= mostMotifs, mostMotifs <= 10_000 else {
      throw ValidationError(
        "\(fewestMotifs) to \(mostMotifs) motifs of a kind: expected 2 ... 10000, ascending")
    }
    // The graphs are made in memory.
    let nodeCount = graphs * 2 * mostMotifs * largestMotif
    guard nodeCount <= 200_000_000 else {
      throw ValidationError(
        "up to \(nodeCount) nodes of \(graphs) graphs: expected at most 200000000")
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
