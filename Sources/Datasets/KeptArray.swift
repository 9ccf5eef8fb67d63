// Answers that cannot be written where they were to be.

public import Communication
internal import Glibc

/// Writes an array by `write`; if that fails, keeps the array under another name, beside the output or else in
/// the temporary directory of rank 0's host, and says where.
///
/// The disk may be full, the directory gone, or another file there: the work was done all the same.
///
/// > Collective: as `write`. After its failure, twice at most, rounds of 2²⁰ elements per rank to rank 0.
///
/// - Parameters:
///   - slice: This rank's rows, in C order. Made only if they are kept.
///   - shape: Replicated. The shape of the whole array.
///   - firstRow: The place of the slice in it.
///   - path: What `write` writes.
/// - Throws: ``AgreedFailure`` of `write`, the same on every rank, with the place in its reason.
public func keepingOnFailure<Element: ArrayElement>(
  _ slice: @autoclosure () -> [Element], shape: [Int], firstRow: Int, of path: String,
  on communicator: some Communicator, _ write: () throws -> Void
) throws {
  do {
    try write()
  } catch let failure as AgreedFailure {
    for place in [destination(of: path), "\(temporaryDirectory)/\(name(of: path))"] {
      let place = String(
        decoding: try communicator.broadcast(Array(nameOfKept(place, as: "npy").utf8)),
        as: UTF8.self)
      do {
        try keep(slice(), shape: shape, firstRow: firstRow, in: place, on: communicator)
      } catch is AgreedFailure { continue }
      let host = String(
        decoding: try communicator.broadcast(Array(hostName.utf8)), as: UTF8.self)
      var told = failure
      told.reason += "; what was to be written is complete in \(place) on \(host)"
      throw told
    }
    throw failure
  }
}

/// Writes a file by `write`; if that fails, writes it under another name, beside the output or else in the temporary
/// directory, and says where.
///
/// - Throws: ``DataError`` of `write`, with the place in what it says.
public func keepingOnFailure(of path: String, _ write: (_ path: String) throws -> Void) throws {
  do { try write(path) } catch let error as DataError {
    for place in [destination(of: path), "\(temporaryDirectory)/\(name(of: path))"] {
      let place = nameOfKept(place)
      do { try write(place) } catch is DataError { continue }
      throw DataError(
        path: error.path,
        problem: "\(error.problem); what was to be written is complete in \(place) on \(hostName)")
    }
    throw error
  }
}

private var temporaryDirectory: String {
  unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
}

/// A name beside a path for what cannot get its name: `labels.kept-1a2b3c4d.npy` for `labels.npy`.
func nameOfKept(_ path: String, as newExtension: String? = nil) -> String {
  let mark = "kept-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
  let name = name(of: path)
  guard let dot = name.lastIndex(of: "."), dot != name.startIndex else {
    return "\(path).\(mark)" + (newExtension.map { ".\($0)" } ?? "")
  }
  let stem = path.dropLast(name[dot...].count)
  return "\(stem).\(mark).\(newExtension ?? String(name[name.index(after: dot)...]))"
}

private var hostName: String {
  var bytes = [UInt8](repeating: 0, count: 256)
  _ = unsafe bytes.withUnsafeMutableBytes {
    unsafe gethostname($0.bindMemory(to: CChar.self).baseAddress!, $0.count - 1)
  }
  return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
}

/// Writes an array by rank 0 alone, whom the others send theirs: they may be on hosts without its directories.
///
/// > Collective: over `communicator`.
private func keep<Element: ArrayElement>(
  _ slice: [Element], shape: [Int], firstRow: Int, in path: String,
  on communicator: some Communicator
) throws {
  let isFirst = communicator.rank == Rank(0)
  let rowLength = shape.dropFirst().reduce(1, *)
  let stride = MemoryLayout<Element>.stride
  let header = ArrayHeader.bytes(Element.elementType, shape: shape)
  let temporary = temporaryName(for: path)
  TemporaryFiles.add(temporary)
  defer { remove(temporary) }
  try communicator.agree {
    guard isFirst else { return }
    let file = try OutputFile(creating: temporary, for: path)
    try file.resize(to: header.count + shape.reduce(1, *) * stride)
    try file.write(header, at: 0)
  }
  let pieceLength = 1 << 20
  let pieceCount = try communicator.maximum((slice.count + pieceLength - 1) / pieceLength)
  for piece in 0..<pieceCount {
    let places =
      min(piece * pieceLength, slice.count)..<min((piece + 1) * pieceLength, slice.count)
    let firsts = try communicator.gatherOne(firstRow * rowLength + places.lowerBound)
    let arrived = try communicator.allToAll(
      Buckets(
        values: Array(slice[places]),
        counts: communicator.ranks.map { $0 == Rank(0) ? places.count : 0 }))
    try communicator.agree {
      guard isFirst else { return }
      let file = try OutputFile(opening: temporary, for: path)
      for rank in communicator.ranks {
        try file.write(Array(arrived[rank]), at: header.count + firsts[rank.index] * stride)
      }
    }
  }
  try communicator.agree {
    guard isFirst else { return }
    try OutputFile(opening: temporary, for: path).synchronize()
    guard unsafe rename(temporary, path) == 0 else {
      throw DataError.system(path, "cannot rename to")
    }
    synchronizeDirectory(of: path)
  }
}
