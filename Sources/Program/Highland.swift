import ArgumentParser
import CHighland

/// The program's version, in reports and files.
let highlandVersion = HIGHLAND_VERSION

struct Highland: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "highland",
    abstract: "Learned hierarchical clustering of embeddings, on one machine or many.",
    discussion: """
        highland cluster features.npy --output labels.npy
        highland train known.npy known-labels.npy --output model.safetensors
        mpirun -n 16 highland cluster features.npy --output labels.npy

      Clusters millions of embeddings in an unknown number of groups: by the flow of a random walk \
      on the nearest-neighbour graph, or by a graph neural network, which judges every edge of that \
      graph; connected nodes merge into the nodes of a coarser graph; this repeats until nothing merges.

      Every command runs alone or on many ranks. All but train give the same result, bit for bit.

      Exit codes: 0 success; 1 failure (one line on stderr says what and where); 64 wrong usage; \
      69 a rank has stopped; 71 out of memory; 75 interrupted: run the same command again, which \
      resumes from a checkpoint if there is one.
      """,
    version: highlandVersion,
    subcommands: [
      TrainCommand.self, ClusterCommand.self, AssignCommand.self, UpdateCommand.self,
      TreeCommand.self,
      CutCommand.self, DiarizeCommand.self,
      NeighborsCommand.self,
      ComponentsCommand.self, EvaluateCommand.self, CompareCommand.self, BenchmarkCommand.self,
      ReportCommand.self,
      GenerateCommand.self, ConvertCommand.self, TransformCommand.self,
      PlanCommand.self, InfoCommand.self, GraphsCommand.self, CompletionCommand.self,
    ])
}
