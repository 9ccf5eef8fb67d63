import ArgumentParser

struct GraphsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graphs",
    abstract: "Classify whole graphs: collections in TUDataset format.",
    discussion: """
        highland graphs info PROTEINS/
        highland graphs train PROTEINS/ --folds 10

      A collection is a directory of text files: edges, the graph of each node, the class of each \
      graph, and optionally labels and attributes of nodes and edges (Docs/Formats.md).
      """,
    subcommands: [
      GraphsInfoCommand.self, GraphsTrainCommand.self, GraphsEvaluateCommand.self,
      GraphsPredictCommand.self, GraphsGenerateCommand.self, GraphsBenchmarkCommand.self,
    ])
}
