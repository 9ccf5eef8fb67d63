internal import Glibc
internal import Synchronization

/// Keeps the memory of matrices that are gone, for those to come.
///
/// A step of training makes and drops the same few dozen matrices as the step before. Of the system
/// each would be asked for anew, page by page, at several times the price of the arithmetic on it.
public enum MatrixMemory {
  /// Runs `body` with freed memory kept for reuse, up to `limit` bytes for the process.
  ///
  /// Apart from time nothing changes: a matrix of zeros is still one. Calls may be nested, and made
  /// on several threads at once; when the last ends, what is kept goes back to the system.
  ///
  /// - Parameter limit: Of a nested call, it counts if it is the larger.
  public static func reused<R>(limit: Int = 256 << 20, _ body: () throws -> R) rethrows -> R {
    kept.withLock {
      $0.userCount += 1
      $0.limit = max($0.limit, limit)
    }
    defer { kept.withLock { $0.leave() } }
    return try body()
  }

  /// How much memory is kept at the moment.
  public static var keptByteCount: Int { kept.withLock { $0.byteCount } }

  private static let kept = Mutex(KeptBlocks())

  /// Memory of at least so many bytes from those kept; nil if none is. Its contents are arbitrary.
  static func take(_ capacity: Int) -> UnsafeMutableRawPointer? {
    let address = kept.withLock { $0.take(capacity) }
    return unsafe UnsafeMutableRawPointer(bitPattern: address)
  }

  /// Whether the block is kept; if not, it is the caller's to unmap.
  static func keep(_ block: UnsafeMutableRawPointer, capacity: Int) -> Bool {
    let address = UInt(bitPattern: block)
    return kept.withLock { $0.keep(address, capacity: capacity) }
  }

  /// The bytes that a mapping of `byteCount` bytes gets: rounded up by at most an eighth, so that
  /// matrices of about the same size can follow one another.
  static func capacity(for byteCount: Int) -> Int {
    let step = max(4096, 1 << (Int.bitWidth - 1 - byteCount.leadingZeroBitCount - 3))
    return (byteCount + step - 1) / step * step
  }
}

/// Mappings by their capacity. Addresses are kept as integers: nobody else refers to them.
private struct KeptBlocks {
  var userCount = 0
  var limit = 0
  var byteCount = 0
  private var blocks: [Int: [UInt]] = [:]

  mutating func take(_ capacity: Int) -> UInt {
    guard byteCount > 0, let address = blocks[capacity]?.popLast() else { return 0 }
    byteCount -= capacity
    return address
  }

  mutating func keep(_ address: UInt, capacity: Int) -> Bool {
    guard userCount > 0, byteCount + capacity <= limit else { return false }
    blocks[capacity, default: []].append(address)
    byteCount += capacity
    return true
  }

  mutating func leave() {
    userCount -= 1
    guard userCount == 0 else { return }
    for (capacity, addresses) in blocks {
      for address in addresses {
        unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), capacity)
      }
    }
    self = KeptBlocks()
  }
}
