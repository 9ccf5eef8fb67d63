import Datasets
import Testing

@Suite struct NameFileTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func file(_ text: String) throws -> NameFile {
    try NameFile(path: scratch.file("names.txt", Array(text.utf8)))
  }

  @Test(arguments: [
    ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\n\n", ["a", ""]), ("\n", [""]),
    (" a\t\r\nb ", ["a", "b"]),
    ("\u{e9}t\u{e9}\n<b>", ["\u{e9}t\u{e9}", "<b>"]),
  ])
  func everyLineIsAName(text: String, expected: [String]) throws {
    let file = try file(text)
    #expect(file.count == expected.count)
    let names = try file.names(of: expected.indices)
    #expect(expected.indices.map { names[$0] } == expected)
  }

  @Test func someOfManyAreFound() throws {
    let file = try file((0..<20_000).map { "name \($0)\n" }.joined())
    #expect(file.count == 20_000)
    let asked = [0, 1, 4095, 4096, 8191, 8192, 19_999]
    let names = try file.names(of: asked)
    #expect(names.count == asked.count)
    for point in asked { #expect(names[point] == "name \(point)") }
  }

  @Test func longNamesAreCutBetweenCharacters() throws {
    for character in ["a", "\u{e9}", "\u{20ac}", "\u{1f600}"] {
      let file = try file(
        String(repeating: character, count: 100) + "\n" + String(repeating: character, count: 5000))
      let names = try file.names(of: [0, 1])
      #expect(names[0] == String(repeating: character, count: 100))
      #expect(names[1] == String(repeating: character, count: 100) + "…")
    }
  }

  @Test func whatIsNotUnicodeIsReplaced() throws {
    let file = try NameFile(path: scratch.file("names.txt", [0x61, 0xff, 0x62]))
    #expect(try file.names(of: [0]) == [0: "a\u{fffd}b"])
  }
}
