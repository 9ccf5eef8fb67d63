internal import CMPI
@unsafe @preconcurrency internal import Glibc

/// The MPI of this process, which is found when it is first needed: Open MPI 4 or 5, or one with the ABI of MPI 5, such
/// as MPICH 5.
///
/// One that the process has loaded is taken, as that of a caller who has initialised it. Otherwise one is loaded if a
/// launcher started this process. A process that was started alone needs none: it is one rank. Where another MPI is
/// linked, it is that one.
enum MPILibrary {
  /// The environment's name of the library to load in place of the usual ones.
  static let variable = "HIGHLAND_MPI_LIBRARY"
  /// Open MPI 4 and 5 have the same. Where there are both, that of the launcher is the first.
  private static var usualNames: [String] {
    let (openMPI, abi) = ("libmpi.so.40", "libmpi_abi.so.1")
    return Launcher.isOfMPICH ? [abi, openMPI] : [openMPI, abi]
  }

  private static let names =
    unsafe getenv(variable).map { unsafe [String(cString: $0)] } ?? usualNames

  private static let outcome = Result { try choose() }

  /// Finds the library the first time, and always comes to the same answer.
  ///
  /// - Throws: ``MPINotFound`` if this process was started as one of several, or as one that only MPI can count, and
  ///   there is no library.
  static func find() throws { try outcome.get() }

  /// What the library says of itself; nil where there is none.
  static var version: String? {
    try? find()
    guard CMPI_is_alone() != 0 else { return text { unsafe CMPI_Get_library_version($0) } }
    return names.lazy.compactMap { name in
      text { unsafe CMPI_Get_library_version_of(name, $0) }
    }.first
  }

  private static func choose() throws {
    if names.contains(where: { load($0, onlyIfPresent: true) == nil }) || !Launcher.isPresent {
      return
    }
    var reasons: [String] = []
    for name in names {
      guard let reason = load(name, onlyIfPresent: false) else { return }
      reasons.append(reason)
    }
    if let (count, _) = Launcher.size, count == 1 { return }
    throw MPINotFound(reasons: reasons, launcher: Launcher.size)
  }

  /// - Returns: What went wrong, or nil.
  private static func load(_ name: String, onlyIfPresent: Bool) -> String? {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CMPI_MAX_TEXT)) { reason in
      let start = reason.baseAddress!
      let status = unsafe CMPI_load(name, onlyIfPresent ? 1 : 0, start)
      return status == 0 ? nil : unsafe String(cString: start)
    }
  }
}

/// Several processes were started together, and this one has no MPI by which they would find each other.
public struct MPINotFound: Error, CustomStringConvertible {
  /// Of every library that was tried, why it is none.
  let reasons: [String]
  let launcher: (count: Int, variable: String)?

  public var description: String {
    let start =
      launcher.map { "started as one of \($0.count) processes (\($0.variable))" }
      ?? "started by a launcher"
    return "\(start), but no MPI was found on \(MPICommunicator.hostName): "
      + "\(reasons.joined(separator: "; ")); \(MPILibrary.variable) names another library"
  }
}
