internal import Communication
internal import Glibc
public import HierarchicalClustering
public import LinearAlgebra
internal import RandomNumbers

/// Some rows of other embeddings.
public struct EmbeddingSubset<Base: EmbeddingSource>: EmbeddingSource {
  private let base: Base
  /// Replicated. Ascending.
  public let indices: [Int]

  public init(_ base: Base, _ indices: [Int]) {
    self.base = base
    self.indices = indices
  }

  public var name: String { base.name }
  public var rowCount: Int { indices.count }
  public var dimensions: Int { base.dimensions }

  public func rows(_ range: Range<Int>) throws -> Matrix {
    try gathered(range) { try base.rows($0) }
  }

  public func directions(_ range: Range<Int>) throws -> (matrix: Matrix, scaledRows: [Int]) {
    var scaled = Set<Int>()  // by the names of the base
    let rows = try gathered(range) { run in
      let rows = try base.directions(run)
      scaled.formUnion(rows.scaledRows)
      return rows.matrix
    }
    return (rows, range.filter { scaled.contains(indices[$0]) })
  }

  /// Reads runs of consecutive rows at once.
  private func gathered(_ range: Range<Int>, _ read: (Range<Int>) throws -> Matrix) rethrows
    -> Matrix
  {
    var result = Matrix(rows: range.count, columns: dimensions)
    var place = range.lowerBound
    while place < range.upperBound {
      var end = place + 1
      while end < range.upperBound, indices[end] == indices[end - 1] + 1 { end += 1 }
      let run = try read(indices[place]..<indices[end - 1] + 1)
      result.replaceRows(from: place - range.lowerBound, by: run)
      place = end
    }
    return result
  }
}

extension Matrix {
  /// Overwrites consecutive rows.
  fileprivate mutating func replaceRows(from first: Int, by rows: Matrix) {
    precondition(
      rows.columnCount == columnCount && first + rows.rowCount <= rowCount, "rows past the end")
    let width = columnCount
    unsafe rows.withUnsafeBufferPointer { source in
      unsafe withUnsafeMutableBufferPointer { target in
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        unsafe (target + first * width).update(from: source, count: rows.count)
      }
    }
  }
}

/// Points to train on and points to validate on, without a common identity.
public struct IdentitySplit: Equatable, Sendable {
  /// Row indices, ascending.
  public let training: [Int]
  public let validation: [Int]

  /// Only points to validate on.
  init(validation: Range<Int>) {
    training = []
    self.validation = Array(validation)
  }

  private init(training: [Int], validation: [Int]) {
    self.training = training
    self.validation = validation
  }

  /// The same parts in each other's place.
  var exchanged: IdentitySplit { IdentitySplit(training: validation, validation: training) }

  /// Holds some of the identities out, chosen by the seed.
  ///
  /// It splits by identity, never by point, because a network must generalise to identities that it has
  /// not seen.
  ///
  /// - Parameters:
  ///   - labels: One per point.
  ///   - fraction: The share of identities to hold out, rounded to the nearest whole number; at least
  ///     two on either side.
  /// - Throws: ``TrainingDataError`` if there are too few identities for that.
  public init(of labels: [Int64], holdingOut fraction: Double, seed: UInt64) throws {
    let identities = Set(labels).sorted()
    guard fraction > 0 else {
      training = Array(labels.indices)
      validation = []
      return
    }
    guard identities.count >= 4 else {
      throw TrainingDataError.fewIdentities(count: identities.count, needed: 4)
    }
    let count = min(
      max(Int((fraction * Double(identities.count)).rounded()), 2), identities.count - 2)
    var stream = RandomStream(seed: seed, purpose: RandomPurpose.split.rawValue)
    let heldOut = Set(stream.shuffled(identities).prefix(count))
    training = labels.indices.filter { !heldOut.contains(labels[$0]) }
    validation = labels.indices.filter { heldOut.contains(labels[$0]) }
  }
}

/// The purposes of random numbers in training.
enum RandomPurpose: UInt64 {
  case split = 0x7261_696e
  case initial, balance, dropout, rotation, order, selection, mixture, graphOrder,
    grouping
}

/// Labelled data that nothing can be learned from.
public enum TrainingDataError: Error, Equatable, CustomStringConvertible {
  case fewIdentities(count: Int, needed: Int)
  /// Of which part of the data.
  case fewPoints(count: Int, of: String, neighborCount: Int)
  case noPositiveEdges
  case noEdges
  /// No graph of structure has more nodes than k, because points are copies of each other.
  case fewDirections(neighborCount: Int)

  public var description: String {
    switch self {
    case .fewIdentities(1, _):
      "all points have the same label: there is nothing to tell apart"
    case .fewIdentities(let count, let needed):
      "\(count) identities; at least \(needed) are needed to hold some out for validation "
        + "(--validation-fraction 0 holds out none)"
    case .fewPoints(let count, let part, let neighborCount):
      "\(count) \(count == 1 ? "point" : "points") of \(part) identities; expected more than k = "
        + "\(neighborCount)"
    case .noPositiveEdges:
      "no edge of the neighbour graph joins two points of the same label: there is no linkage to "
        + "learn (are the labels those of these rows?)"
    case .fewDirections(let neighborCount):
      "no graph has more than k = \(neighborCount) nodes to learn from; points that are copies of each "
        + "other, or differ only in length, are one node"
    case .noEdges: "the neighbour graph has no edges: no two points have a positive similarity"
    }
  }
}
