import Communication
import Datasets
import Testing

struct LabelFileTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func labels(_ text: String) throws -> [Int64] {
    let file = try LabelFile(path: scratch.file("labels.txt", Array(text.utf8)))
    return try file.labels(0..<file.count)
  }

  @Test func readsLinesOfText() throws {
    #expect(try labels("") == [])
    #expect(try labels("\n \n") == [])
    #expect(try labels("3") == [3])
    #expect(try labels("3\n-4\n") == [3, -4])
    #expect(try labels("3\r\n 4 \r\n\t5\n\n  \n") == [3, 4, 5])
    #expect(try labels("\(Int64.min)\n+\(Int64.max)") == [.min, .max])
  }

  @Test(arguments: [
    ("1\n\n2\n", "line 2: expected an integer, found ''"),
    ("1\n2\n3.5\n", "line 3: expected an integer, found '3.5'"),
    ("\u{80}\tx", "line 1: expected an integer, found '\u{80}\\tx'"),
    ("9223372036854775808", "line 1: expected an integer, found '9223372036854775808'"),
    ("1 2\n", "line 1: expected an integer, found '1 2'"),
    (
      String(repeating: "7", count: 1000),
      "line 1: expected an integer, found '\(String(repeating: "7", count: 40))'…"
    ),
  ])
  func badLinesAreNamed(text: String, expected: String) throws {
    #expect(problem { _ = try labels(text) } == expected)
  }

  @Test func onlyTheLinesAskedForAreJudged() throws {
    let file = try LabelFile(path: scratch.file("l", Array("1\nx\n3\n".utf8)))
    #expect(file.count == 3)
    #expect(try file.labels(2..<3) == [3])
    #expect(try file.labels(0..<1) == [1])
    #expect(
      problem { _ = try file.labels(1..<3) } == "line 2: expected an integer, found 'x'")
  }

  @Test(arguments: ["", "\n"])
  func longTextsAreReadBySlices(ending: String) throws {
    let values = (0..<300_000).map { Int64($0 * 7919 % 1_000_003 - 500_000) }
    let text = values.map { "\($0)" }.joined(separator: "\n") + ending
    let file = try LabelFile(path: scratch.file("l.txt", Array(text.utf8)))
    #expect(file.count == values.count)
    for slice in [0..<300_000, 0..<1, 4095..<4097, 4096..<8192, 299_999..<300_000, 5..<5] {
      #expect(try file.labels(slice) == Array(values[slice]))
    }
  }

  @Test(arguments: ["(3,)", "(3, 1)"])
  func readsArrays(shape: String) throws {
    let path = try scratch.file("l.npy", npy("<i2", shape: shape, bytes([5, -6, 7] as [Int16])))
    let file = try LabelFile(path: path)
    #expect(file.count == 3)
    #expect(try file.labels(1..<3) == [-6, 7])
  }

  @Test(arguments: [
    ("<i2", "(1, 2)", "int16 of shape (1, 2); expected integers of shape (n,) or (n, 1)"),
    ("<f4", "(1,)", "float32 of shape (1,); expected integers of shape (n,) or (n, 1)"),
  ])
  func refusesArraysOfAnotherKind(descriptor: String, shape: String, expected: String) throws {
    let path = try scratch.file("l.npy", npy(descriptor, shape: shape, [0, 0, 0, 0]))
    #expect(problem { _ = try LabelFile(path: path) } == expected)
  }

  @Test(arguments: 1...5, ["l.npy", "l.txt"])
  func slicesOfRanksMakeTheSameFile(ranks: Int, name: String) throws {
    let labels: [Int64] = [10, -200, 3000, 4]
    let (alone, together) = (scratch("alone-\(name)"), scratch(name))
    try LabelFile.write(
      labels, count: 4, firstRow: 0, to: alone, overwrite: false, on: SingleRank())
    let read = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let rows = share(of: 4, communicator)
      try LabelFile.write(
        Array(labels[rows]), count: 4, firstRow: rows.lowerBound, to: together, overwrite: false,
        on: communicator)
      return try LabelFile(path: together).labels(rows)
    }
    #expect(try bytes(of: together) == bytes(of: alone))
    #expect(read.flatMap { $0 } == labels)
  }
}
