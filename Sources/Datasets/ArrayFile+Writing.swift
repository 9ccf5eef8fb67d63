public import Communication

/// Writes an array of which every rank has some rows, as `.npy`.
///
/// The file appears when all ranks have written theirs, or not at all.
///
/// > Collective: six rounds: three of 1 byte and one of 24 bytes per rank, and the broadcast of the
/// > temporary name. The elements go from each rank to the file.
///
/// - Parameters:
///   - slice: This rank's rows, in C order. May be empty.
///   - shape: Replicated. The shape of the whole array.
///   - firstRow: The place of the slice in it.
/// - Throws: The same ``AgreedFailure`` on every rank, with what a ``DataError`` says: the file
///   exists and `overwrite` is false, or writing failed on some rank.
/// - Precondition: The slices of all ranks make up the array, without gap or overlap.
public func writeArray<Element: ArrayElement>(
  _ slice: [Element], shape: [Int], firstRow: Int, to path: String, overwrite: Bool,
  on communicator: some Communicator
) throws {
  try writeArray(
    count: slice.count, shape: shape, firstRow: firstRow, to: path, overwrite: overwrite,
    on: communicator
  ) { Array(slice[$0]) }
}

/// The same of elements that are made in blocks.
///
/// > Collective: as ``writeArray(_:shape:firstRow:to:overwrite:on:)``.
///
/// - Parameters:
///   - count: How many elements this rank has.
///   - block: Some of them, by their places; called in order, once for each.
public func writeArray<Element: ArrayElement>(
  count ownCount: Int, shape: [Int], firstRow: Int, to path: String, overwrite: Bool,
  on communicator: some Communicator, _ block: (Range<Int>) -> [Element]
) throws {
  try communicator.assertReplicated((shape: shape, path: path, overwrite: overwrite))
  let rowLength = shape.dropFirst().reduce(1, *)
  let count = shape.reduce(1, *)
  try requireTiling(
    of: count, first: firstRow * rowLength, count: ownCount, rowLength: rowLength,
    on: communicator)
  let header = ArrayHeader.bytes(Element.elementType, shape: shape)
  let stride = MemoryLayout<Element>.stride
  try writeAtomically(
    to: path, header: header, byteCount: header.count + count * stride, overwrite: overwrite,
    on: communicator
  ) { file in
    let first = header.count + firstRow * rowLength * stride
    let blockLength = (1 << 20) / stride
    for start in Swift.stride(from: 0, to: ownCount, by: blockLength) {
      let elements = block(start..<min(start + blockLength, ownCount))
      try file.write(elements, at: first + start * stride)
    }
  }
}

/// Stops the program unless the ranks' parts make up `0 ..< total`, in rows of the same length.
///
/// > Collective: one round of 24 bytes per rank.
func requireTiling(
  of total: Int, first: Int, count: Int, rowLength: Int, on communicator: some Communicator
) throws {
  let parts = try communicator.gatherOne(Part(first: first, count: count, rowLength: rowLength))
  let lengths = parts.map(\.rowLength)
  precondition(lengths.allSatisfy { $0 == rowLength }, "rows differ in length: \(lengths)")
  var end = 0
  for part in parts.filter({ $0.count > 0 }).sorted(by: { $0.first < $1.first }) {
    precondition(part.first == end, "a rank's part begins at \(part.first); expected \(end)")
    end += part.count
  }
  precondition(end == total, "the ranks' parts end at \(end); expected \(total)")
}

private struct Part: Message {
  var first: Int
  var count: Int
  var rowLength: Int
}
