internal import Glibc

/// A dense matrix of `Float`, row after row, with value semantics.
///
/// The elements start on a cache line and a new matrix is zero; a large one takes up memory only
/// where it has been written. A product reads whole cache lines, which is why this is not an `Array`
/// (whose elements start 32 bytes into a line).
public struct Matrix: Sendable {
  public let rowCount: Int
  public let columnCount: Int
  private var storage: AlignedStorage

  /// A matrix of zeros.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "[\(rows) × \(columns)]")
    rowCount = rows
    columnCount = columns
    storage = AlignedStorage(count: rows * columns)
  }

  /// - Parameter elements: Row after row. Shape `[rows * columns]`.
  public init(rows: Int, columns: Int, elements: [Float]) {
    precondition(
      elements.count == rows * columns, "\(elements.count) elements for [\(rows) × \(columns)]")
    self.init(rows: rows, columns: columns)
    unsafe withUnsafeMutableBufferPointer { unsafe _ = $0.update(fromContentsOf: elements) }
  }

  public var count: Int { rowCount * columnCount }

  /// All elements, row after row.
  public var elements: [Float] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }

  public func row(_ index: Int) -> [Float] { elements(inRows: index..<index + 1) }

  public func elements(inRows rows: Range<Int>) -> [Float] {
    checkRows(rows)
    return unsafe withUnsafeBufferPointer {
      unsafe Array($0[rows.lowerBound * columnCount..<rows.upperBound * columnCount])
    }
  }

  public subscript(row: Int, column: Int) -> Float {
    get {
      unsafe withUnsafeBufferPointer { unsafe $0[place(row, column)] }
    }
    set {
      let place = place(row, column)
      unsafe withUnsafeMutableBufferPointer { unsafe $0[place] = newValue }
    }
  }

  /// - Precondition: The rows exist.
  func checkRows(_ rows: Range<Int>) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount)")
  }

  private func place(_ row: Int, _ column: Int) -> Int {
    precondition(
      row >= 0 && row < rowCount && column >= 0 && column < columnCount,
      "[\(row), \(column)] of [\(rowCount) × \(columnCount)]")
    return row * columnCount + column
  }

  /// The elements, row after row, without a copy. The pointer is valid inside `body`.
  public func withUnsafeBufferPointer<R, E: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    defer { withExtendedLifetime(storage) {} }
    return try unsafe body(UnsafeBufferPointer(start: storage.base, count: count))
  }

  /// The elements for writing, row after row; copied first if another value shares them.
  public mutating func withUnsafeMutableBufferPointer<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(E) -> R
  ) throws(E) -> R {
    if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
    defer { withExtendedLifetime(storage) {} }
    return try unsafe body(UnsafeMutableBufferPointer(start: storage.base, count: count))
  }

  /// Gives the memory of rows that are not needed any more back to the system.
  ///
  /// Each of their elements is as before or zero afterwards: whole pages of a large matrix (64 KiB
  /// or more) are given back and read as zero, and nothing happens to a small matrix or to one that
  /// shares its memory with another value. The bound on memory of a pass that consumes one matrix
  /// while it fills another rests on this.
  public mutating func discard(rows: Range<Int>) {
    checkRows(rows)
    guard isKnownUniquelyReferenced(&storage) else { return }
    storage.discard(rows.lowerBound * columnCount..<rows.upperBound * columnCount)
  }
}

extension Matrix: Equatable {
  /// Whether shapes are equal and elements are equal as numbers.
  public static func == (a: Matrix, b: Matrix) -> Bool {
    guard a.rowCount == b.rowCount, a.columnCount == b.columnCount else { return false }
    return unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in unsafe a.elementsEqual(b) }
    }
  }
}

/// Zeros on a cache line; of many of them, zero pages on demand.
// @unchecked: shared storage is only read; ``Matrix`` writes through a unique reference.
@safe private final class AlignedStorage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  private let count: Int
  private let byteCount: Int

  private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
  /// From here on a mapping of its own costs less than the bookkeeping of the heap and zeroing.
  private static let mappedByteCount = 64 << 10
  private static let alignment = 64

  private var isMapped: Bool { byteCount >= Self.mappedByteCount }

  init(count: Int) {
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Float>.size)
    precondition(!overflow, "a matrix of \(count) elements")
    self.count = count
    byteCount = bytes
    let memory =
      unsafe bytes >= Self.mappedByteCount ? Self.map(bytes) : Self.allocate(bytes)
    guard let memory = unsafe memory else { fatalError("no memory for a matrix of \(bytes) bytes") }
    unsafe base = memory.bindMemory(to: Float.self, capacity: max(count, 1))
  }

  private static func map(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    let mapped = unsafe mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return unsafe mapped == MAP_FAILED ? nil : mapped
  }

  private static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    // aligned_alloc wants a multiple of the alignment.
    let rounded = (byteCount + alignment - 1) / alignment * alignment
    guard let memory = unsafe aligned_alloc(alignment, rounded) else { return nil }
    unsafe memset(memory, 0, rounded)
    return unsafe memory
  }

  deinit {
    if isMapped { unsafe munmap(base, byteCount) } else { unsafe free(base) }
  }

  func copy() -> AlignedStorage {
    let copy = AlignedStorage(count: count)
    unsafe copy.base.update(from: base, count: count)
    return copy
  }

  /// Whole pages of a mapping only.
  func discard(_ elements: Range<Int>) {
    let size = MemoryLayout<Float>.size
    let page = Self.pageSize
    let first = (elements.lowerBound * size + page - 1) / page * page
    let end = elements.upperBound * size / page * page
    guard isMapped, first < end else { return }
    unsafe madvise(UnsafeMutableRawPointer(base) + first, end - first, MADV_DONTNEED)
  }
}
