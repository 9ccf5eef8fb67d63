import ArgumentParser
import Communication
import GraphClassification
import GraphCollections
import LinearAlgebra

/// A model and a collection that it can classify.
struct GraphModelOptions: ParsableArguments {
  @Argument(help: "The directory of the collection.")
  var directory: String

  @Option(help: "The model, written by highland graphs train.")
  var model: String

  /// > Collective: over `communicator`. One round of one byte.
  ///
  /// - Parameter needsClasses: Whether the graphs must have classes.
  func read(
    needsClasses: Bool = true, on communicator: some Communicator
  ) throws -> (model: GraphModel, collection: GraphCollection, rows: Matrix) {
    let read = try communicator.agree {
      let model = try GraphModel(path: model)
      let collection = try GraphCollection(
        directory: directory, needsClasses: needsClasses)
      try GraphMemory.require(rowsOf: collection, width: model.encoder.width)
      return (model: model, collection: collection, rows: try model.rows(of: collection))
    }
    read.collection.showReadingNote(on: communicator)
    return read
  }
}
