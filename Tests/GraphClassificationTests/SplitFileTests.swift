import Communication
import Datasets
import Foundation
import GraphClassification
import GraphCollections
import Testing

/// Folds in a file, in the form of published ones.
@Suite struct SplitFileTests {
  private func read(_ text: String, graphCount: Int = 6) throws -> [GraphSplit] {
    let path = NSTemporaryDirectory() + "/splits-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    do {
      return try GraphSplit.read(path: path, graphCount: graphCount)
    } catch let error as DataError {
      throw Problem(text: error.problem)
    }
  }

  private struct Problem: Error, Equatable {
    let text: String
  }

  private func fold(_ test: String, _ train: String, _ validation: String) -> String {
    #"{"test": [\#(test)], "model_selection": [{"train": [\#(train)], "validation": [\#(validation)]}]}"#
  }

  @Test func foldsAreRead() throws {
    let found = try read("[\(fold("5, 0", "4, 1, 2", "3")), \(fold("1", "0, 5, 3, 4", "2"))]")
    #expect(
      found == [
        GraphSplit(train: [1, 2, 4], validation: [3], test: [0, 5]),
        GraphSplit(train: [0, 3, 4, 5], validation: [2], test: [1]),
      ])
  }

  @Test func faultsAreNamed() throws {
    let form =
      #"expected JSON: [{"test": […], "model_selection": [{"train": […], "validation": […]}]}, …]"#
    for (text, problem) in [
      ("", form), ("[]", form), ("[[0], [1]]", form),
      (
        #"[{"test": [0], "model_selection": []}]"#,
        "fold 1: 0 entries of model_selection; expected one"
      ),
      (
        "[\(fold("0", "1, 3, 4, 5", "2")), \(fold("6", "1", "2"))]",
        "fold 2: graph 6 in test; expected 0 ... 5, as graphs count from 0"
      ),
      (
        "[\(fold("0", "1, 2", "2"))]",
        "fold 1: graph 2 is named twice, the second time in validation"
      ),
      ("[\(fold("0", "1", ""))]", "fold 1: no graph in validation; expected one at least"),
      (
        "[\(fold("0", "1, 3, 4, 5", "2")), \(fold("1", "0, 2, 3", "5"))]",
        "fold 2: graph 4 is in none of test, train and validation; expected all 6 graphs of the collection"
      ),
      (
        "[\(fold("0, 3", "1, 4, 5", "2")), \(fold("1, 3", "0, 2, 4", "5"))]",
        "fold 2: graph 3 in test, as in fold 1; expected no graph in two test sets"
      ),
    ] as [(String, String)] {
      #expect(throws: Problem(text: problem)) { try read(text) }
    }
  }

  @Test func aFileThatIsNotThereIsSaidToBeMissing() throws {
    let directory = NSTemporaryDirectory()
    let missing = directory + "/splits-\(UUID().uuidString).json"
    #expect(throws: DataError(path: missing, problem: "there is no such file")) {
      try GraphSplit.read(path: missing, graphCount: 6)
    }
    #expect(
      throws: DataError(path: directory, problem: "is a directory; expected a file of folds")
    ) {
      try GraphSplit.read(path: directory, graphCount: 6)
    }
  }

  @Test func aBenchmarkTakesThem() throws {
    let collection = smallCollection()
    var training = GraphTrainingOptions()
    training.epochCount = 2
    training.batchSize = 16
    training.selection = .accuracy
    var benchmark = GraphBenchmark(
      settings: [GraphTrialPlan(kind: .baseline, hidden: 8, columns: [.degree], training: training)]
    )
    benchmark.repeatCount = 1
    benchmark.foldCount = 2
    let count = collection.graphCount
    func split(test: Range<Int>, validation: Int) -> GraphSplit {
      GraphSplit(
        train: (0..<count).filter { !test.contains($0) && $0 != validation },
        validation: [validation], test: Array(test))
    }
    benchmark.splits = [split(test: 0..<4, validation: 9), split(test: 4..<8, validation: 9)]
    let alone = try benchmark.run(on: collection, on: SingleRank())
    #expect(alone.count == 2)
    // One graph to choose by, and four to test on.
    #expect(alone.allSatisfy { [0, 1].contains($0.validation[0]) })
    #expect(alone.allSatisfy { (4 * $0.test[0]).truncatingRemainder(dividingBy: 1) == 0 })
    let many = try ThreadCommunicator.run(ranks: 3) { [benchmark] in
      try benchmark.run(on: collection, on: $0)
    }
    #expect(many.allSatisfy { $0 == alone })
  }
}
