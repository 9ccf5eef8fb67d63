internal import CMPI

/// An MPI call that did not succeed.
///
/// Messages may still arrive in memory that has been freed, so after this error the job is aborted, not
/// repaired.
public struct MPIError: Error, Equatable, CustomStringConvertible {
  /// The name of the MPI function.
  public var call: String
  /// MPI's description of the error.
  public var reason: String

  public var description: String { "\(call): \(reason)" }
}

/// Sees the status of every MPI call.
func check(_ call: String, _ code: Int32) throws(MPIError) {
  guard code != 0 else { return }
  throw MPIError(
    call: call, reason: text { unsafe CMPI_Error_string(code, $0) } ?? "status \(code)")
}

/// The text that a function of MPI writes; nil if it does not succeed.
@safe func text(_ write: (UnsafeMutablePointer<CChar>) -> Int32) -> String? {
  unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CMPI_MAX_TEXT)) { buffer in
    let start = buffer.baseAddress!
    return unsafe write(start) == 0 ? String(cString: start) : nil
  }
}
