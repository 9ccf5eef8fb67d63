public import Communication

/// One of several pieces of the ghosts, whose rows travel and are used one piece after the other.
///
/// A piece holds its share of every pair of ranks, so both sides know it without communication.
public struct GhostPiece: Sendable {
  /// Owned. For every rank, the boundary nodes that are its ghosts of this piece.
  public let boundary: Buckets<LocalNode>
  /// Local. How many ghosts of the piece each rank owns. Shape `[size]`.
  public let counts: [Int]
  /// Local. The ghosts of the piece, as indices into ``Halo/ghosts``, ascending.
  public let members: [Int]
}

extension Halo {
  /// - Parameters:
  ///   - index, count: Replicated. Which piece of how many.
  public func piece(_ index: Int, of count: Int) -> GhostPiece {
    precondition((0..<count).contains(index), "piece \(index) of \(count)")
    func share(_ range: Range<Int>) -> Range<Int> {
      let first = range.lowerBound + range.count * index / count
      return first..<range.lowerBound + range.count * (index + 1) / count
    }
    let leaving = boundary.counts.indices.map {
      share(boundary.offsets[$0]..<boundary.offsets[$0 + 1])
    }
    var first = 0
    var arriving: [Range<Int>] = []
    for count in ghostCounts {
      arriving.append(share(first..<first + count))
      first += count
    }
    return GhostPiece(
      boundary: Buckets(
        values: leaving.flatMap { boundary.values[$0] }, counts: leaving.map(\.count)),
      counts: arriving.map(\.count), members: arriving.flatMap { $0 })
  }

  /// As many pieces, up to sixteen, that none has much more than 4 MiB; none on one rank.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank.
  ///
  /// - Parameter rowByteCount: Replicated. What travels of a ghost.
  public func pieces(
    rowByteCount: Int, on communicator: some Communicator
  ) throws -> some Sequence<GhostPiece> {
    let bytes = max(ghostCount, boundary.values.count) * rowByteCount
    let count =
      communicator.size == 1
      ? 0 : try communicator.maximum(min(Self.largestPieceCount, bytes / Self.pieceByteCount + 1))
    return (0..<count).lazy.map { piece($0, of: count) }
  }

  /// The place of every ghost among the members of a piece, −1 for those of other pieces. Shape `[ghostCount]`.
  package func places(in piece: GhostPiece) -> [Int32] {
    var places = Array(repeating: Int32(-1), count: ghostCount)
    for (place, ghost) in piece.members.enumerated() { places[ghost] = Int32(place) }
    return places
  }

  /// Every piece is a pass over the edges.
  package static let largestPieceCount = 16
  /// What ghosts' rows of a piece take, about, unless pieces are most already.
  static let pieceByteCount = 1 << 22
}
