import Communication
import Datasets
@unsafe @preconcurrency import Glibc
import GraphCollections

extension GraphCollection {
  /// What was read otherwise than it stands in the files; nil if nothing was.
  var readingNote: String? {
    func count(_ count: Int, _ one: String, _ many: String) -> String? {
      count == 0 ? nil : count == 1 ? "1 \(one)" : "\(count) \(many)"
    }
    let parts = [
      count(ignored.selfLoops, "self loop left out", "self loops left out"),
      count(ignored.duplicates, "repeated edge left out", "repeated edges left out"),
      count(oneWayEdges, "one-way edge made undirected", "one-way edges made undirected"),
    ].compactMap { $0 }
    return parts.isEmpty ? nil : "\(name): " + parts.joined(separator: ", ")
  }

  /// Says ``readingNote`` on stderr, once: for commands without progress.
  func showReadingNote(on communicator: some Communicator) {
    guard communicator.rank == Rank(0), let readingNote else { return }
    unsafe fputs("note: \(readingNote)\n", stderr)
  }
}

/// The files of the collection in a directory; none if there is none, which is reported where it is
/// read.
func collectionFiles(in directory: String) -> [String] {
  let names = (try? fileNames(inDirectory: directory)) ?? []
  let prefixes = names.filter { $0.hasSuffix("_A.txt") }.map { $0.dropLast("A.txt".count) }
  return names.filter { name in
    name.hasSuffix(".txt") && prefixes.contains { name.hasPrefix($0) }
  }.map { "\(directory)/\($0)" }
}
