/// A node's name in the whole graph, the same on every rank.
public struct GlobalNode: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var index: Int64

  @inlinable public init(_ index: some BinaryInteger) { self.index = Int64(index) }

  @inlinable public static func < (a: Self, b: Self) -> Bool { a.index < b.index }
}

/// A node's place in the arrays of one rank: owned nodes first, then ghosts.
///
/// 32 bits: a rank holds at most 2³¹ nodes; the whole graph may hold more.
public struct LocalNode: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var index: Int32

  @inlinable public init(_ index: Int) { self.index = Int32(index) }

  @inlinable public static func < (a: Self, b: Self) -> Bool { a.index < b.index }
}
