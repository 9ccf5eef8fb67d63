internal import CKernels
public import Communication
public import LinearAlgebra

/// A rank's rows in parts, which are the same parts on any number of ranks.
///
/// Sums over the rows of all ranks are made part by part, and the parts' sums are added in the order of
/// the parts' numbers: whichever rank holds a part, the sum has the same bits.
public struct RowParts: Equatable, Sendable {
  /// Owned. The rows of each part of this rank, in the order of its hand.
  public let blocks: RowBlocks
  /// Replicated. The numbers of the parts of each rank, from 0; every part is in one hand. Shape
  /// `[size]`.
  public let hands: [[Int]]

  /// - Precondition: The hands together are the numbers 0 ..< n, each once, and one has as many parts as
  ///   the blocks are.
  public init(_ blocks: RowBlocks, hands: [[Int]]) {
    let numbers = hands.joined().sorted()
    precondition(
      numbers == Array(numbers.indices) && hands.contains { $0.count == blocks.count },
      "\(blocks.count) parts in hands of \(hands.map(\.count))")
    self.blocks = blocks
    self.hands = hands
  }

  /// The rows of one rank that holds them all.
  public init(_ blocks: RowBlocks) {
    self.init(blocks, hands: [Array(0..<blocks.count)])
  }

  /// The same parts in other rows, as those of a pooled graph.
  public func with(_ blocks: RowBlocks) -> RowParts {
    precondition(blocks.count == self.blocks.count, "\(blocks.count) of \(self.blocks.count) parts")
    return RowParts(blocks, hands: hands)
  }
}

/// Sums over rows, of each part by itself.
public struct PartSums<Scalar: RowScalar>: Equatable, Sendable {
  /// Shape `[parts × sums]`.
  public var rows: DenseMatrix<Scalar>
  /// Stretches of the sums that are matrices whose transposes are wanted.
  var turned: [TurnedSums] = []

  public init(_ rows: DenseMatrix<Scalar>) { self.rows = rows }

  /// - Parameter sums: Of some rows; as many of each part.
  init(parts: RowBlocks, _ sums: (_ rows: Range<Int>) -> [Double]) {
    let all = (0..<parts.count).map { sums(parts[$0]) }
    self.init(
      DenseMatrix(
        rows: parts.count, columns: all.first?.count ?? sums(0..<0).count,
        elements: all.joined().map { Scalar($0) }))
  }

  /// The sums over all of these parts, added in their order in double precision.
  public var totals: [Double] { turnedBack(Scalar.sumsOfRows(rows)) }

  /// The sums over the parts of all ranks, added in the order of their numbers in double precision: the same
  /// bits on every rank, and on any number of ranks.
  ///
  /// > Collective: over `communicator`. Of few sums one round, in which every rank gets all parts'; of more
  /// > three, in which a rank adds up a share of the places, as ``Communicator/sums(_:)-([Float])``. A scalar
  /// > per part and sum, not per rank and sum, is what is sent. None on one rank.
  public func totals(over parts: RowParts, on communicator: some Communicator) throws -> [Double] {
    let hands = parts.hands
    precondition(
      hands.count == communicator.size
        && hands[communicator.rank.index].count == rows.rowCount,
      "sums of \(rows.rowCount) parts in hands of \(hands.map(\.count))")
    guard communicator.size > 1 else { return totals }
    let (size, count) = (communicator.size, rows.columnCount)
    let isShared = count > Self.mostSumsForAll
    let shares = (0..<size).map { rank in
      isShared ? count * rank / size..<count * (rank + 1) / size : 0..<count
    }
    var outgoing: [Scalar] = []
    outgoing.reserveCapacity(rows.rowCount * shares.reduce(0) { $0 + $1.count })
    for share in shares {
      for part in 0..<rows.rowCount {
        rows.append(share, ofRow: part, to: &outgoing)
      }
    }
    let own = shares[communicator.rank.index].count
    let arrived = try communicator.exchange(
      Buckets(values: outgoing, counts: shares.map { rows.rowCount * $0.count }),
      receiving: hands.map { $0.count * own }
    ).values
    // The row of each part, by its number.
    var place = Array(repeating: 0, count: hands.reduce(0) { $0 + $1.count })
    for (row, number) in hands.joined().enumerated() { place[number] = row }
    var ordered: [Scalar] = []
    ordered.reserveCapacity(arrived.count)
    for row in place { ordered += arrived[row * own..<(row + 1) * own] }
    let sums = Scalar.sumsOfRows(
      DenseMatrix(rows: place.count, columns: own, elements: ordered))
    return turnedBack(isShared ? try communicator.allGather(sums).values : sums)
  }

  /// Up to this number of sums, saving a round is worth more than the bytes.
  private static var mostSumsForAll: Int { 128 }

  private func turnedBack(_ sums: [Double]) -> [Double] {
    var sums = sums
    for matrix in turned { matrix.transpose(in: &sums) }
    return sums
  }
}

/// A matrix `[rows × columns]` among sums, from a place on.
struct TurnedSums: Equatable, Sendable {
  var first: Int
  var rows: Int
  var columns: Int

  func transpose(in sums: inout [Double]) {
    let matrix = Array(sums[first..<first + rows * columns])
    for row in 0..<rows {
      for column in 0..<columns {
        sums[first + column * rows + row] = matrix[row * columns + column]
      }
    }
  }
}

extension DenseMatrix {
  @specialized(where Scalar == Float)
  fileprivate func append(_ columns: Range<Int>, ofRow row: Int, to values: inout [Scalar]) {
    let first = row * columnCount
    unsafe withUnsafeBufferPointer {
      unsafe values.append(
        contentsOf: $0[first + columns.lowerBound..<first + columns.upperBound])
    }
  }
}

extension Float {
  public static func sumsOfRows(_ x: Matrix) -> [Double] {
    let (rows, width) = (x.rowCount, x.columnCount)
    return unsafe Array(unsafeUninitializedCapacity: width) { sums, initializedCount in
      unsafe x.withUnsafeBufferPointer { x in
        guard let target = sums.baseAddress else { return }
        unsafe target.initialize(repeating: 0, count: width)
        guard let source = x.baseAddress, rows > 0, width > 0 else { return }
        unsafe highland_sum_rows_to_double(source, rows, width, target)
      }
      initializedCount = width
    }
  }
}

extension Double {
  public static func sumsOfRows(_ x: DenseMatrix<Double>) -> [Double] {
    (0..<x.columnCount).map { column in
      (0..<x.rowCount).reduce(0.0) { $0 + x[$1, column] }
    }
  }
}
