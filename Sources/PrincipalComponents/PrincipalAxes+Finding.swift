public import Communication
public import LinearAlgebra
public import Parallelism

/// Why there are no axes.
public enum PrincipalAxesError: Error, Equatable, CustomStringConvertible {
  case tooManyAxes(count: Int, columnCount: Int)
  /// There cannot be more directions than rows that have one.
  case tooFewRows(count: Int, rowCount: Int, invalidRowCount: Int)
  case tooManyColumns(Int, most: Int)

  public var description: String {
    switch self {
    case .tooManyAxes(let count, let columnCount):
      "\(count) columns cannot be made of \(columnCount)"
    case .tooFewRows(let count, let rowCount, let invalidRowCount):
      "\(count) columns cannot be made of \(rowCount) rows"
        + (invalidRowCount > 0
          ? ", of which \(invalidRowCount) are of zeros or hold NaN or infinite values" : "")
        + "; expected at least as many rows"
    case .tooManyColumns(let count, let most):
      "\(count) columns and at least as many rows; principal axes are found of at most \(most) columns, "
        + "or of at most as many rows"
    }
  }
}

extension PrincipalAxesError {
  /// What forbids axes whatever the rows are; nil if nothing does.
  fileprivate init?(_ count: Int, rowCount: Int, columnCount: Int) {
    if count > columnCount {
      self = .tooManyAxes(count: count, columnCount: columnCount)
    } else if count > rowCount {
      self = .tooFewRows(count: count, rowCount: rowCount, invalidRowCount: 0)
    } else if min(columnCount, rowCount) > OpenBLAS.mostEigenvalues {
      self = .tooManyColumns(columnCount, most: OpenBLAS.mostEigenvalues)
    } else {
      return nil
    }
  }
}

extension PrincipalAxes {
  /// What finding axes consists of.
  public enum Step: String, Sendable {
    /// Sums over the rows of the products of columns.
    case products = "products of columns"
    /// Eigenvectors, on rank 0.
    case axes = "principal axes"
  }

  /// Rows that are read at once: a whole number of them makes up every rank's share but the last one's.
  public static var sliceLength: Int { ColumnProducts.sliceLength }

  /// The rows of a rank: whole slices, which are the same on any number of ranks.
  public static func share(of rowCount: Int, on communicator: some Communicator) -> Range<Int> {
    let sliceCount = (rowCount + sliceLength - 1) / sliceLength
    func bound(_ rank: Int) -> Int {
      min(sliceCount * rank / communicator.size * sliceLength, rowCount)
    }
    return bound(communicator.rank.index)..<bound(communicator.rank.index + 1)
  }

  /// Finds the principal axes of rows of which every rank reads its ``share(of:on:)``.
  ///
  /// Where there are fewer rows than columns, the products of rows are used instead (``RowProducts``).
  ///
  /// The bits do not depend on the number of ranks and threads; on OpenBLAS and its core they do. Axes with
  /// the same share are any basis of what they span, and the library decides which.
  ///
  /// > Collective: over `communicator`. Nine rounds: of a few bytes, but for two in which the products of
  /// > columns, 4 · columns² bytes, go from every rank to their adders and from these to rank 0, and one of
  /// > the axes, 4 · D · columns bytes, from there to every rank. Of fewer rows than columns eight rounds, with
  /// > 4 · rows² bytes to rank 0.
  ///
  /// - Parameters:
  ///   - count: Replicated. D, at least 1.
  ///   - rowCount: Replicated. Of all ranks.
  ///   - columnCount: Replicated.
  ///   - observer: Receives the current work and the share of it that is done, 0 ... 1.
  ///   - text: What to say of a ``PrincipalAxesError``.
  ///   - rows: Reads some rows of the share; any rows, if they are fewer than the columns. Does not
  ///     communicate.
  /// - Throws: The same ``AgreedFailure`` on every rank, with what a ``PrincipalAxesError``, an
  ///   `OpenBLASError` or `rows` says.
  /// - Complexity: 2 · rows · columns² flops, shared by ranks and threads; O(columns³) on one thread of rank 0.
  ///   4 · columns² bytes on every rank, 24 more on rank 0. Of fewer rows than columns in rows instead of
  ///   columns, and ``memoryBytes(_:rowCount:columnCount:isFirst:)`` in any case.
  public init(
    _ count: Int, rowCount: Int, columnCount: Int, using workers: Workers = Workers(),
    on communicator: some Communicator, observer: (Step, Double) -> Void = { _, _ in },
    describing text: (PrincipalAxesError) -> String = { "\($0)" },
    of rows: (Range<Int>) throws -> Matrix
  ) throws {
    precondition(count > 0, "\(count) axes")
    if let error = PrincipalAxesError(count, rowCount: rowCount, columnCount: columnCount) {
      throw AgreedFailure(reason: text(error))
    }
    let library = try communicator.agree { try OpenBLAS.ofOneThread }
    func requireRows(without invalidRowCount: Int) throws {
      guard rowCount - invalidRowCount < count else { return }
      throw AgreedFailure(
        reason: text(
          .tooFewRows(count: count, rowCount: rowCount, invalidRowCount: invalidRowCount)))
    }
    // Of rank 0; the others have none.
    let found: (axes: [Float], shares: [Double], invalidRowCount: Int)
    if rowCount < columnCount {
      found = try RowProducts(
        rowCount: rowCount, columnCount: columnCount, by: library, using: workers
      ).axes(
        count, requiringRows: requireRows, on: communicator, observer: observer, of: rows)
    } else {
      found = try Self.ofColumns(
        columnCount, rowCount: rowCount, count: count, by: library, using: workers,
        requiringRows: requireRows, on: communicator, observer: observer, of: rows)
    }
    self.init(
      axes: Matrix(
        rows: count, columns: columnCount, elements: try communicator.broadcast(found.axes)),
      shares: try communicator.broadcast(found.shares), invalidRowCount: found.invalidRowCount)
  }

  /// The axes from the products of columns.
  ///
  /// > Collective: over `communicator`, as ``init(_:rowCount:columnCount:using:on:observer:describing:of:)``
  /// > but for the broadcasts at its end.
  ///
  /// - Parameter requireRows: Throws, on every rank, if too few rows are left without the given number.
  /// - Returns: On rank 0 the axes and their shares; the number of rows without direction.
  private static func ofColumns(
    _ columnCount: Int, rowCount: Int, count: Int, by library: OpenBLAS, using workers: Workers,
    requiringRows requireRows: (Int) throws -> Void, on communicator: some Communicator,
    observer: (Step, Double) -> Void, of rows: (Range<Int>) throws -> Matrix
  ) throws -> (axes: [Float], shares: [Double], invalidRowCount: Int) {
    var products = ColumnProducts(columnCount: columnCount, rowCount: rowCount)
    let share = share(of: rowCount, on: communicator)
    let ownInvalidCount = try communicator.agree {
      var invalidCount = 0
      for range in share.tiles(of: sliceLength) {
        observer(
          .products, Double(range.lowerBound - share.lowerBound) / Double(share.count))
        var slice = try rows(range)
        invalidCount += slice.makeDirections()
        products.add(slice, by: library, using: workers)
      }
      return invalidCount
    }
    observer(.products, 1)
    let invalidRowCount = try communicator.sum(ownInvalidCount)
    try requireRows(invalidRowCount)
    observer(.axes, 0)
    products.sums = try communicator.sumsOnFirstRank(products.sums)
    let found = try communicator.agree { () throws -> (axes: [Float], shares: [Double]) in
      guard communicator.rank == Rank(0) else { return ([], []) }
      return try solve(products.lowerTriangle, count: count, by: library)
    }
    observer(.axes, 1)
    return (found.axes, found.shares, invalidRowCount)
  }

  /// What finding this number of axes takes on a rank, apart from a part of the rows: not an integer, as it may be
  /// beyond any.
  public static func memoryBytes(
    _ count: Int, rowCount: Int, columnCount: Int, isFirst: Bool
  ) -> Double {
    let side = Double(min(rowCount, columnCount))
    let axes = (isFirst && rowCount < columnCount ? 20 : 8) * Double(count) * Double(columnCount)
    return (isFirst ? 28 : 4) * side * side + axes
  }

  /// The eigenvectors of the greatest eigenvalues.
  ///
  /// - Parameter triangle: The lower one, and the diagonal.
  static func solve(
    _ triangle: consuming DenseMatrix<Double>, count: Int, by library: OpenBLAS
  ) throws(OpenBLASError) -> (axes: [Float], shares: [Double]) {
    let columnCount = triangle.rowCount
    let total = (0..<columnCount).reduce(0.0) { $0 + triangle[$1, $1] }
    let values = try library.eigenvalues(ofSymmetric: &triangle)
    let best = (columnCount - count..<columnCount).reversed()
    var axes = Matrix(
      rows: count, columns: columnCount,
      elements: best.flatMap { row in triangle.row(row).map { Float($0) } })
    axes.fixSigns()
    // What is zero is found as a little more or less.
    return (axes.elements, best.map { max(values[$0], 0) / total })
  }
}

extension OpenBLAS {
  /// The library with LAPACK, on one thread of its own whatever OPENBLAS_NUM_THREADS says: with more it adds in
  /// another order.
  package static var ofOneThread: OpenBLAS {
    get throws(OpenBLASError) {
      let library = try shared
      try library.requireLAPACK()
      library.useThreads(1)
      return library
    }
  }
}

extension Communicator {
  /// The sums of the ranks' values, place by place, on rank 0; none elsewhere.
  ///
  /// > Collective: two rounds; none on one rank. Every rank adds up a share of the places and sends it to rank 0.
  package func sumsOnFirstRank(_ values: [Int64]) throws -> [Int64] {
    guard size > 1 else { return values }
    let counts = (0..<size).map { values.count * ($0 + 1) / size - values.count * $0 / size }
    let count = counts[rank.index]
    let arrived = try exchange(
      Buckets(values: values, counts: counts), receiving: Array(repeating: count, count: size)
    ).values
    var own = Array(arrived[..<count])
    for rank in 1..<size {
      for place in 0..<count { own[place] += arrived[rank * count + place] }
    }
    let isFirst = rank == Rank(0)
    return try exchange(
      Buckets(values: own, counts: [count] + Array(repeating: 0, count: size - 1)),
      receiving: isFirst ? counts : Array(repeating: 0, count: size)
    ).values
  }
}
