internal import Datasets
internal import FoundationEssentials
public import GraphCollections

extension GraphSplit {
  /// The folds of a file in the form in which Errica et al. publish theirs: JSON with a test set for each fold, and of
  /// the other graphs those to learn from and those by which settings are chosen.
  ///
  ///     [{"test": [0, 5], "model_selection": [{"train": [1, 2], "validation": [3]}]}, …]
  ///
  /// Graphs count from 0. Every fold has all graphs, each once, and no graph is in two test sets.
  ///
  /// - Throws: `DataError` that names the file, the fold and what was expected.
  public static func read(path: String, graphCount: Int) throws -> [GraphSplit] {
    func error(_ problem: String) -> DataError { DataError(path: path, problem: problem) }
    guard try exists(path) else { throw error("there is no such file") }
    guard (try? fileNames(inDirectory: path)) == nil else {
      throw error("is a directory; expected a file of folds")
    }
    let data: Data
    do { data = try Data(contentsOf: URL(filePath: path)) } catch {
      throw DataError(path: path, problem: "cannot be read")
    }
    guard let folds = try? JSONDecoder().decode([StoredFold].self, from: data), !folds.isEmpty
    else {
      throw error(
        #"expected JSON: [{"test": […], "model_selection": [{"train": […], "validation": […]}]}, …]"#
      )
    }
    /// In which fold each graph is in the test set.
    var foldOfTest: [Int: Int] = [:]
    return try folds.enumerated().map { number, fold in
      guard fold.choices.count == 1 else {
        throw error(
          "fold \(number + 1): \(fold.choices.count) entries of model_selection; expected one")
      }
      let split = GraphSplit(
        train: fold.choices[0].train.sorted(), validation: fold.choices[0].validation.sorted(),
        test: fold.test.sorted())
      var seen = Set<Int>()
      for (name, graphs) in [
        ("test", split.test), ("train", split.train), ("validation", split.validation),
      ] {
        guard !graphs.isEmpty else {
          throw error("fold \(number + 1): no graph in \(name); expected one at least")
        }
        for graph in graphs {
          guard (0..<graphCount).contains(graph) else {
            throw error(
              "fold \(number + 1): graph \(graph) in \(name); expected 0 ... \(graphCount - 1), as graphs count "
                + "from 0")
          }
          guard seen.insert(graph).inserted else {
            throw error(
              "fold \(number + 1): graph \(graph) is named twice, the second time in \(name)")
          }
        }
      }
      if let missing = (0..<graphCount).first(where: { !seen.contains($0) }) {
        throw error(
          "fold \(number + 1): graph \(missing) is in none of test, train and validation; expected all "
            + "\(graphCount) graphs of the collection")
      }
      for graph in split.test {
        if let other = foldOfTest.updateValue(number, forKey: graph) {
          throw error(
            "fold \(number + 1): graph \(graph) in test, as in fold \(other + 1); expected no graph in two "
              + "test sets")
        }
      }
      return split
    }
  }

  private struct StoredFold: Decodable {
    var test: [Int]
    var choices: [Choice]

    struct Choice: Decodable {
      var train: [Int]
      var validation: [Int]
    }

    enum CodingKeys: String, CodingKey {
      case test
      case choices = "model_selection"
    }
  }
}
