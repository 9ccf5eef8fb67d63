import Communication
import Datasets
import Foundation
import Testing

/// Work that is finished is not lost, whatever happens to the place where it was to be written.
@Suite struct LastingOutputTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Writes 0 ... 6 as a rank's share each, or keeps them; returns what every rank threw.
  private func write(to path: String, ranks: Int) throws -> [String] {
    try ThreadCommunicator.run(ranks: ranks) { communicator in
      let rows = share(of: 7, communicator)
      let slice = rows.map { Int64($0) }
      do {
        try keepingOnFailure(
          slice, shape: [7], firstRow: rows.lowerBound, of: path, on: communicator
        ) {
          try LabelFile.write(
            slice, count: 7, firstRow: rows.lowerBound, to: path, overwrite: false,
            on: communicator)
        }
        return ""
      } catch let failure as AgreedFailure { return failure.reason }
    }
  }

  /// The file that an error says the answer is kept in.
  private func place(in reason: String) throws -> String {
    let parts = reason.components(separatedBy: "what was to be written is complete in ")
    try #require(parts.count == 2, "\(reason)")
    return try #require(parts[1].components(separatedBy: " on ").first)
  }

  @Test(arguments: [1, 3], ["labels.npy", "labels.txt"])
  func whatCannotReplaceAnotherFileIsKeptBesideIt(ranks: Int, name: String) throws {
    let path = try scratch.file(name, [1, 2, 3])
    let reasons = try write(to: path, ranks: ranks)
    #expect(Set(reasons).count == 1)
    let kept = try place(in: reasons[0])
    #expect(reasons[0].hasPrefix("\(path): exists already"))
    #expect(kept.hasPrefix(scratch("labels.kept-")) && kept.hasSuffix(".npy"))
    #expect(try LabelFile(path: kept).labels(0..<7) == Array(0..<7))
    #expect(try bytes(of: path) == [1, 2, 3])
    #expect(try scratch.names.count == 2)
  }

  @Test(arguments: [1, 3])
  func whatHasNoDirectoryIsKeptInTheTemporaryOne(ranks: Int) throws {
    let path = scratch("gone/labels.npy")
    let reasons = try write(to: path, ranks: ranks)
    #expect(Set(reasons).count == 1)
    let kept = try place(in: reasons[0])
    #expect(try LabelFile(path: kept).labels(0..<7) == Array(0..<7))
    try FileManager.default.removeItem(atPath: kept)
    #expect(try scratch.names == [])
  }

  @Test(arguments: [1, 3]) func aLinkStaysAndItsTargetIsReplaced(ranks: Int) throws {
    let manager = FileManager.default
    try manager.createDirectory(atPath: scratch("other"), withIntermediateDirectories: false)
    for (link, target) in [("here.npy", "other/there.npy"), ("new.npy", scratch("other/new.npy"))] {
      try manager.createSymbolicLink(atPath: scratch(link), withDestinationPath: target)
      #expect(try write(to: scratch(link), ranks: ranks).allSatisfy(\.isEmpty))
      #expect(try manager.destinationOfSymbolicLink(atPath: scratch(link)) == target)
    }
    #expect(try LabelFile(path: scratch("other/there.npy")).labels(0..<7) == Array(0..<7))
    #expect(try LabelFile(path: scratch("other/new.npy")).labels(0..<7) == Array(0..<7))
    // Nothing temporary is left on either side.
    #expect(try manager.contentsOfDirectory(atPath: scratch("other")).count == 2)
    #expect(try scratch.names.count == 3)
  }

  @Test func twoNamesOfOneOutputAreSeen() throws {
    let manager = FileManager.default
    let file = try scratch.file("file.npy", [1])
    try manager.createSymbolicLink(atPath: scratch("link.npy"), withDestinationPath: "file.npy")
    try manager.linkItem(atPath: file, toPath: scratch("second.npy"))
    try manager.createSymbolicLink(atPath: scratch("new.npy"), withDestinationPath: "absent.npy")
    try manager.createSymbolicLink(atPath: scratch("here"), withDestinationPath: ".")
    #expect(isSamePlace(file, scratch("link.npy")))
    #expect(isSamePlace(file, scratch("second.npy")))
    #expect(isSamePlace(scratch("new.npy"), scratch("absent.npy")))
    #expect(isSamePlace(scratch("here/absent.npy"), scratch("absent.npy")))
    #expect(!isSamePlace(scratch("absent.npy"), scratch("other.npy")))
    #expect(!isSamePlace(file, scratch("other.npy")))
  }

  @Test func reservedSpaceBecomesTheFile() throws {
    let path = scratch("labels.npy")
    try LabelFile.reserveSpace(count: 100_000, to: path)
    let labels = (0..<100_000).map { Int64($0) }
    try LabelFile.write(
      labels, count: 100_000, firstRow: 0, to: path, overwrite: false, on: SingleRank())
    #expect(try LabelFile(path: path).labels(0..<100_000) == labels)
    #expect(try scratch.names == ["labels.npy"])
    // More than the file is to have in the end.
    let short = scratch("short.npy")
    try LabelFile.reserveSpace(count: 100_000, to: short)
    try LabelFile.write(
      [7], count: 1, firstRow: 0, to: short, overwrite: false, on: SingleRank())
    #expect(try bytes(of: short).count == 128 + 8)
    #expect(throws: DataError.self) {
      try LabelFile.reserveSpace(count: 1 << 50, to: scratch("large.npy"))
    }
  }

  /// The disk is filled after the space was reserved: only root can make a small one.
  @Test(.enabled(if: getuid() == 0, "a small file system is mounted by root"))
  func aFullDiskTakesWhatHasSpaceReserved() throws {
    let disk = scratch("disk")
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
    guard unsafe mount("none", disk, "tmpfs", 0, "size=4m") == 0 else {
      return print("skipped: no file system can be mounted here")
    }
    defer { unsafe umount(disk) }
    let (promised, other) = ("\(disk)/labels.npy", "\(disk)/other.npy")
    let labels = Array(repeating: Int64(3), count: 200_000)
    try LabelFile.reserveSpace(count: labels.count, to: promised)
    let filler = unsafe open("\(disk)/filler", O_WRONLY | O_CREAT, 0o600)
    let zeros = Array(repeating: UInt8(0), count: 4096)
    while unsafe Glibc.write(filler, zeros, zeros.count) == zeros.count {}
    close(filler)
    try LabelFile.write(
      labels, count: labels.count, firstRow: 0, to: promised, overwrite: false, on: SingleRank())
    #expect(try LabelFile(path: promised).labels(0..<labels.count) == labels)
    // What was not promised anything is kept elsewhere.
    let failure = #expect(throws: AgreedFailure.self) {
      try keepingOnFailure(labels, shape: [200_000], firstRow: 0, of: other, on: SingleRank()) {
        try LabelFile.write(
          labels, count: labels.count, firstRow: 0, to: other, overwrite: false, on: SingleRank())
      }
    }
    let kept = try place(in: failure?.reason ?? "")
    #expect(!kept.hasPrefix(disk))
    #expect(try LabelFile(path: kept).labels(0..<labels.count) == labels)
    try FileManager.default.removeItem(atPath: kept)
  }
}
