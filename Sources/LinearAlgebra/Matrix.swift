internal import Glibc
internal import Parallelism

/// The elements of a matrix: `Float`, or `Double` to check `Float`.
public typealias MatrixScalar = BinaryFloatingPoint & BitwiseCopyable & Sendable

/// A dense matrix of `Float`, as the kernels use it.
public typealias Matrix = DenseMatrix<Float>

/// A dense matrix, row after row, with value semantics.
///
/// The elements start on a cache line and a new matrix is zero; a large one takes up memory only
/// where it has been written. A product reads whole cache lines, which is why this is not an `Array`
/// (whose elements start 32 bytes into a line).
public struct DenseMatrix<Scalar: MatrixScalar>: Sendable {
  public let rowCount: Int
  public let columnCount: Int
  @usableFromInline var storage: AlignedStorage

  /// A matrix of zeros.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "[\(rows) × \(columns)]")
    rowCount = rows
    columnCount = columns
    storage = AlignedStorage(count: rows * columns, of: MemoryLayout<Scalar>.size)
  }

  /// A matrix with arbitrary elements, for results whose every element is written.
  package init(uninitializedRows rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "[\(rows) × \(columns)]")
    rowCount = rows
    columnCount = columns
    storage = AlignedStorage(count: rows * columns, of: MemoryLayout<Scalar>.size, isZero: false)
  }

  /// - Parameter elements: Row after row. Shape `[rows * columns]`.
  public init(rows: Int, columns: Int, elements: [Scalar]) {
    precondition(
      elements.count == rows * columns, "\(elements.count) elements for [\(rows) × \(columns)]")
    self.init(rows: rows, columns: columns)
    unsafe withUnsafeMutableBufferPointer { unsafe _ = $0.update(fromContentsOf: elements) }
  }

  @inlinable public var count: Int { rowCount * columnCount }

  /// All elements, row after row.
  public var elements: [Scalar] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }

  public func row(_ index: Int) -> [Scalar] { elements(inRows: index..<index + 1) }

  public func elements(inRows rows: Range<Int>) -> [Scalar] {
    checkRows(rows)
    return unsafe withUnsafeBufferPointer {
      unsafe Array($0[rows.lowerBound * columnCount..<rows.upperBound * columnCount])
    }
  }

  @inlinable
  public subscript(row: Int, column: Int) -> Scalar {
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

  @usableFromInline
  func place(_ row: Int, _ column: Int) -> Int {
    precondition(
      row >= 0 && row < rowCount && column >= 0 && column < columnCount,
      "[\(row), \(column)] of [\(rowCount) × \(columnCount)]")
    return row * columnCount + column
  }

  /// The elements, row after row, without a copy. The pointer is valid inside `body`.
  @inlinable
  public func withUnsafeBufferPointer<R, E: Error>(
    _ body: (UnsafeBufferPointer<Scalar>) throws(E) -> R
  ) throws(E) -> R {
    defer { withExtendedLifetime(storage) {} }
    return try unsafe body(UnsafeBufferPointer(start: storage.base(of: Scalar.self), count: count))
  }

  /// The elements for writing, row after row; copied first if another value shares them.
  @inlinable
  public mutating func withUnsafeMutableBufferPointer<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Scalar>) throws(E) -> R
  ) throws(E) -> R {
    if !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
    defer { withExtendedLifetime(storage) {} }
    return try unsafe body(
      UnsafeMutableBufferPointer(start: storage.base(of: Scalar.self), count: count))
  }

  /// Returns the memory of rows that are no longer needed to the system.
  ///
  /// Afterwards each of their elements is unchanged or zero: whole pages of a large matrix (64 KiB or
  /// more) are returned and read as zero, and nothing happens to a small matrix or to one that shares its
  /// memory with another value. This bounds the memory of a pass that consumes one matrix while it fills
  /// another.
  public mutating func discard(rows: Range<Int>) {
    checkRows(rows)
    guard isKnownUniquelyReferenced(&storage) else { return }
    let rowBytes = columnCount * MemoryLayout<Scalar>.size
    storage.discard(bytes: rows.lowerBound * rowBytes..<rows.upperBound * rowBytes)
  }
}

extension DenseMatrix: Equatable {
  /// Whether shapes are equal and elements are equal as numbers.
  public static func == (a: Self, b: Self) -> Bool {
    guard a.rowCount == b.rowCount, a.columnCount == b.columnCount else { return false }
    return unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in unsafe a.elementsEqual(b) }
    }
  }
}

/// Zeros on a cache line; of many of them, zero pages on demand.
// @unchecked: shared storage is only read; ``DenseMatrix`` writes through a unique reference.
@usableFromInline
@safe final class AlignedStorage: @unchecked Sendable {
  @usableFromInline let memory: UnsafeMutableRawPointer
  private let byteCount: Int

  private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
  /// From here on a mapping of its own costs less than the bookkeeping of the heap and zeroing.
  private static let mappedByteCount = 64 << 10
  private static let alignment = 64

  private var isMapped: Bool { byteCount >= Self.mappedByteCount }

  /// - Parameter isZero: Whether the memory must be cleared if it was used before.
  init(count: Int, of size: Int, isZero: Bool = true) {
    let (bytes, overflow) = max(count, 1).multipliedReportingOverflow(by: size)
    precondition(!overflow, "a matrix of \(count) elements")
    byteCount = bytes
    let memory =
      unsafe bytes >= Self.mappedByteCount
      ? Self.map(bytes, isZero: isZero) : Self.allocate(bytes)
    guard let memory = unsafe memory else { MemoryShortage.end(bytes) }
    unsafe self.memory = memory
  }

  private static func map(_ byteCount: Int, isZero: Bool) -> UnsafeMutableRawPointer? {
    let mappedCount = MappedMemory.roundedUp(byteCount)
    if MappedMemory.isRecycling,
      let used = unsafe MappedMemory.shared.withLock({ unsafe $0.take(mappedCount) })
    {
      if isZero { unsafe memset(used, 0, byteCount) }
      return unsafe used
    }
    let mapped = unsafe mmap(
      nil, mappedCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
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
    guard isMapped else { return unsafe free(memory) }
    let mapped = MappedMemory.roundedUp(byteCount)
    let isKept =
      unsafe MappedMemory.isRecycling
      && MappedMemory.shared.withLock { [memory] in unsafe $0.keep(memory, mapped) }
    if !isKept { unsafe munmap(memory, mapped) }
  }

  @inlinable
  func base<Scalar: MatrixScalar>(of type: Scalar.Type) -> UnsafeMutablePointer<Scalar> {
    unsafe memory.assumingMemoryBound(to: type)
  }

  @usableFromInline
  func copy() -> AlignedStorage {
    let copy = AlignedStorage(count: byteCount, of: 1, isZero: false)
    unsafe copy.memory.copyMemory(from: memory, byteCount: byteCount)
    return copy
  }

  /// Whole pages of a mapping only.
  func discard(bytes: Range<Int>) {
    let page = Self.pageSize
    let first = (bytes.lowerBound + page - 1) / page * page
    let end = bytes.upperBound / page * page
    guard isMapped, first < end else { return }
    unsafe madvise(memory + first, end - first, MADV_DONTNEED)
  }
}
