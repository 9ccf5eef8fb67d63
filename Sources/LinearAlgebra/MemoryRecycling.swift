internal import Glibc
internal import Parallelism
internal import Synchronization

/// While one is alive, the memory of large matrices is reused instead of returned to the system.
///
/// A training step makes and drops the same matrices over and over, and fresh memory costs as much as the
/// passes over it (a quarter of a step was spent in the kernel clearing pages). The memory kept is at most
/// what was in use at once, rounded up, or 64 MiB if that is more, because steps over batches of many
/// sizes need blocks of many sizes. It returns to the system with the last value of this type.
public final class MemoryRecycling: Sendable {
  public init() { MappedMemory.shared.withLock { $0.addRecycler() } }
  deinit { MappedMemory.shared.withLock { $0.removeRecycler() } }
}

/// Mappings of this process that no matrix uses.
package struct MappedMemory {
  static let shared = Guarded(MappedMemory())

  /// Of values of ``MemoryRecycling``; changed under the lock only.
  private static let recyclerCount = Atomic(0)

  /// Whether ``take(_:)`` and ``keep(_:_:)`` can do anything: without a recycler no thread waits for a lock.
  static var isRecycling: Bool { recyclerCount.load(ordering: .relaxed) > 0 }

  package init() {}

  /// By their size in bytes.
  private var free: [Int: [Block]] = [:]
  /// When a block of a size was last asked for, in calls of ``take(_:)``.
  private var lastTaken: [Int: Int] = [:]
  private var takeCount = 0
  package private(set) var freeBytes = 0
  private var usedBytes = 0
  private var mostUsedBytes = 0

  /// An address that several threads may hand over to each other.
  // @unchecked: whoever takes a block out of the table owns it.
  @safe private struct Block: @unchecked Sendable {
    let memory: UnsafeMutableRawPointer
  }

  /// A block that was used before, with whatever it holds; nil where there is none.
  package mutating func take(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard Self.isRecycling else { return nil }
    usedBytes += byteCount
    mostUsedBytes = max(mostUsedBytes, usedBytes)
    takeCount += 1
    lastTaken[byteCount] = takeCount
    return unsafe takeKept(byteCount)
  }

  /// Whether the block is kept; if not, the caller unmaps it.
  ///
  /// It makes room by freeing blocks of the size that was not requested for the longest time: training goes
  /// through graphs of many sizes, and former ones would fill it. A size that was never asked for, of a
  /// matrix older than the recycler, is not kept.
  package mutating func keep(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
    guard Self.isRecycling else { return false }
    guard lastTaken[byteCount] != nil else { return false }
    // What was mapped before there was a recycler was not counted.
    usedBytes = max(0, usedBytes - byteCount)
    let limit = max(mostUsedBytes, 64 << 20)
    guard byteCount <= limit else { return false }
    while freeBytes + byteCount > limit { giveBackStalest() }
    unsafe free[byteCount, default: []].append(Block(memory: memory))
    freeBytes += byteCount
    return true
  }

  private mutating func takeKept(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    guard let block = free[byteCount]?.popLast() else { return nil }
    if free[byteCount]!.isEmpty { free[byteCount] = nil }
    freeBytes -= byteCount
    return unsafe block.memory
  }

  /// Unmaps a block of the size that was not requested for the longest time.
  private mutating func giveBackStalest() {
    let stalest = free.keys.min {
      (lastTaken[$0, default: 0], $0) < (lastTaken[$1, default: 0], $1)
    }!
    unsafe munmap(takeKept(stalest)!, stalest)
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

  /// The size of the mapping for a number of bytes: two sizes from a power of two to the next, so that matrices
  /// of about the same size can use each other's memory. The difference costs addresses only, until a larger
  /// matrix has used the block.
  package static func roundedUp(_ byteCount: Int) -> Int {
    let step = max(4096, 1 << (Int.bitWidth - byteCount.leadingZeroBitCount - 2))
    return (byteCount + step - 1) / step * step
  }
}
