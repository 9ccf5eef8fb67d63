/// The position of one process in a communicator, in `0 ..< size`.
public struct Rank: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var index: Int

  @inlinable public init(_ index: Int) { self.index = index }

  @inlinable public static func < (a: Self, b: Self) -> Bool { a.index < b.index }
}
