extension ArrayFile {
  /// An array of two dimensions in a `.npz` file.
  ///
  /// - Parameter name: That of the array, with `.npy` or without; nil takes the only one of two dimensions.
  /// - Throws: ``DataError`` if there is none or more than one, or it is compressed or damaged.
  init(archive path: String, named name: String?) throws {
    let archive = try StoredArchive(InputFile(path: path))
    let arrays = archive.members.filter { $0.name.hasSuffix(".npy") }
    let expected = "numbers of two dimensions"
    func list(_ names: [String]) -> String {
      names.isEmpty
        ? "there is none"
        : "there \(names.count == 1 ? "is" : "are") "
          + alternatives(names.prefix(8).map { "'\($0.dropLast(4))'" }, joinedBy: "and")
          + (names.count > 8 ? " and \(names.count - 8) more" : "")
    }
    if let name {
      guard let member = arrays.first(where: { [name, "\(name).npy"].contains($0.name) }) else {
        throw DataError(path: path, problem: "no array '\(name)'; \(list(arrays.map(\.name)))")
      }
      try self.init(archive.contents(of: member), expecting: expected)
      return
    }
    // A compressed one might be one of two dimensions.
    let files = try arrays.map { ($0.name, try archive.contents(of: $0)) }
    let matrices = files.filter { (try? ArrayHeader($0.1))?.shape.count == 2 }
    guard let matrix = matrices.first, matrices.count == 1 else {
      // Of a single array it is told what it is.
      if files.count == 1 { _ = try ArrayFile(files[0].1, expecting: expected) }
      throw DataError(
        path: path,
        problem:
          "\(matrices.count) arrays of two dimensions; expected one, which holds the features"
          + (matrices.isEmpty ? "" : "; \(list(matrices.map(\.0))): name one, as in ")
          + (matrices.first.map { "\(path):\($0.0.dropLast(4))" } ?? ""))
    }
    try self.init(matrix.1, expecting: expected)
  }
}
