/// An error in a file, in one line: which file, which record, what was expected and found.
public struct DataError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file, as the caller named it.
  public var path: String
  /// The rest of the line.
  public var problem: String

  public init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  public var description: String { "\(path): \(problem)" }
}

/// A list for an error message: `a, b or c`.
func alternatives(_ names: [String], joinedBy word: String = "or") -> String {
  names.count < 2
    ? names.joined()
    : names.dropLast().joined(separator: ", ") + " \(word) " + names[names.count - 1]
}

/// A piece of a file for an error message: quoted, short, on one line.
func quoted(_ bytes: some Collection<UInt8>, limit: Int = 40) -> String {
  let shown = String(decoding: bytes.prefix(limit), as: UTF8.self).unicodeScalars
  let escaped = shown.map { $0.value < 32 ? $0.escaped(asASCII: true) : String($0) }.joined()
  return "'\(escaped)'" + (bytes.count > limit ? "…" : "")
}
