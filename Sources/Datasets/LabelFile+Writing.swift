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
    try communicator.assertReplicated((count: count, path: path, overwrite: overwrite))
    if isArray(path) {
      return try writeArray(
        slice, shape: [count], firstRow: firstRow, to: path, overwrite: overwrite,
        on: communicator)
    }
    try requireTiling(
      of: count, first: firstRow, count: slice.count, rowLength: 1, on: communicator)
    var text: [UInt8] = []
    for label in slice { text += "\(label)\n".utf8 }
    let offset = try communicator.exclusivePrefixSum(text.count)
    let byteCount = try communicator.sum(text.count)
    try writeAtomically(
      to: path, header: [], byteCount: byteCount, overwrite: overwrite, on: communicator
    ) { file in
      try file.write(text, at: offset)
    }
  }

  static func isArray(_ path: String) -> Bool { path.lowercased().hasSuffix(".npy") }
}
