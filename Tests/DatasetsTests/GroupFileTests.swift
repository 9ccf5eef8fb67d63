import Datasets
import Testing

@Suite struct GroupFileTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func file(_ text: String) throws -> GroupFile {
    try GroupFile(path: scratch.file("groups.txt", Array(text.utf8)))
  }

  @Test(arguments: [
    ("a\nb\na\nc\nb\n", [0, 1, 0, 3, 1]),
    ("7\n-1\n7", [0, 1, 0]),
    ("a talk\nanother talk\n a talk\r\n", [0, 1, 0]),
    // Recording, start, end: with tabs, commas or blanks.
    ("r 1\t0.0\t1.5\nr 1\t0.75\t2\nr 2\t0\t1\n", [0, 0, 2]),
    ("r,0,1.5\ns,0,1\nr,1,2\n", [0, 1, 0]),
    ("r 0 1.5\ns 0 1\nr 1 2\n", [0, 1, 0]),
    // Kaldi's segments.
    ("r-1 r 0 1.5\nr-2 r 1 2\ns-1 s 0 1\n", [0, 0, 2]),
  ])
  func everyRowHasTheFirstOfItsGroup(text: String, expected: [Int64]) throws {
    let file = try file(text)
    #expect(file.count == expected.count)
    #expect(try file.firstRows(0..<file.count) == expected)
    #expect(try file.firstRows(1..<file.count) == Array(expected.dropFirst()))
  }

  @Test(arguments: [
    ("a\n\nb\n", "line 2: expected the name of a group, found ''"),
    ("r 0 1\nr 1\n", "line 2: expected a recording, a start and an end, as on line 1, found 'r 1'"),
    (
      "u r 0 1\nu r 1 x\n",
      "line 2: expected a segment, its recording, a start and an end, as on line 1, found 'u r 1 x'"
    ),
  ])
  func aLineUnlikeTheFirstIsNamed(text: String, problem: String) throws {
    let file = try file(text)
    let error = #expect(throws: DataError.self) { try file.firstRows(0..<file.count) }
    #expect(error?.problem == problem)
  }
}
