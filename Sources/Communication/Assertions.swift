internal import Glibc

/// How much a run spends on checking that arguments which must be replicated are replicated.
///
/// Read once from the environment, `HIGHLAND_ASSERTIONS=none`, `light` or `all`, in every build.
/// Without it debug builds check `light`, release builds nothing.
///
/// All ranks of a job must have the same level: ``check(on:)``.
public enum AssertionLevel: String, CaseIterable, Comparable, Sendable {
  /// Nothing is checked, and nothing sent for it.
  case none
  /// A few numbers at the entry of long operations: one round of 8 bytes per rank each.
  case light
  /// Values at the entry of every collective operation, even ones as large as a model's parameters.
  case all

  public static func < (a: Self, b: Self) -> Bool { a.place < b.place }

  private var place: Int { Self.allCases.firstIndex(of: self)! }

  /// The level of this process. An unknown name counts as `all`; ``check(on:)`` refuses it.
  public static let current = named(name) ?? .all

  /// Throws on every rank if a rank has an unknown level, or if levels differ, because ranks with
  /// different levels would wait for each other for ever. A transport calls it once.
  ///
  /// > Collective: one round, 8 bytes per rank to every rank; two more after a failure.
  public static func check(on communicator: some Communicator) throws {
    let place = named(name).map { $0.place + 1 } ?? 0
    let places = try communicator.gatherForAssertion(UInt64(place))
    guard places.contains(where: { $0 != places[0] || $0 == 0 }) else { return }
    let names = places.map { $0 == 0 ? "unknown" : allCases[Int($0) - 1].rawValue }
    throw AgreedFailure(
      reason: Set(places) == [0]
        ? "\(variable) is not none, light or all"
        : "\(variable) is not the same on all ranks: \(names.joined(separator: ", "))"
          + "; mpirun -x \(variable) passes it on to other hosts")
  }

  private static let variable = "HIGHLAND_ASSERTIONS"

  private static var name: String? {
    unsafe getenv(variable).map { unsafe String(cString: $0) }
  }

  /// - Parameter name: Nil or empty if no level was given.
  /// - Returns: Nil if no level has that name.
  package static func named(_ name: String?) -> AssertionLevel? {
    guard let name, !name.isEmpty else {
      #if DEBUG
        return .light
      #else
        return AssertionLevel.none
      #endif
    }
    return AssertionLevel(rawValue: name)
  }
}
