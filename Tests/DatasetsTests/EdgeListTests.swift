import Communication
import Datasets
import Testing

struct EdgeListTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func list(_ text: String) throws -> EdgeList {
    try EdgeList(path: scratch.file("edges.txt", Array(text.utf8)))
  }

  private func edges(
    _ text: String, above threshold: Double? = nil
  ) throws -> (ends: [Int64], ids: [String]) {
    let list = try list(text)
    let (ends, ids) = try list.ends(0..<list.lineCount, above: threshold)
    return (ends, ids.map { String(decoding: $0, as: UTF8.self) })
  }

  @Test(arguments: [
    "# from to\nb a\nc b\n\na d\n", "\u{feff}b\ta\r\nc\tb\r\na\td\r\n", "b, a\nc ,b\na,d",
    "  b  a \n c\tb\na d\n \n\n",
  ])
  func idsAreNumberedAsTheyAppear(text: String) throws {
    let (ends, ids) = try edges(text)
    #expect(ids == ["b", "a", "c", "d"])
    #expect(ends == [0, 1, 2, 0, 1, 3])
  }

  @Test func idsMayHoldWhatDoesNotSeparateThem() throws {
    #expect(try edges("Homo sapiens\tMus, musculus\n").ids == ["Homo sapiens", "Mus, musculus"])
    #expect(try edges("Homo sapiens,7\n").ids == ["Homo sapiens", "7"])
  }

  @Test func weakEdgesHaveEndsAllTheSame() throws {
    let text = "x y 0.5\ny z 2e-1\nz w 0.75\n"
    #expect(try edges(text).ends == [0, 1, 1, 2, 2, 3])
    #expect(try edges(text, above: 0.5).ends == [2, 3])
    #expect(try edges(text, above: 0.5).ids == ["x", "y", "z", "w"])
    #expect(try list(text).hasWeights)
    #expect(
      problem { try list("x y\n").requireWeights() }
        == "edges of two ids; expected a weight behind them")
    #expect(problem { try list("").requireWeights() } == nil)
  }

  /// Every rank numbers ids alike, whichever lines are its own.
  @Test func partsHaveTheNumbersOfTheWhole() throws {
    let text = (0..<10_000).map { "p\($0 * 7919 % 997) p\($0 * 31 % 1009)\n" }.joined()
    let list = try list(text)
    let whole = try list.ends(0..<list.lineCount, above: nil)
    for ranks in [1, 3] {
      let parts = try ThreadCommunicator.run(ranks: ranks) { communicator in
        try list.ends(share(of: list.lineCount, communicator), above: nil)
      }
      #expect(parts.flatMap(\.ends) == whole.ends)
      #expect(parts.allSatisfy { $0.ids == whole.ids })
    }
    #expect(whole.ids.count == 1009)
  }

  @Test func numbersOfPointsAreTakenAsTheyAre() throws {
    let list = try list("# n = 5\n4,0,1\n2,+3,0.25\n")
    #expect(try list.ends(0..<3, above: nil, pointCount: 5) == [4, 0, 2, 3])
    #expect(try list.ends(2..<3, above: nil, pointCount: 5) == [2, 3])
    #expect(try list.ends(0..<3, above: 0.5, pointCount: 5) == [4, 0])
    #expect(
      problem { _ = try list.ends(0..<3, above: nil, pointCount: 4) }
        == "line 2: id '4'; expected 0 ..< 4, as --points says")
    let words = try self.list("0 one\n")
    #expect(
      problem { _ = try words.ends(0..<1, above: nil, pointCount: 4) }
        == "line 1: id 'one'; expected 0 ..< 4, as --points says")
  }

  @Test(arguments: [
    (
      "a\n",
      "line 1: expected two ids, and perhaps a weight, separated by tabs, commas or blanks, found 'a'"
    ),
    (
      "# x\n1 2 3 4\n",
      "line 2: expected two ids, and perhaps a weight, separated by tabs, commas or blanks, found "
        + "'1 2 3 4'"
    ),
    ("a b\nc\n", "line 2: expected two ids separated by blanks, found 'c'"),
    ("a b\nc d 1\n", "line 2: expected two ids separated by blanks, found 'c d 1'"),
    ("a\tb\n# a\nc d\n", "line 3: expected two ids separated by tabs, found 'c d'"),
    ("a,b\nc,\n", "line 2: expected two ids separated by commas, found 'c,'"),
    ("a,b\nc\t1,d\n", "line 2: expected two ids separated by commas, found 'c\\t1,d'"),
    (
      "from,to,weight\na,b,1\n",
      "line 1: expected two ids and a weight separated by commas, found 'from,to,weight'"
    ),
    (
      "a,b,1\nc,d,nan\n",
      "line 2: expected two ids and a weight separated by commas, found 'c,d,nan'"
    ),
    ("a,b,1\nc,d\n", "line 2: expected two ids and a weight separated by commas, found 'c,d'"),
  ])
  func linesThatAreNoEdgesAreNamed(text: String, expected: String) throws {
    #expect(problem { _ = try edges(text) } == expected)
  }

  @Test func whatIsNoTextIsRefused() throws {
    let path = try scratch.file("e.txt", npy("<i8", shape: "(1, 2)", bytes([0, 1] as [Int64])))
    #expect(problem { _ = try EdgeList(path: path) } == "an .npy array; expected a text")
    #expect(try edges("").ids == [])
    #expect(try edges("# none\n").ends == [])
  }

  @Test(arguments: [1, 2, 3, 5])
  func tablesAreTheSameByAnyRanks(ranks: Int) throws {
    let ids = ["a", "Mus musculus", "ü", "7"].map { Array($0.utf8) }
    let labels: [Int64] = [0, 1, 0, 12]
    _ = try ThreadCommunicator.run(ranks: ranks) { communicator in
      try writeLabelTable(
        of: ids, owned: share(of: 4, communicator), to: scratch("t.tsv"), overwrite: true,
        on: communicator
      ) { Array(labels[$0]) }
    }
    #expect(
      try String(decoding: bytes(of: scratch("t.tsv")), as: UTF8.self)
        == "a\t0\nMus musculus\t1\nü\t0\n7\t12\n")
  }
}
