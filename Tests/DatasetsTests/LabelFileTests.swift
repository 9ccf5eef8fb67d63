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

  @Test func wholeNumbersWithAPointAreIntegers() throws {
    #expect(try labels("3.0\n-4.\n1.00\n") == [3, -4, 1])
  }

  @Test(arguments: [
    ("1\n\n2\n", "line 2: expected a label, an integer or a name, found ''"),
    ("a\n \nb\n", "line 2: expected a label, an integer or a name, found ' '"),
    ("1\r2\r", "line 1: expected a label, an integer or a name, found '1\\r2\\r'"),
    (
      "b\n" + String(repeating: "7", count: 5000),
      "line 2: expected a label, an integer or a name, found '\(String(repeating: "7", count: 40))'…"
    ),
  ])
  func badLinesAreNamed(text: String, expected: String) throws {
    #expect(problem { _ = try labels(text) } == expected)
  }

  @Test(
    arguments: [
      ("setosa\n virginica \r\nsetosa\n\n", [0, 1, 0], ["setosa", "virginica"], nil),
      ("Mus musculus\n\u{80}\tü", [0, 1], ["Mus musculus", "\u{80}\tü"], nil),
      ("1\n2\n3.5\n1\n", [0, 1, 2, 0], ["1", "2", "3.5"], "line 3 is '3.5', no integer"),
      ("x\n7\n07\n", [0, 1, 2], ["x", "7", "07"], "line 1 is 'x', no integer"),
      ("9223372036854775808\n", [0], ["9223372036854775808"], nil),
    ] as [(String, [Int64], [String], String?)])
  func namesAreNumberedAsTheyAppear(
    text: String, expected: [Int64], names: [String], oddity: String?
  ) throws {
    let file = try LabelFile(path: scratch.file("l.txt", Array(text.utf8)))
    #expect(try file.labels(0..<file.count) == expected)
    #expect(file.names == names)
    #expect(file.oddity == oddity)
    #expect(problem { try file.requireIntegers() }?.hasPrefix("line ") == true)
    for (number, name) in names.enumerated() {
      #expect(try file.number(of: name) == Int64(number))
    }
    #expect(try file.number(of: "nobody") == nil)
  }

  /// Whichever lines are asked for: the file says what a name's number is.
  @Test func slicesHaveTheNumbersOfTheWhole() throws {
    let values = (0..<20_000).map { "n\($0 * 7919 % 1003)" }
    let path = try scratch.file("l.txt", Array(values.joined(separator: "\n").utf8))
    let whole = try LabelFile(path: path).labels(0..<20_000)
    #expect(Set(whole) == Set(0..<1003))
    #expect(Array(whole[..<1003]) == Array(0..<1003))
    let parts = try ThreadCommunicator.run(ranks: 3) { communicator in
      let file = try LabelFile(path: path)
      return try file.labels(share(of: file.count, communicator))
    }
    #expect(parts.flatMap { $0 } == whole)
  }

  @Test func numbersAreNoNames() throws {
    let file = try LabelFile(path: scratch.file("l.txt", Array("4\n-1\n".utf8)))
    #expect(file.names == nil && file.oddity == nil)
    try file.requireIntegers()
    #expect(try file.number(of: " -1 ") == -1)
    #expect(
      problem { _ = try file.number(of: "noise") } == "holds integers; the label 'noise' is none")
  }

  @Test(arguments: [
    ("<f4", bytes([3, -1, 16_777_216] as [Float])),
    ("<f8", bytes([3, -1, 16_777_216] as [Double])),
    (">f8", bytes(([3, -1, 16_777_216] as [Double]).map(\.bitPattern.bigEndian))),
  ])
  func wholeFloatsAreIntegers(descriptor: String, data: [UInt8]) throws {
    let path = try scratch.file("l.npy", npy(descriptor, shape: "(3, 1)", data))
    #expect(try LabelFile(path: path).labels(0..<3) == [3, -1, 16_777_216])
    #expect(try LabelFile(path: path).labels(1..<2) == [-1])
  }

  @Test(arguments: [2.5, .nan, .infinity, 0x1p63])
  func otherFloatsAreRefused(value: Double) throws {
    let path = try scratch.file(
      "l.npy", npy("<f8", shape: "(3,)", bytes([1, value, 2])))
    let file = try LabelFile(path: path)
    #expect(try file.labels(2..<3) == [2])
    #expect(
      problem { _ = try file.labels(0..<3) }
        == "row 1: \(value); expected a whole number, as labels are")
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
    ("<f2", "(1, 2)", "float16 of shape (1, 2); expected integers of shape (n,) or (n, 1)"),
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
