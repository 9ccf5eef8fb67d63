internal import Glibc
internal import Synchronization

/// While one is alive, the memory of large matrices is used again instead of given back to the system.
///
/// A training step makes and drops the same matrices over and over; fresh memory costs as much as the
/// passes over it (a quarter of a step was spent in the kernel clearing pages). What is kept is never
/// more than was in use at once, or 64 MiB if that is more: steps over batches of many sizes need blocks
/// of many sizes. It goes back to the system with the last value of this type.
public final class MemoryRecycling: Sendable {
  public init() { MappedMemory.shared.withLock { $0.addRecycler() } }
  deinit { MappedMemory.shared.withLock { $0.removeRecycler() } }
}

/// Mappings of this process that no matrix uses.
struct MappedMemory {
  static let shared = Mutex(MappedMemory())

  /// Of values of ``MemoryRecycling``; changed under the lock only.
  private static let recyclerCount = Atomic(0)

  /// Whether ``take(_:)`` and ``keep(_:_:)`` can do anything: without a recycler nobody waits for a lock.
  static var isRecycling: Bool { recyclerCount.load(ordering: .relaxed) > 0 }

  /// By their size in bytes.
  private var free: [Int: [Block]] = [:]
  private var freeBytes = 0
  private var usedBytes = 0
  private var mostUsedBytes = 0

  /// An address that several threads may hand over to each other.
  // @unchecked: whoever takes a block out of the table owns it.
  @safe private struct Block: @unchecked Sendable {
    let memory: UnsafeMutableRawPointer
  }

  /// A block that was used before, with whatever it holds; nil where there is none.
  mutating func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard Self.isRecycling else { return nil }
    usedBytes += byteCount
    mostUsedBytes = max(mostUsedBytes, usedBytes)
    guard let block = free[byteCount]?.popLast() else { return nil }
    freeBytes -= byteCount
    return unsafe block.memory
  }

  /// Whether the block is kept; if not, the caller unmaps it.
  mutating func keep(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
    guard Self.isRecycling else { return false }
    usedBytes = max(0, usedBytes - byteCount)
    guard freeBytes + byteCount <= max(mostUsedBytes, 64 << 20) else { return false }
    unsafe free[byteCount, default: []].append(Block(memory: memory))
    freeBytes += byteCount
    return true
  }

  mutating func addRecycler() { Self.recyclerCount.add(1, ordering: .relaxed) }

  mutating func removeRecycler() {
    Self.recyclerCount.subtract(1, ordering: .relaxed)
    guard !Self.isRecycling else { return }
    for (byteCount, blocks) in free {
      for block in blocks { unsafe munmap(block.memory, byteCount) }
    }
    self = MappedMemory()
  }

  /// The size that a mapping is rounded up to while memory is recycled, so that those of nearly the same
  /// size can be used for each other: eight sizes from a power of two to the next.
  static func roundedUp(_ byteCount: Int) -> Int {
    let step = max(4096, 1 << (Int.bitWidth - byteCount.leadingZeroBitCount - 4))
    return (byteCount + step - 1) / step * step
  }
}
