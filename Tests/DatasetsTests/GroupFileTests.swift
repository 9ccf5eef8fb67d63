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
    ("\"recording\",\"start\",\"end\"\n\"r\",0,1.5\ns,0,1\nr,1,2\n", [0, 1, 0]),
    // Kaldi's segments.
    ("r-1 r 0 1.5\nr-2 r 1 2\ns-1 s 0 1\n", [0, 0, 2]),
    // With headings.
    ("recording\tstart\tend\nr 1\t0\t1\nr 2\t0\t1\nr 1\t1\t2\n", [0, 1, 0]),
    ("recording,start,end\r\ns,0,1\r\nr,1,2\r\n", [0, 1]),
    ("segment recording start end\nr-1 r 0 1.5\ns-1 s 0 1\n", [0, 1]),
    // Names, which may have blanks.
    ("a b c\nr 0 1 2 3\n", [0, 1]),
  ])
  func everyRowHasTheFirstOfItsGroup(text: String, expected: [Int64]) throws {
    let file = try file(text)
    #expect(file.count == expected.count)
    #expect(try file.firstRows(0..<file.count) == expected)
    #expect(try file.firstRows(1..<file.count) == Array(expected.dropFirst()))
  }

  /// What files of other forms call the same.
  @Test func namesAreThoseOfAnyForm() throws {
    func names(_ file: GroupFile) throws -> [String] {
      try file.names(1..<file.count) { String(decoding: $0, as: UTF8.self) }
    }
    #expect(try names(file("7\n -1 \n7\n")) == ["-1", "7"])
    #expect(try names(file("recording start end\n7 0 1\n-1 0 1\n7 1 2\n")) == ["-1", "7"])
    let array = try GroupFile(
      path: scratch.file(
        "groups.npy",
        npy(
          header: "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }",
          bytes([7, -1, 7] as [Int64]))))
    #expect(try names(array) == ["-1", "7"])
  }

  @Test(arguments: [
    ("a\n\nb\n", "line 2: expected the name of a group, found ''"),
    ("r 0 1\nr 1\n", "line 2: expected a recording, a start and an end, as on line 1, found 'r 1'"),
    (
      "u r 0 1\nu r 1 x\n",
      "line 2: expected a segment, its recording, a start and an end, as on line 1, found 'u r 1 x'"
    ),
    (
      "name,from,to\nr,0,1\nr,1\n",
      "line 3: expected a recording, a start and an end, as on line 2, found 'r,1'"
    ),
  ])
  func aLineUnlikeTheFirstIsNamed(text: String, problem: String) throws {
    let file = try file(text)
    let error = #expect(throws: DataError.self) { try file.firstRows(0..<file.count) }
    #expect(error?.problem == problem)
  }
}
