import FoundationEssentials

/// Prints a value as JSON: indented, keys sorted.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// Prints a value as JSON, or a text in its place.
func show(_ value: some Encodable, as text: String, inJSON isJSON: Bool) throws {
  if isJSON { try printJSON(value) } else { print(text) }
}
