// Directories that appear under their names only when they are complete.

public import Communication
internal import FoundationEssentials
internal import Glibc

/// Says now whether a directory could be written at the end: to be called before hours of work.
///
/// - Parameter marker: The name of a file in every directory of this kind.
/// - Throws: ``DataError`` if the name is no name for a directory; if there is something that is
///   neither an empty directory nor, with `overwrite`, one with the marker; or if nothing can be
///   created beside it. The last is tried with an empty file.
public func checkWritableDirectory(_ path: String, marker: String, overwrite: Bool) throws {
  let path = withoutTrailingSlashes(path)
  let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
  guard !["", ".", ".."].contains(name) else {
    throw DataError(path: path, problem: "not a name for a new directory")
  }
  switch try kind(of: path) {
  case nil: break
  case S_IFDIR:
    guard try !isEmpty(path) else { break }
    guard overwrite else {
      throw DataError(
        path: path,
        problem: "is not empty, and is not replaced unless that is asked for (--overwrite)")
    }
    // Replacing means removing: never what is not ours.
    guard try kind(of: "\(path)/\(marker)") == S_IFREG else {
      throw DataError(path: path, problem: "is not replaced: it holds files, but no \(marker)")
    }
  default: throw DataError(path: path, problem: "is not a directory")
  }
  try checkDirectory(of: path)
}

/// Writes a directory of files; it appears when all are complete, or not at all.
///
/// `body` is given the name of a temporary directory beside `path`, on every rank the same, and
/// fills it with files. It may communicate. A rank whose `body` throws does not communicate any
/// more: if the others' bodies threw as well, as after an ``AgreedFailure`` of a collective writer,
/// all ranks leave together; if not, they wait for a rank that has failed, as after any error on one
/// rank only, and it is for the program to end the job.
///
/// > Collective: five rounds: three of 1 byte per rank, and the broadcast of the temporary name;
/// > besides those of `body`. None after an error of `body`.
///
/// - Parameters:
///   - marker: The name of a file that `body` writes. A directory that is not empty is replaced,
///     with `overwrite`, only if it holds a file of this name.
///   - mayLose: Whether nothing need be made of a directory whose name is taken already. If not, as what is written took
///     long to find, it is made all the same, and gets a name of its own.
/// - Returns: What `body` returns.
/// - Throws: The same ``AgreedFailure`` on every rank, with what a ``DataError`` says as in
///   ``checkWritableDirectory(_:marker:overwrite:)``; what `body` threw, where it did.
public func writeDirectory<R>(
  to path: String, marker: String, overwrite: Bool, mayLose: Bool = true,
  on communicator: some Communicator, _ body: (_ temporary: String) throws -> R
) throws -> R {
  try communicator.assertReplicated((path: path, marker: marker, overwrite: overwrite))
  let path = withoutTrailingSlashes(path)
  let isFirst = communicator.rank == Rank(0)
  let created = try communicator.agree { () -> String in
    guard isFirst else { return "" }
    if mayLose { try checkWritableDirectory(path, marker: marker, overwrite: overwrite) }
    let temporary = temporaryName(for: destination(of: path))
    TemporaryFiles.add(temporary)
    guard unsafe mkdir(temporary, 0o777) == 0 else {
      TemporaryFiles.forget(temporary)
      throw DataError.system(path, "cannot create")
    }
    return temporary
  }
  let temporary = String(
    decoding: try communicator.broadcast(Array(created.utf8)), as: UTF8.self)
  do {
    let value = try body(temporary)
    // The directory appears after the work of all ranks, not only of the one that names it.
    try communicator.barrier()
    try communicator.agree {
      guard isFirst else { return }
      do {
        try finish(temporary, as: destination(of: path), marker: marker, overwrite: overwrite)
      } catch let error as DataError where TemporaryFiles.contains(temporary) {
        throw kept(temporary, instead: path, error)
      }
    }
    return value
  } catch {
    if isFirst {
      try? FileManager.default.removeItem(atPath: temporary)
      TemporaryFiles.forget(temporary)
    }
    throw error
  }
}

/// Writes new text files into a directory that ``writeDirectory(to:marker:overwrite:on:_:)`` fills, and has them all on the
/// disk in the end.
///
/// For each file by itself that would take much longer than writing it.
///
/// - Throws: ``DataError`` if there is a file of a name already, or writing fails.
public func writeTexts(
  _ texts: some Sequence<(name: String, text: String)>, inDirectory directory: String
) throws {
  for (name, text) in texts {
    let path = "\(directory)/\(name)"
    let file = try OutputFile(creating: path, for: path)
    try file.write(Array(text.utf8), at: 0)
  }
  sync()
}

/// Gives the finished directory a name of its own, as its name cannot be had, and says so.
private func kept(_ temporary: String, instead path: String, _ error: DataError) -> DataError {
  let place = nameOfKept(destination(of: path))
  guard unsafe rename(temporary, place) == 0 else { return error }
  TemporaryFiles.forget(temporary)
  return DataError(
    path: error.path, problem: "\(error.problem); what was to be there is complete in \(place)")
}

/// Gives the finished directory its name.
private func finish(
  _ temporary: String, as path: String, marker: String, overwrite: Bool
) throws {
  guard try kind(of: "\(temporary)/\(marker)") == S_IFREG else {
    throw DataError(path: path, problem: "what was written for it has been removed meanwhile")
  }
  synchronizeDirectory(of: "\(temporary)/")
  // What is there may have changed since the beginning.
  try checkWritableDirectory(path, marker: marker, overwrite: overwrite)
  // This replaces an empty directory, but no other.
  if unsafe rename(temporary, path) == 0 {
    TemporaryFiles.forget(temporary)
    return synchronizeDirectory(of: path)
  }
  guard errno == ENOTEMPTY || errno == EEXIST else {
    throw DataError.system(path, "cannot rename to")
  }
  // The finished directory is no longer temporary, whatever signal comes.
  TemporaryFiles.forget(temporary)
  // For a moment there is no directory of that name, but never half of one.
  let old = temporaryName(for: path)
  guard unsafe rename(path, old) == 0 else { throw DataError.system(path, "cannot rename") }
  guard unsafe rename(temporary, path) == 0 else {
    let error = DataError.system(path, "cannot rename to")
    unsafe rename(old, path)
    throw error
  }
  TemporaryFiles.add(old)
  defer { TemporaryFiles.forget(old) }
  synchronizeDirectory(of: path)
  try removeDirectory(old, replacedBy: path)
}

private func removeDirectory(_ old: String, replacedBy path: String) throws {
  do {
    try FileManager.default.removeItem(atPath: old)
  } catch {
    throw DataError(path: path, problem: "is complete, but what was there remains as '\(old)'")
  }
}

private func isEmpty(_ directory: String) throws -> Bool {
  try namesInDirectory(directory)?.isEmpty ?? true
}

private func withoutTrailingSlashes(_ path: String) -> String {
  var path = path
  while path.count > 1, path.last == "/" { path.removeLast() }
  return path
}
