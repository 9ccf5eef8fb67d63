public import Communication
public import Datasets
internal import DistributedGraphs
public import HierarchicalClustering
internal import LinearAlgebra
internal import Parallelism
internal import RandomNumbers

/// A short summary of a run's input, to detect changes: the shape, and 64 bits of a hash of the contents.
/// It is the same on any number of ranks, and does not protect against deliberate changes.
public struct Fingerprint: Equatable, Sendable, CustomStringConvertible {
  public let description: String

  private init(shape: [Int], _ hash: UInt64) {
    description =
      shape.map(String.init).joined(separator: " × ") + ", hash " + String(hash, radix: 16)
  }

  /// Of rows as they are read, every rank its own.
  ///
  /// > Collective: over `communicator`. Two rounds of a few bytes per rank.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if rows cannot be read.
  public init(of source: some EmbeddingSource, on communicator: some Communicator) throws {
    let count = source.rowCount
    let owned = NodePartition(sharing: count, among: communicator.size)
      .owned(by: communicator.rank)
    let own = try communicator.agree {
      var sum: UInt64 = 0
      for tile in owned.tiles(of: 4096) {
        // Rows whose numbers float32 has no room for are used by their directions.
        let rows = try (try? source.rows(tile)) ?? source.directions(tile).matrix
        for row in 0..<rows.rowCount {
          let bits = rows.row(row).lazy.map { UInt64($0.bitPattern) }
          sum &+= hash(of: bits, startingAt: tile.lowerBound + row)
        }
      }
      return sum
    }
    self.init(shape: [count, source.dimensions], try communicator.allReduce(own, &+))
  }

  /// Of labels that every rank has.
  public init(of labels: [Int64]) {
    self.init(
      shape: [labels.count],
      hash(of: labels.lazy.map { UInt64(bitPattern: $0) }, startingAt: 0))
  }

  /// Of a model.
  public init(of tensors: [Tensor]) {
    var sum: UInt64 = 0
    for tensor in tensors {
      sum = mixed(sum ^ hash(of: tensor.name.utf8.lazy.map { UInt64($0) }, startingAt: 0))
      sum = mixed(
        sum ^ hash(of: tensor.elements.lazy.map { UInt64($0.bitPattern) }, startingAt: 1))
    }
    self.init(shape: [tensors.reduce(0) { $0 + $1.elements.count }], sum)
  }
}

/// A chain of ``mixed(_:)``, every word and its place.
private func hash(of words: some Sequence<UInt64>, startingAt start: Int) -> UInt64 {
  words.reduce(mixed(UInt64(start))) { mixed($0 &+ 0x9E37_79B9_7F4A_7C15 ^ $1) }
}
