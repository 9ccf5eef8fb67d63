public import Communication
public import LinearAlgebra
public import Parallelism
internal import PrincipalComponents

/// Why no transform can be learned.
public enum DiscriminantTransformError: Error, Equatable, CustomStringConvertible {
  case tooManyAxes(count: Int, columnCount: Int)
  case tooFewClasses(Int)
  case tooManyColumns(Int, most: Int)
  case noSpread

  public var description: String {
    switch self {
    case .tooManyAxes(let count, let columnCount):
      "\(count) columns cannot be made of \(columnCount)"
    case .tooFewClasses(let count):
      "\(count == 0 ? "no class has" : "one class has") two rows or more with a direction; expected at "
        + "least two such classes"
    case .tooManyColumns(let count, let most):
      "\(count) columns; a transform is learned of at most \(most)"
    case .noSpread:
      "the rows of each class all have the same direction; expected classes whose rows differ"
    }
  }
}

extension DiscriminantTransform {
  /// What learning consists of.
  public enum Step: String, Sendable {
    /// Sums over rows of products of columns, within classes and between them.
    case products = "products of columns"
    /// Axes for each setting that is tried, on rank 0.
    case axes
  }

  /// Learns a transform from labelled rows, with the settings that leave the least equal error rate on classes
  /// that were held out: each half of the classes, every other one, is judged by what the other half tells.
  ///
  /// The bits do not depend on the number of ranks and threads; on OpenBLAS and its core they do.
  ///
  /// > Collective: over `communicator`. Ten rounds: of a few bytes, but for two in which the products of
  /// > columns, 16 · columns² bytes, go from every rank to their adders and from these to rank 0, and one of
  /// > the axes, 4 · D · columns bytes, from there to every rank.
  ///
  /// - Parameters:
  ///   - count: Replicated. D, at least 1; all columns if nil.
  ///   - columnCount: Replicated.
  ///   - settings: Replicated. Those to learn with; nil to try all.
  ///   - observer: Receives the current work and the share of it that is done, 0 ... 1.
  ///   - text: What to say of a ``DiscriminantTransformError``.
  ///   - rows: Reads any consecutive rows, each up to a positive factor. Does not communicate.
  /// - Throws: The same ``AgreedFailure`` on every rank, with what a ``DiscriminantTransformError``, an
  ///   `OpenBLASError` or `rows` says.
  /// - Complexity: 2 · rows · columns² flops, shared by ranks and threads. On rank 0 O(columns³) for each of nine
  ///   pairs of halves and shrinkages, and 4 · 10⁸ · D flops of comparing held-out rows.
  ///   48 · columns² bytes on every rank, 60 more on rank 0.
  public static func fit(
    _ count: Int?, to labels: LabelledRows, columnCount: Int, by settings: TransformSettings? = nil,
    using workers: Workers = Workers(), on communicator: some Communicator,
    observer: (Step, Double) -> Void = { _, _ in },
    describing text: (DiscriminantTransformError) -> String = { "\($0)" },
    reading rows: (Range<Int>) throws -> Matrix
  ) throws -> (transform: DiscriminantTransform, account: TransformAccount) {
    func failure(_ error: DiscriminantTransformError) -> AgreedFailure {
      AgreedFailure(reason: text(error))
    }
    let count = count ?? columnCount
    precondition(count > 0, "\(count) axes")
    guard count <= columnCount else {
      throw failure(.tooManyAxes(count: count, columnCount: columnCount))
    }
    guard columnCount <= OpenBLAS.mostEigenvalues else {
      throw failure(.tooManyColumns(columnCount, most: OpenBLAS.mostEigenvalues))
    }
    guard labels.classes.count > 1 else { throw failure(.tooFewClasses(labels.classes.count)) }
    let library = try communicator.agree { try OpenBLAS.ofOneThread }
    var halves = Array(
      repeating: ClassScatter(columnCount: columnCount, rowCount: labels.rows.count), count: 2)
    let parts = labels.parts
    let own = Array(stride(from: communicator.rank.index, to: parts.count, by: communicator.size))
    try communicator.agree {
      for (place, part) in own.enumerated() {
        observer(.products, Double(place) / Double(own.count))
        for half in 0..<2 {
          try halves[half].add(
            parts[part].filter { $0 % 2 == half }, of: labels, by: library, using: workers,
            reading: rows)
        }
      }
    }
    observer(.products, 1)
    observer(.axes, 0)
    let sums = try communicator.sumsOnFirstRank(halves.flatMap(\.integers))
    let found = try communicator.agree { () throws -> (Self, TransformAccount)? in
      guard communicator.rank == Rank(0) else { return nil }
      for half in 0..<2 {
        let length = sums.count / 2
        halves[half].integers = Array(sums[half * length..<(half + 1) * length])
      }
      do {
        return try Fitting(
          halves: halves, labels: labels, count: count, settings: settings, library: library,
          workers: workers
        ).result(reading: rows) { observer(.axes, $0) }
      } catch let error as DiscriminantTransformError {
        throw failure(error)
      }
    }
    observer(.axes, 1)
    let center = try communicator.broadcast(found?.0.center ?? [])
    let axes = try communicator.broadcast(found?.0.axes.elements ?? [])
    let account = try communicator.broadcast(found.map { [$0.1] } ?? [])
    return (
      Self(center: center, axes: Matrix(rows: count, columns: columnCount, elements: axes)),
      account[0]
    )
  }

  /// What learning takes on a rank, apart from some rows: not an integer, as it may be beyond any.
  public static func memoryBytes(columnCount: Int, isFirst: Bool) -> Double {
    (isFirst ? 108 : 48) * Double(columnCount) * Double(columnCount)
  }
}
