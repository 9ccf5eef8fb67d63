// Texts that say of which format they are, and whether they are as they were written.

internal import Datasets
internal import FoundationEssentials
internal import RandomNumbers

/// A value as JSON, with the name of its format and 64 bits of a hash of all the rest.
///
/// - Throws: `EncodingError` for what JSON has no way to say, as infinity.
public func sealedText(_ content: some Encodable, format: String) throws -> String {
  let sealed = Sealed(format: format, checksum: try checksum(of: content), content: content)
  return String(decoding: try encoded(sealed), as: UTF8.self) + "\n"
}

/// The value of such a text.
///
/// - Parameter path: What errors call the text.
/// - Throws: ``DataError`` if it is none, one of another format, or not as it was written.
public func unsealed<Content: Codable>(
  _ bytes: [UInt8], of path: String, format: String
) throws -> Content {
  let data = Data(bytes)
  guard let seal = try? JSONDecoder().decode(Seal.self, from: data) else {
    throw DataError(path: path, problem: "damaged: not the text of a state that was kept")
  }
  guard seal.format == format else {
    throw DataError(
      path: path, problem: "of another version, '\(seal.format)'; expected '\(format)'")
  }
  guard let sealed = try? JSONDecoder().decode(Sealed<Content>.self, from: data),
    (try? checksum(of: sealed.content)) == sealed.checksum
  else { throw DataError(path: path, problem: "damaged: it does not have its checksum") }
  return sealed.content
}

/// 64 bits of a hash of a text, in hexadecimal digits.
public func digest(of text: String) -> String { digest(of: text.utf8) }

/// The same of settings by name.
func digest(of settings: [String: String]) -> String {
  digest(of: settings.sorted { $0.key < $1.key }.map { "\($0)=\($1);" }.joined())
}

/// The same of bytes.
func digest(of bytes: some Sequence<UInt8>) -> String {
  String(bytes.reduce(UInt64(0)) { mixed($0 &+ UInt64($1) &+ 1) }, radix: 16)
}

private func checksum(of content: some Encodable) throws -> String {
  digest(of: try encoded(content))
}

/// Always the same text of the same value.
private func encoded(_ value: some Encodable) throws -> Data {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return try encoder.encode(value)
}

private struct Seal: Decodable { var format: String }

private struct Sealed<Content> {
  var format: String
  var checksum: String
  var content: Content
}

extension Sealed: Encodable where Content: Encodable {}
extension Sealed: Decodable where Content: Decodable {}
