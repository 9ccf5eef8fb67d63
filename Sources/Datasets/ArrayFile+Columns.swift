public import Communication

/// Writes an array of which every rank has some columns of all rows, as `.npy`.
///
/// The file appears when all ranks have written theirs, or not at all.
///
/// > Collective: five rounds of one or 16 bytes per rank and one of the file's name; the elements
/// > go from each rank to the file.
///
/// - Parameters:
///   - rows: This rank's columns of every row. The number of rows is replicated.
///   - columnCount: Replicated. Columns of the whole array.
///   - firstColumn: The place of this rank's columns among them.
/// - Throws: The same ``AgreedFailure`` on every rank, with what a ``DataError`` says.
/// - Precondition: The columns of all ranks make up the array, without gap or overlap.
public func writeArray<Element: ArrayElement>(
  columns rows: [[Element]], columnCount: Int, firstColumn: Int, to path: String, overwrite: Bool,
  on communicator: some Communicator
) throws {
  try communicator.assertReplicated(
    (rowCount: rows.count, columnCount: columnCount, path: path, overwrite: overwrite))
  for row in rows {
    try requireTiling(
      of: columnCount, first: firstColumn, count: row.count, rowLength: 1, on: communicator)
  }
  let header = ArrayHeader.bytes(Element.elementType, shape: [rows.count, columnCount])
  let stride = MemoryLayout<Element>.stride
  try writeAtomically(
    to: path, header: header, byteCount: header.count + rows.count * columnCount * stride,
    overwrite: overwrite, on: communicator
  ) { file in
    for (place, row) in rows.enumerated() {
      try file.write(row, at: header.count + (place * columnCount + firstColumn) * stride)
    }
  }
}
