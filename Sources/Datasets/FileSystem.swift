// What is there, and what cannot be looked at: not the same.

internal import Glibc

/// Whether there is something of this name, of whatever kind.
///
/// - Throws: ``DataError`` if the system does not say so: for want of a right, or as a server does not
///   answer.
public func exists(_ path: String) throws -> Bool { try kind(of: path) != nil }

/// The type bits of what is at a path; nil where nothing is.
///
/// - Throws: ``DataError`` if the system does not say so.
func kind(of path: String) throws -> mode_t? {
  var status = stat()
  if unsafe stat(path, &status) == 0 { return status.st_mode & S_IFMT }
  guard errno == ENOENT || errno == ENOTDIR else {
    throw DataError.system(path, "cannot find out whether it is there")
  }
  return nil
}

/// The names of the ordinary files in a directory, sorted.
///
/// - Throws: ``DataError`` if there is no such directory, or it cannot be read.
public func fileNames(inDirectory path: String) throws -> [String] {
  let found = try kind(of: path)
  guard found == nil || found == S_IFDIR else {
    throw DataError(path: path, problem: "is not a directory")
  }
  guard let names = try namesInDirectory(path) else {
    throw DataError(path: path, problem: "there is no such directory")
  }
  return try names.filter { try kind(of: "\(path)/\($0)") == S_IFREG }.sorted()
}

/// The names in a directory, in no order, without `.` and `..`; nil if there is nothing of its name.
///
/// - Throws: ``DataError`` if it cannot be listed to its end, or is no directory.
public func namesInDirectory(_ path: String) throws -> [String]? {
  guard let directory = unsafe opendir(path) else {
    if errno == ENOENT { return nil }
    throw DataError.system(path, "cannot read the directory")
  }
  defer { unsafe closedir(directory) }
  var names: [String] = []
  while true {
    errno = 0
    guard let entry = unsafe readdir(directory) else {
      guard errno == 0 else { throw DataError.system(path, "cannot list the directory") }
      return names
    }
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
      unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
}
