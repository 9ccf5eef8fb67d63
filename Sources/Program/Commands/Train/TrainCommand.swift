import ArgumentParser

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model on labelled embeddings.",
    discussion: """
        highland train known.npy known-labels.npy --output model.safetensors
        highland cluster features.npy --model model.safetensors --output labels.npy

      Learns from points with known clusters how to cluster other points of the same kind, whose \
      identities it has never seen. highland cluster takes k and τ from the model. Without the name of a \
      subcommand it is highland train structure.

      With --checkpoint, run the same command to resume a run that was stopped; on the same number of \
      ranks it gives the same bits. After SIGTERM, which batch systems send, it writes a checkpoint and \
      exits with code 75.
      """,
    subcommands: [TrainStructureCommand.self, TrainCoordinatesCommand.self],
    defaultSubcommand: TrainStructureCommand.self)
}
