import Communication
import Datasets
import Foundation
import LinearAlgebra
import Testing

private let exists = "exists already, and is not overwritten unless that is asked for (--overwrite)"

struct WritingTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func array<T: ArrayElement & BinaryInteger>(_ type: T.Type, ranks: Int) throws -> [UInt8]
  {
    let path = scratch("\(type)-\(ranks).npy")
    _ = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let rows = share(of: 7, communicator)
      let slice = (rows.lowerBound * 2..<rows.upperBound * 2).map { T($0) }
      try writeArray(
        slice, shape: [7, 2], firstRow: rows.lowerBound, to: path, overwrite: false,
        on: communicator)
    }
    return try bytes(of: path)
  }

  @Test(arguments: 1...5)
  func slicesOfRanksMakeTheSameArray(ranks: Int) throws {
    let expected = (0..<14).map { Int64($0) }
    let wide = try array(Int64.self, ranks: ranks)
    #expect(Array(wide[128...]) == bytes(expected))
    #expect(try Array(array(Int32.self, ranks: ranks)[128...]) == bytes(expected.map { Int32($0) }))
    #expect(try ArrayFile(path: scratch("Int64-\(ranks).npy")).integers(rows: 0..<7) == expected)
  }

  @Test func writingTakesAsManyRoundsAsItSays() throws {
    let rounds = try ThreadCommunicator.run(ranks: 3) { base in
      let communicator = CountingCommunicator(base)
      let rank = base.rank.index
      func rounds(_ body: () throws -> Void) rethrows -> Int {
        let before = communicator.traffic
        try body()
        return (communicator.traffic - before).rounds
      }
      return try [
        rounds {
          try writeArray(
            [rank].map { Int32($0) }, shape: [3], firstRow: rank, to: scratch("a.npy"),
            overwrite: false, on: communicator)
        },
        rounds {
          try FeatureFile.write(
            Matrix(rows: 1, columns: 1), rowCount: 3, firstRow: rank, to: scratch("f.npy"),
            overwrite: false, on: communicator)
        },
        rounds {
          try LabelFile.write(
            [1], count: 3, firstRow: rank, to: scratch("l.npy"), overwrite: false,
            on: communicator)
        },
        rounds {
          try LabelFile.write(
            [1], count: 3, firstRow: rank, to: scratch("l.txt"), overwrite: false,
            on: communicator)
        },
        rounds {
          try writeDirectory(
            to: scratch("d"), marker: "m", overwrite: false, on: communicator
          ) { temporary in
            if rank == 0 { try writeText("", to: "\(temporary)/m", overwrite: false) }
          }
        },
        rounds { try writeText("", to: scratch("t"), overwrite: false, on: communicator) },
      ]
    }
    #expect(rounds == Array(repeating: [6, 7, 6, 8, 5, 1], count: 3))
  }

  @Test func anEmptyArrayIsOrdinary() throws {
    let path = scratch("e.npy")
    let shapes = try ThreadCommunicator.run(ranks: 3) { communicator in
      try writeArray(
        [Float](), shape: [5, 0], firstRow: communicator.rank.index, to: path, overwrite: false,
        on: communicator)
      return try ArrayFile(path: path).shape
    }
    #expect(shapes == [[5, 0], [5, 0], [5, 0]])
  }

  /// What each rank's write throws.
  private func failures(to path: String, ranks: Int = 3) throws -> [String] {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      do {
        try writeArray(
          [Int32(communicator.rank.index)], shape: [ranks], firstRow: communicator.rank.index,
          to: path, overwrite: false, on: communicator)
        return ""
      } catch {
        return "\(error)"
      }
    }
  }

  @Test func aTargetThatExistsIsLeftAlone() throws {
    let path = try scratch.file("x.npy", [1, 2, 3])
    #expect(try failures(to: path) == Array(repeating: "\(path): \(exists)", count: 3))
    #expect(try bytes(of: path) == [1, 2, 3])
    #expect(try scratch.names == ["x.npy"])
    try writeArray(
      [1.5 as Float], shape: [1], firstRow: 0, to: path, overwrite: true, on: SingleRank())
    #expect(try ArrayFile(path: path).floats(rows: 0..<1).elements == [1.5])
    #expect(try scratch.names == ["x.npy"])
  }

  @Test func aDirectoryThatIsMissingIsNamed() throws {
    let path = scratch("none/x.npy")
    let expected = "\(path): there is no directory '\(scratch("none"))'"
    #expect(try failures(to: path) == Array(repeating: expected, count: 3))
  }

  @Test func aFailingRankLeavesNoFile() throws {
    let path = scratch("x.npy")
    let directory = scratch.path
    let found = try ThreadCommunicator.run(ranks: 3) { communicator in
      // The second of three writes fails where its file is taken away after its creation.
      let saboteur = Saboteur(communicator, directory: directory)
      do {
        try writeArray(
          [Int32(communicator.rank.index)], shape: [3], firstRow: communicator.rank.index,
          to: path, overwrite: false, on: saboteur)
        return ""
      } catch {
        return "\(error)"
      }
    }
    let expected = "\(path): cannot open for writing: No such file or directory"
    #expect(found == Array(repeating: expected, count: 3))
    #expect(try scratch.names == [])
  }

  @Test func targetsAreCheckedBeforehand() throws {
    let file = try scratch.file("f", [])
    #expect(problem { try checkWritable(scratch("new"), overwrite: false) } == nil)
    #expect(problem { try checkWritable(file, overwrite: true) } == nil)
    #expect(problem { try checkWritable(file, overwrite: false) } == exists)
    #expect(problem { try checkWritable("", overwrite: false) } == "not a name for a file")
    #expect(
      problem { try checkWritable(scratch("x/"), overwrite: false) } == "not a name for a file")
    #expect(
      problem { try checkWritable(scratch.path, overwrite: true) }
        == "is a directory; expected a name for a file")
    #expect(
      problem { try checkWritable("/dev/null", overwrite: true) }
        == "is not an ordinary file, and is not replaced")
    #expect(
      problem { try checkWritable(scratch("f/x"), overwrite: false) }
        == "there is no directory '\(file)'")
    #expect(
      problem { try checkWritable("/proc/x", overwrite: false) }
        == "cannot create: No such file or directory (in the directory '/proc')")
    #expect(try scratch.names == ["f"])
  }

  @Test(.enabled(if: geteuid() != 0, "the superuser may write everywhere"))
  func directoriesWithoutPermissionAreFoundBeforehand() throws {
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o555], ofItemAtPath: scratch.path)
    #expect(
      problem { try checkWritable(scratch("x"), overwrite: false) }
        == "cannot create: Permission denied (in the directory '\(scratch.path)')")
  }

  @Test func textsAndValuesAreWrittenWhole() throws {
    try writeText("one\ntwo\n", to: scratch("t"), overwrite: false)
    #expect(try bytes(of: scratch("t")) == Array("one\ntwo\n".utf8))
    #expect(problem { try writeText("", to: scratch("t"), overwrite: false) } == exists)
    try writeText("", to: scratch("t"), overwrite: true)
    #expect(try bytes(of: scratch("t")) == [])
    let path = scratch("v.json")
    _ = try ThreadCommunicator.run(ranks: 2) { communicator in
      try writeJSON(
        ["b/c": 1, "a": communicator.rank.index], to: path, overwrite: false, on: communicator)
    }
    #expect(
      try String(decoding: bytes(of: path), as: UTF8.self) == "{\n  \"a\" : 0,\n  \"b/c\" : 1\n}\n")
    #expect(try scratch.names == ["t", "v.json"])
  }

  @Test(arguments: [true, false])
  func aDirectoryAppearsWhole(emptyBefore: Bool) throws {
    let path = scratch("hierarchy")
    if emptyBefore {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
    try writeHierarchy(to: path + "/", overwrite: false, value: 1)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        == ["level0.npy", "summary.json"])
    #expect(try LabelFile(path: "\(path)/level0.npy").labels(0..<3) == [1, 2, 3])
    #expect(try scratch.names == ["hierarchy"])
  }

  private func writeHierarchy(to path: String, overwrite: Bool, value: Int64) throws {
    _ = try ThreadCommunicator.run(ranks: 3) { communicator in
      try writeDirectory(
        to: path, marker: "summary.json", overwrite: overwrite, on: communicator
      ) { temporary in
        let rank = communicator.rank.index
        try LabelFile.write(
          [value + Int64(rank)], count: 3, firstRow: rank, to: "\(temporary)/level0.npy",
          overwrite: false, on: communicator)
        try writeJSON([value], to: "\(temporary)/summary.json", overwrite: false, on: communicator)
      }
    }
  }

  @Test func aDirectoryIsReplacedOnlyIfAskedFor() throws {
    let path = scratch("hierarchy")
    try writeHierarchy(to: path, overwrite: false, value: 1)
    let error = #expect(throws: AgreedFailure.self) {
      try writeHierarchy(to: path, overwrite: false, value: 2)
    }
    #expect(
      error?.reason
        == "\(path): is not empty, and is not replaced unless that is asked for (--overwrite)")
    #expect(try LabelFile(path: "\(path)/level0.npy").labels(0..<1) == [1])
    try writeHierarchy(to: path, overwrite: true, value: 2)
    #expect(try LabelFile(path: "\(path)/level0.npy").labels(0..<1) == [2])
    #expect(try scratch.names == ["hierarchy"])
  }

  @Test func aDirectoryThatIsNotOursIsNeverReplaced() throws {
    let error = #expect(throws: AgreedFailure.self) {
      _ = try scratch.file("thesis.tex", [1])
      try writeHierarchy(to: scratch.path, overwrite: true, value: 1)
    }
    #expect(
      error?.reason == "\(scratch.path): is not replaced: it holds files, but no summary.json")
    #expect(try scratch.names == ["thesis.tex"])
  }

  private struct Failure: Error {}

  /// It does not communicate: it must not meet the others in one of their collectives.
  @Test(arguments: 0..<3)
  func aBodyThatFailsOnOneRankIsSilentAndLeavesNoDirectory(failing: Int) throws {
    let path = scratch("hierarchy")
    let failures = try ThreadCommunicator.run(ranks: 3) { base in
      let communicator = CountingCommunicator(base)
      var before = Traffic()
      do {
        try writeDirectory(
          to: path, marker: "summary.json", overwrite: false, on: communicator
        ) { temporary in
          try writeJSON([1], to: "\(temporary)/summary.json", overwrite: false, on: communicator)
          before = communicator.traffic
          if communicator.rank == Rank(failing) { throw Failure() }
        }
        return "none"
      } catch is Failure {
        return communicator.traffic == before ? "silent" : "talking"
      } catch is ThreadCommunicationError {
        return "left alone"
      }
    }
    #expect(failures == (0..<3).map { $0 == failing ? "silent" : "left alone" })
    #expect(try scratch.names == [])
  }

  @Test func aBodyThatFailsOnAllRanksLeavesNoDirectory() throws {
    let path = scratch("hierarchy")
    let reasons = try ThreadCommunicator.run(ranks: 3) { communicator in
      do {
        try writeDirectory(
          to: path, marker: "summary.json", overwrite: false, on: communicator
        ) { temporary in
          try communicator.agree { if communicator.rank == Rank(1) { throw Failure() } }
        }
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(reasons == ["Failure()", "Failure()", "Failure()"])
    #expect(try scratch.names == [])
  }

  @Test func directoriesAreCheckedBeforehand() throws {
    func check(_ path: String) -> String? {
      problem { try checkWritableDirectory(path, marker: "m", overwrite: false) }
    }
    let file = try scratch.file("f", [])
    #expect(check(scratch("new")) == nil)
    #expect(check(file) == "is not a directory")
    #expect(check(scratch("none/new")) == "there is no directory '\(scratch("none"))'")
    #expect(check(".") == "not a name for a new directory")
    #expect(check("/") == "not a name for a new directory")
  }
}

/// A communicator on which rank 1 removes the temporary file as soon as it knows of it.
private final class Saboteur: Communicator {
  let base: ThreadCommunicator
  let directory: String

  init(_ base: ThreadCommunicator, directory: String) {
    self.base = base
    self.directory = directory
  }

  var rank: Rank { base.rank }
  var size: Int { base.size }

  func exchange(
    _ outgoing: RawSpan, to destinations: [Segment],
    into incoming: inout MutableRawSpan, from sources: [Segment]
  ) throws {
    try base.exchange(outgoing, to: destinations, into: &incoming, from: sources)
  }

  func transpose(_ counts: [Int]) throws -> [Int] { try base.transpose(counts) }

  func withGroup<R>(_ group: Int, _ body: (Saboteur) throws -> R) throws -> R {
    try base.withGroup(group) { try body(Saboteur($0, directory: directory)) }
  }

  func allGather(
    _ contribution: RawSpan, byteCounts: [Int], into gathered: inout MutableRawSpan
  ) throws {
    try base.allGather(contribution, byteCounts: byteCounts, into: &gathered)
    // The broadcast of the name is the only long message.
    guard gathered.byteCount > 60 else { return }
    if rank == Rank(1) {
      for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
        try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
      }
    }
    try base.barrier()
  }
}
