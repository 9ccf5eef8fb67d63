internal import COpenBLAS
internal import Glibc
internal import Synchronization

/// OpenBLAS at the speed of the machine, if it is installed.
///
/// While it is being loaded, the library chooses its kernels by the model of the processor. One that
/// is older than the processor may not know the model and falls back, silently, to slower kernels
/// (0.3.21 takes SSE3 kernels on Emerald Rapids: a fifth of the speed of those for AVX-512). So the
/// choice is compared with the processor's features, and if it is below them the library is loaded
/// again with the environment variable `OPENBLAS_CORETYPE` naming a core that uses them. That also
/// mends a value of the variable that was right for another machine; who insists on a core says so
/// with `HIGHLAND_OPENBLAS_CORETYPE`, and the report repeats it.
///
/// Highland computes with its own products, whose bits are reproducible; this is for comparison.
/// Products may run on several threads at the same time.
public final class OpenBLAS: Sendable {
  public let report: Report
  private let library: OpenBLASLibrary

  /// What was loaded, as shown by `highland info`.
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

  /// The library of this process, loaded when first asked for.
  ///
  /// Loading changes the environment for a moment; ask for the first time before other threads that
  /// read the environment are started.
  public static var shared: OpenBLAS {
    get throws(OpenBLASError) { try loaded.get() }
  }

  /// A load of its own; for benchmarks and tests, others want ``shared``.
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

  /// C = A · B, or A · Bᵀ.
  ///
  /// - Parameters:
  ///   - a: Shape `[m × k]`.
  ///   - b: Shape `[k × n]`, or `[n × k]` if `transposingB`.
  ///   - c: Overwritten. Shape `[m × n]`.
  public func multiply(_ a: Matrix, _ b: Matrix, transposingB: Bool = false, into c: inout Matrix) {
    let (k, n) =
      transposingB ? (b.columnCount, b.rowCount) : (b.rowCount, b.columnCount)
    precondition(
      a.columnCount == k && c.rowCount == a.rowCount && c.columnCount == n,
      """
      [\(a.rowCount) × \(a.columnCount)] by [\(k) × \(n)] into [\(c.rowCount) × \(c.columnCount)]
      """)
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe library.multiply(a, b, transposingB: transposingB, into: c, k: k, n: n)
        }
      }
    }
  }
}

/// OpenBLAS cannot be loaded.
public struct OpenBLASError: Error, CustomStringConvertible {
  /// What was tried, and what is wrong with it.
  public let reasons: [String]

  public var description: String {
    "OpenBLAS cannot be loaded (on Debian it is in libopenblas0): "
      + reasons.joined(separator: "; ")
  }
}
