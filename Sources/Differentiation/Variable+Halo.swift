public import Communication
public import DistributedGraphs
internal import LinearAlgebra

extension Variable {
  /// The rows of all local nodes, from those of the owned ones: a halo exchange.
  ///
  ///     ∂(owned) = ∂(local), those of ghosts accumulated at their owners: the adjoint
  ///
  /// Ghosts' gradients are added in rank order: reproducible for a given number of ranks.
  ///
  /// > Collective: over `communicator`. One round, one row per ghost; the same again in
  /// > ``Tape/gradients(of:on:)``.
  ///
  /// - Returns: Owned rows, then those of ghosts. Shape `[localCount × columns]`.
  public func extended(by halo: Halo, on communicator: some Communicator) throws -> Variable {
    guard communicator.size > 1 else { return self }
    let owned = rowCount
    let ghosts = try halo.extend(value, on: communicator).ghosts
    return tape.recordCollective(value.stacked(on: ghosts), from: [self]) {
      gradient, communicator in
      var rows = gradient.copy(ofRows: 0..<owned)
      try halo.accumulate(
        gradient.copy(ofRows: owned..<gradient.rowCount), into: &rows, on: communicator)
      return [rows]
    }
  }
}
