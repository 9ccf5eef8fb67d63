internal import COpenBLAS
internal import Glibc
internal import Synchronization

/// OpenBLAS at the speed of the machine, if it is installed.
///
/// While it is being loaded, the library chooses its kernels by the model of the processor. One that
/// is older than the processor may not know the model and falls back, silently, to slower kernels
/// (0.3.21 takes SSE3 kernels on Emerald Rapids: a fifth of the speed of those for AVX-512). So the
/// choice is compared with the processor's features, and if it is below them the library is loaded
/// again with the environment variable `OPENBLAS_CORETYPE` naming a core that uses them. This also
/// corrects a value of the variable that was right for another machine. To insist on a core, set
/// `HIGHLAND_OPENBLAS_CORETYPE`; the report shows it.
///
/// Labels and training use Highland's own products, whose bits depend on no library. OpenBLAS is for
/// eigenvectors, for products of one fixed shape, and for comparison. Products may run on several
/// threads at the same time.
public final class OpenBLAS: Sendable {
  public let report: Report
  private let library: OpenBLASLibrary

  /// The library that was loaded, as shown by `highland info`.
  public struct Report: Hashable, Sendable, CustomStringConvertible {
    /// The library's own account of itself, beginning with its name and version.
    public var configuration: String
    /// The core that the library chose at first, or the user.
    public var chosenCore: String
    /// Whether `HIGHLAND_OPENBLAS_CORETYPE` was set, which rules out a repair.
    public var isUsersChoice: Bool
    /// The core that is in use.
    public var core: String
    public var threadCount: Int

    public init(
      configuration: String, chosenCore: String, isUsersChoice: Bool = false, core: String,
      threadCount: Int
    ) {
      self.configuration = configuration
      self.chosenCore = chosenCore
      self.isUsersChoice = isUsersChoice
      self.core = core
      self.threadCount = threadCount
    }

    /// Whether the library's choice was below the processor and has been replaced.
    public var isRepaired: Bool { chosenCore != core }

    /// Whether the core in use is known to be slower than the processor allows.
    public var isBelowProcessor: Bool {
      guard let possible = InstructionSet.ofProcessor, let used = InstructionSet(core: core) else {
        return false
      }
      return used < possible
    }

    public var description: String {
      let version = configuration.split(separator: " ").prefix(2).joined(separator: " ")
      let origin =
        isUsersChoice
        ? " by HIGHLAND_OPENBLAS_CORETYPE" : isRepaired ? " instead of \(chosenCore)" : ""
      let warning = isBelowProcessor ? " (below the processor)" : ""
      let threads = "\(threadCount) thread\(threadCount == 1 ? "" : "s")"
      return "\(version), core \(core)\(origin)\(warning), \(threads)"
    }
  }

  private static let loaded = Result { () throws(OpenBLASError) in try OpenBLAS() }

  /// The library of this process, loaded at the first request.
  ///
  /// Loading changes the environment for a moment, so make the first request before starting other threads
  /// that read the environment.
  public static var shared: OpenBLAS {
    get throws(OpenBLASError) { try loaded.get() }
  }

  /// A separate load, for benchmarks and tests; use ``shared`` elsewhere.
  ///
  /// While another one is alive both are the same copy, with the core and threads of the first.
  ///
  /// - Parameter repairs: Whether a core that is below the processor is replaced.
  public convenience init(repairs: Bool = true) throws(OpenBLASError) {
    try self.init(files: ["libopenblas.so.0", "libopenblas.so"], repairs: repairs)
  }

  /// - Parameter mistaken: The core that the first load is made to choose, as if by mistake.
  package init(
    files: [String], repairs: Bool = true, choosing mistaken: String? = nil
  ) throws(OpenBLASError) {
    (library, report) = try Self.loading.withLock { _ throws(OpenBLASError) in
      try Self.load(files: files, repairs: repairs, choosing: mistaken)
    }
  }

  deinit { Self.loading.withLock { _ in library.unload() } }

  private static let loading = Mutex(())

  private static func load(
    files: [String], repairs: Bool, choosing mistaken: String?
  ) throws(OpenBLASError) -> (OpenBLASLibrary, Report) {
    let insisted = unsafe getenv("HIGHLAND_OPENBLAS_CORETYPE").map { unsafe String(cString: $0) }
    let first = insisted ?? mistaken
    var library = try OpenBLASLibrary(anyOf: files, core: first)
    let chosen = library.core
    if repairs, insisted == nil, let better = core(insteadOf: chosen) {
      library.unload()
      library = try OpenBLASLibrary(anyOf: files, core: better)
      // A library that was built without such kernels falls back further than by its own choice.
      if InstructionSet(core: library.core) ?? .sse3 < InstructionSet(core: chosen) ?? .sse3 {
        library.unload()
        library = try OpenBLASLibrary(anyOf: files, core: first)
      }
    }
    let report = Report(
      configuration: library.configuration, chosenCore: chosen, isUsersChoice: insisted != nil,
      core: library.core, threadCount: library.threadCount)
    return (library, report)
  }

  /// The core to ask for if the chosen one is known to be below the processor.
  private static func core(insteadOf chosen: String) -> String? {
    guard let possible = InstructionSet.ofProcessor, let found = InstructionSet(core: chosen),
      found < possible
    else { return nil }
    return possible.oldestCore
  }

  /// C = op(A) · op(B), where op is the transpose if that is asked for.
  ///
  /// - Parameters:
  ///   - a: Shape `[m × k]`, or `[k × m]` if `transposingA`.
  ///   - b: Shape `[k × n]`, or `[n × k]` if `transposingB`.
  ///   - c: Overwritten. Shape `[m × n]`.
  public func multiply(
    _ a: Matrix, transposingA: Bool = false, _ b: Matrix, transposingB: Bool = false,
    into c: inout Matrix
  ) {
    let (m, depth) = transposingA ? (a.columnCount, a.rowCount) : (a.rowCount, a.columnCount)
    let (k, n) = transposingB ? (b.columnCount, b.rowCount) : (b.rowCount, b.columnCount)
    precondition(
      depth == k && c.rowCount == m && c.columnCount == n,
      "[\(m) × \(depth)] by [\(k) × \(n)] into [\(c.rowCount) × \(c.columnCount)]")
    unsafe a.withUnsafeBufferPointer { left in
      unsafe b.withUnsafeBufferPointer { right in
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe library.multiply(
            left.baseAddress!, stride: a.columnCount, transposingA: transposingA,
            right.baseAddress!, stride: b.columnCount, transposingB: transposingB,
            into: c.baseAddress!, m: m, n: n, k: k)
        }
      }
    }
  }

  /// C = A₁ᵀ · A₂, where A₁ is a block of columns of A and A₂ are the columns from its first one on.
  ///
  /// With one thread the bits depend on the shapes, the library and its core alone.
  ///
  /// - Parameters:
  ///   - c: Overwritten from its start on, row after row. At least `block.count` times the columns of A₂.
  package func multiplyColumns(_ block: Range<Int>, of a: Matrix, into c: inout Matrix) {
    let width = a.columnCount - block.lowerBound
    precondition(
      block.lowerBound >= 0 && block.upperBound <= a.columnCount && block.count * width <= c.count,
      "columns \(block) of \(a.columnCount) into \(c.count) elements")
    unsafe a.withUnsafeBufferPointer { left in
      unsafe c.withUnsafeMutableBufferPointer { c in
        let first = unsafe left.baseAddress! + block.lowerBound
        unsafe library.multiply(
          first, stride: a.columnCount, transposingA: true, first, stride: a.columnCount,
          transposingB: false, into: c.baseAddress!, m: block.count, n: width, k: a.rowCount)
      }
    }
  }

  /// The most rows of a matrix whose eigenvectors LAPACK finds: it counts its memory by 32 bits.
  package static let mostEigenvalues = 32_000

  /// - Throws: ``OpenBLASError`` if the library was built without LAPACK.
  package func requireLAPACK() throws(OpenBLASError) {
    guard library.hasLAPACK else {
      throw OpenBLASError(reasons: ["'\(report.configuration)' was built without LAPACK"])
    }
  }

  /// The eigenvalues of a symmetric matrix, ascending.
  ///
  /// - Parameter matrix: Its lower triangle is read. Then row i is the eigenvector of eigenvalue i, of
  ///   length 1. Shape `[n × n]`, n up to ``mostEigenvalues``.
  /// - Throws: ``OpenBLASError`` if there is no LAPACK or no memory, or if it does not converge.
  /// - Complexity: O(n³); 2 n² `Double`s of memory.
  package func eigenvalues(
    ofSymmetric matrix: inout DenseMatrix<Double>
  ) throws(OpenBLASError) -> [Double] {
    let count = matrix.rowCount
    precondition(
      matrix.columnCount == count && count <= Self.mostEigenvalues,
      "[\(count) × \(matrix.columnCount)]")
    try requireLAPACK()
    var values = Array(repeating: 0.0, count: count)
    let problem =
      count == 0
      ? 0
      : unsafe matrix.withUnsafeMutableBufferPointer { matrix in
        unsafe values.withUnsafeMutableBufferPointer { unsafe library.solve(matrix, values: $0) }
      }
    guard problem == 0 else {
      throw OpenBLASError(reasons: [
        OpenBLASLibrary.isOutOfMemory(problem)
          ? "no memory for the eigenvectors of \(count) columns"
          : "LAPACK found no eigenvectors of \(count) columns (dsyevd: \(problem))"
      ])
    }
    return values
  }

  /// Sets how many threads a call may use from now on, for all users of the library.
  public func useThreads(_ count: Int) { library.useThreads(count) }
}

/// OpenBLAS cannot be loaded, or cannot do what was requested.
public struct OpenBLASError: Error, CustomStringConvertible {
  /// The attempts, and why each failed.
  public let reasons: [String]

  public var description: String {
    "OpenBLAS cannot be used (on Debian it is in libopenblas0): "
      + reasons.joined(separator: "; ")
  }
}
