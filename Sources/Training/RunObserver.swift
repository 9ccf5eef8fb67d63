public import Communication

/// Receives the progress of a run that can be stopped and resumed. Called on every rank.
public protocol RunObserver {
  /// What to do after a step.
  ///
  /// > Collective: over `communicator`; called after every step, with the same answer on all ranks.
  func request(after step: Int, on communicator: some Communicator) throws -> TrainingRequest
  /// Whether to end in the middle of a validation, which the resumed run repeats.
  ///
  /// > Collective: over `communicator`; called between its parts, with the same answer on all ranks.
  func endsValidation(on communicator: some Communicator) throws -> Bool
  /// > Collective: over `communicator`.
  func save(_ state: RunState<some Any>, on communicator: some Communicator) throws
}

/// An observer's request after a step.
public enum TrainingRequest: UInt8, Sendable {
  case proceed, save, saveAndStop
}

/// A run that was interrupted, after its state was saved. Thrown on every rank.
public struct TrainingInterrupted: Error {
  /// Steps done.
  public let step: Int
}

extension RunObserver {
  public func request(after step: Int, on communicator: some Communicator) throws
    -> TrainingRequest
  { .proceed }
  public func endsValidation(on communicator: some Communicator) throws -> Bool { false }
  public func save(_ state: RunState<some Any>, on communicator: some Communicator) throws {}

  /// Call this between the parts of a validation, when the state is saved or will be.
  ///
  /// > Collective: over `communicator`, as ``endsValidation(on:)``.
  ///
  /// - Throws: ``TrainingInterrupted`` on every rank, if the observer wants to end it.
  func throwIfInterrupted(after step: Int, on communicator: some Communicator) throws {
    if try endsValidation(on: communicator) { throw TrainingInterrupted(step: step) }
  }
}
