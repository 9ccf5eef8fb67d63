internal import FoundationEssentials

extension TensorFile {
  /// The contents of a file of tensors as `F32`, their elements in the order given.
  ///
  /// - Precondition: The names differ, and none is `__metadata__`.
  public static func contents(_ tensors: [Tensor], metadata: [String: String] = [:]) throws
    -> [UInt8]
  {
    let header = try header(tensors, metadata: metadata)
    var contents = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header
    for tensor in tensors {
      unsafe tensor.elements.withUnsafeBytes { unsafe contents.append(contentsOf: $0) }
    }
    return contents
  }

  /// Writes tensors as `F32`, their elements in the order given, by this rank alone.
  ///
  /// The file appears when it is complete, or not at all. The same tensors and metadata make the
  /// same bytes.
  ///
  /// - Throws: ``DataError`` as ``checkWritable(_:overwrite:)`` does, or if writing fails.
  /// - Precondition: The names differ, and none is `__metadata__`.
  public static func write(
    _ tensors: [Tensor], metadata: [String: String] = [:], to path: String, overwrite: Bool
  ) throws {
    let header = try header(tensors, metadata: metadata)
    try writeAtomically(to: path, overwrite: overwrite) { file in
      try file.write([UInt64(header.count)], at: 0)
      try file.write(header, at: 8)
      var offset = 8 + header.count
      for tensor in tensors {
        try file.write(tensor.elements, at: offset)
        offset += tensor.elements.count * MemoryLayout<Float>.stride
      }
    }
  }

  /// The JSON, filled up to a whole number of words.
  private static func header(_ tensors: [Tensor], metadata: [String: String]) throws -> [UInt8] {
    var entries: [String: Entry] = [:]
    var end = 0
    for tensor in tensors {
      let begin = end
      end += tensor.elements.count * MemoryLayout<Float>.stride
      let entry = Entry(dtype: "F32", shape: tensor.shape, offsets: [begin, end])
      let previous = entries.updateValue(entry, forKey: tensor.name)
      precondition(
        previous == nil && tensor.name != Header.metadataName, "the name '\(tensor.name)'")
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var header = Array(try encoder.encode(Header(entries: entries, metadata: metadata)))
    header += Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    return header
  }
}
