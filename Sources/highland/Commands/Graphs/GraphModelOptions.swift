import ArgumentParser
import Communication
import GraphClassification
import GraphCollections
import LinearAlgebra

/// A model and a collection that it can classify.
struct GraphModelOptions: ParsableArguments {
  @Argument(help: "The directory of the collection.")
  var directory: String

  @Option(help: "The model, as highland graphs train writes it.")
  var model: String

  /// > Collective: over `communicator`. One round of one byte.
  func read(
    on communicator: some Communicator
  ) throws -> (model: GraphModel, collection: GraphCollection, rows: Matrix) {
    try communicator.agree {
      let model = try GraphModel(path: model)
      let collection = try GraphCollection(directory: directory)
      return (model, collection, try model.rows(of: collection))
    }
  }
}
