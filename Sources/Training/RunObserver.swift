public import Communication

/// Hears of a run that can be stopped and gone on with. Called on every rank.
public protocol RunObserver {
  /// > Collective: over `communicator`; asked after every step, the same on all ranks.
  func request(after step: Int, on communicator: some Communicator) throws -> TrainingRequest
  /// Whether to end in the middle of a validation, which the run that goes on does again.
  ///
  /// > Collective: over `communicator`; asked between its parts, the same on all ranks.
  func endsValidation(on communicator: some Communicator) throws -> Bool
  /// > Collective: over `communicator`.
  func save(_ state: RunState<some Any>, on communicator: some Communicator) throws
}

/// What an observer wants after a step.
public enum TrainingRequest: UInt8, Sendable {
  case proceed, save, saveAndStop
}

/// A run that was asked to end before it was done, after its state was saved. Thrown on every rank.
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

  /// To be called between the parts of a validation, when the state is saved or will be.
  ///
  /// > Collective: over `communicator`, as ``endsValidation(on:)``.
  ///
  /// - Throws: ``TrainingInterrupted`` on every rank, if the observer wants to end it.
  func throwIfInterrupted(after step: Int, on communicator: some Communicator) throws {
    if try endsValidation(on: communicator) { throw TrainingInterrupted(step: step) }
  }
}
