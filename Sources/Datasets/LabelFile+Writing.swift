public import Communication

extension LabelFile {
  /// Writes labels of which every rank has some: `.npy` of `int64`, or else text, one per line.
  ///
  /// The file appears when all ranks have written theirs, or not at all.
  ///
  /// > Collective: six rounds as of ``writeArray(_:shape:firstRow:to:overwrite:on:)``; for text two
  /// > more of 8 bytes per rank. The labels go from each rank to the file.
  ///
  /// - Parameters:
  ///   - slice: This rank's labels. May be empty.
  ///   - count: Replicated. The labels of the whole file.
  ///   - firstRow: The place of the slice among them. Ascends with the rank.
  /// - Throws: The same ``AgreedFailure`` on every rank, with what a ``DataError`` says: the file
  ///   exists and `overwrite` is false, or writing failed on some rank.
  /// - Precondition: The slices of all ranks make up the labels, without gap or overlap.
  public static func write(
    _ slice: [Int64], count: Int, firstRow: Int, to path: String, overwrite: Bool,
    on communicator: some Communicator
  ) throws {
    try write(
      count: count, owned: firstRow..<firstRow + slice.count, to: path, overwrite: overwrite,
      on: communicator
    ) { Array(slice[$0.lowerBound - firstRow..<$0.upperBound - firstRow]) }
  }

  /// Writes labels that are made as they are written, a block at a time, so they need not fit in
  /// memory.
  ///
  /// The file appears when all ranks have written theirs, or not at all.
  ///
  /// > Collective: rounds as ``write(_:count:firstRow:to:overwrite:on:)``.
  ///
  /// - Parameters:
  ///   - count: Replicated. The labels of the whole file.
  ///   - owned: This rank's part of them. The parts ascend with the rank.
  ///   - labels: Those of a range within `owned`. For text they are made twice.
  /// - Throws: The same ``AgreedFailure`` on every rank, as the other does.
  /// - Precondition: The parts of all ranks make up the labels, without gap or overlap.
  public static func write(
    count: Int, owned: Range<Int>, to path: String, overwrite: Bool,
    on communicator: some Communicator, labels: (Range<Int>) -> [Int64]
  ) throws {
    try communicator.assertReplicated((count: count, path: path, overwrite: overwrite))
    try requireTiling(
      of: count, first: owned.lowerBound, count: owned.count, rowLength: 1, on: communicator)
    func forEachBlock(_ body: ([Int64], Int) throws -> Void) rethrows {
      for first in stride(from: owned.lowerBound, to: owned.upperBound, by: 1 << 17) {
        try body(labels(first..<min(first + 1 << 17, owned.upperBound)), first)
      }
    }
    if isArray(path) {
      let header = ArrayHeader.bytes(.int64, shape: [count])
      guard let byteCount = byteCount(ofShape: [count], elementByteCount: 8) else {
        throw AgreedFailure(reason: "\(path): \(count) labels are too many for a file")
      }
      return try writeAtomically(
        to: path, header: header, byteCount: header.count + byteCount, overwrite: overwrite,
        on: communicator
      ) { file in
        try forEachBlock { try file.write($0, at: header.count + $1 * 8) }
      }
    }
    var textLength = 0
    forEachBlock { block, _ in
      for label in block { textLength += label.textLength + 1 }
    }
    var offset = try communicator.exclusivePrefixSum(textLength)
    try writeAtomically(
      to: path, header: [], byteCount: try communicator.sum(textLength), overwrite: overwrite,
      on: communicator
    ) { file in
      try forEachBlock { block, _ in
        var text: [UInt8] = []
        for label in block { text += "\(label)\n".utf8 }
        try file.write(text, at: offset)
        offset += text.count
      }
    }
  }

  /// Reserves the space for a number of labels: to be called before the work.
  ///
  /// - Throws: ``DataError`` if they surely will not. Labels in text have two bytes at least.
  public static func reserveSpace(count: Int, to path: String) throws {
    let size = isArray(path) ? 8 : 2
    guard let byteCount = byteCount(ofShape: [count], elementByteCount: size) else {
      throw DataError(path: path, problem: "\(count) labels are too many for a file")
    }
    guard isArray(path) else { return try ReservedSpace.reserve(byteCount, for: path) }
    try ReservedSpace.reserve(ofShape: [count], elementByteCount: size, for: path)
  }

  static func isArray(_ path: String) -> Bool { path.lowercased().hasSuffix(".npy") }
}

extension Int64 {
  /// How many characters it has in decimal.
  fileprivate var textLength: Int {
    var length = self < 0 ? 2 : 1
    var rest = magnitude
    while rest >= 10 {
      rest /= 10
      length += 1
    }
    return length
  }
}
