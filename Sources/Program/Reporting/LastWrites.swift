import Communication

/// Outputs that are written one after the other when the work is done: one that cannot be does not keep the others from
/// being written.
final class LastWrites {
  private var reasons: [String] = []

  /// Writes an output, whose failure is the same on every rank.
  ///
  /// > Collective: as `write`.
  func attempt(_ write: () throws -> Void) rethrows {
    do { try write() } catch let failure as AgreedFailure { reasons.append(failure.reason) }
  }

  /// - Throws: ``AgreedFailure`` on every rank with all that has failed.
  func finish() throws {
    guard !reasons.isEmpty else { return }
    throw AgreedFailure(reason: reasons.joined(separator: "\nerror: "))
  }
}
