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
    case let failure as AgreedFailure where Self.status(ofCode: failure.code) != nil:
      self.init(Self.status(ofCode: failure.code)!, failure.reason)
    case is Cancelled: self.init(HIGHLAND_CANCELLED, "cancelled")
    case let error as ModelError: self.init(HIGHLAND_INVALID_MODEL, "\(error)")
    case is DataError, is AgreedFailure: self.init(HIGHLAND_INVALID_DATA, "\(error)")
    default: self.init(HIGHLAND_FAILED, "\(error)")
    }
  }
}

extension Failure {
  private static let codePrefix = "status "

  private static func status(ofCode code: String) -> highland_status? {
    guard code.hasPrefix(codePrefix) else { return nil }
    return UInt32(code.dropFirst(codePrefix.count)).map { highland_status(rawValue: $0) }
  }

  /// The same on every rank.
  fileprivate func agreed(by rank: Rank) -> AgreedFailure {
    AgreedFailure(reason: message, rank: rank, code: "\(Self.codePrefix)\(status.rawValue)")
  }
}

extension Communicator {
  /// As ``agree(_:)``; what is thrown on every rank has the status of the first rank that failed.
  ///
  /// > Collective: one round of 4 bytes per rank; three more with the message after a failure.
  func agreeWithStatus<R>(_ body: () throws -> R) throws -> R {
    let result = Result { try body() }.mapError { Failure($0) }
    var own: Failure?
    if case .failure(let failure) = result { own = failure }
    let statuses = try gatherOne(own?.status.rawValue ?? HIGHLAND_OK.rawValue)
    guard let first = ranks.first(where: { statuses[$0.index] != HIGHLAND_OK.rawValue }) else {
      return try result.get()
    }
    let message = try broadcast(Array((own?.message ?? "").utf8), from: first)
    throw Failure(
      highland_status(rawValue: statuses[first.index]), String(decoding: message, as: UTF8.self)
    ).agreed(by: first)
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
