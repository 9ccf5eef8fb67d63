public import Communication

/// Writes a text with a line for each of many ids: the id, a tab, and its label.
///
/// The file appears when all ranks have written theirs, or not at all.
///
/// > Collective: five rounds of one byte per rank and one of the file's name, and two of 8 bytes per rank. The lines go
/// > from each rank to the file.
///
/// - Parameters:
///   - ids: Replicated. In the order of the lines, without tabs and line feeds.
///   - owned: This rank's part of them. The parts ascend with the rank.
///   - labels: Those of a range within `owned`, which is asked for twice.
/// - Throws: The same ``AgreedFailure`` on every rank, with what a ``DataError`` says: the file exists and `overwrite`
///   is false, or writing failed on some rank.
/// - Precondition: The parts of all ranks make up the ids, without gap or overlap.
public func writeLabelTable(
  of ids: [[UInt8]], owned: Range<Int>, to path: String, overwrite: Bool,
  on communicator: some Communicator, labels: (Range<Int>) -> [Int64]
) throws {
  try communicator.assertReplicated((count: ids.count, path: path, overwrite: overwrite))
  try requireTiling(
    of: ids.count, first: owned.lowerBound, count: owned.count, rowLength: 1, on: communicator)
  func forEachBlock(_ body: ([UInt8]) throws -> Void) rethrows {
    for first in stride(from: owned.lowerBound, to: owned.upperBound, by: 1 << 17) {
      let block = first..<min(first + 1 << 17, owned.upperBound)
      var text: [UInt8] = []
      for (id, label) in zip(ids[block], labels(block)) { text += id + "\t\(label)\n".utf8 }
      try body(text)
    }
  }
  var byteCount = 0
  forEachBlock { byteCount += $0.count }
  var offset = try communicator.exclusivePrefixSum(byteCount)
  try writeAtomically(
    to: path, header: [], byteCount: try communicator.sum(byteCount), overwrite: overwrite,
    on: communicator
  ) { file in
    try forEachBlock { text in
      try file.write(text, at: offset)
      offset += text.count
    }
  }
}
