internal import CHighland
internal import Communication
internal import Datasets
internal import GraphNetworks

/// Why a function of the C interface has no answer.
struct Failure: Error {
  let status: highland_status
  let message: String

  init(_ status: highland_status, _ message: String) {
    self.status = status
    self.message = message
  }

  /// What the library threw.
  init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case is Cancelled: self.init(HIGHLAND_CANCELLED, "cancelled")
    case let error as ModelError: self.init(HIGHLAND_INVALID_MODEL, "\(error)")
    case is DataError, is AgreedFailure: self.init(HIGHLAND_INVALID_DATA, "\(error)")
    default: self.init(HIGHLAND_FAILED, "\(error)")
    }
  }
}

/// An option, a shape or a pointer that is not as described.
func invalidArgument(_ message: String) -> Failure { Failure(HIGHLAND_INVALID_ARGUMENT, message) }

/// Runs `body`; what it throws becomes a status and a message for the caller to free.
func answer(
  _ message: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ body: () throws -> Void
) -> highland_status {
  do {
    try body()
    return HIGHLAND_OK
  } catch {
    let failure = Failure(error)
    unsafe message?.pointee = copy(of: failure.message)
    return failure.status
  }
}
