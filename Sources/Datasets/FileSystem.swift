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

/// Whether two paths lead to one file or directory: by other names, or by links.
///
/// - Returns: False if one of them leads to nothing.
public func isSameFile(_ first: String, _ second: String) -> Bool {
  guard let first = identity(of: first) else { return false }
  return first == identity(of: second)
}

/// Whether two outputs would be one file: by other names, or by links, also to what is not there yet.
public func isSamePlace(_ first: String, _ second: String) -> Bool {
  if isSameFile(first, second) { return true }
  let (first, second) = (destination(of: first), destination(of: second))
  return name(of: first) == name(of: second)
    && isSameFile(directory(of: first), directory(of: second))
}

/// The file that is written under a name: the target of a link, whether it is there or not.
///
/// - Returns: `path` itself if it is no link, or one of a chain that leads nowhere.
func destination(of path: String) -> String {
  var place = path
  for _ in 0..<40 {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe readlink(place, $0.bindMemory(to: CChar.self).baseAddress!, $0.count)
    }
    guard count > 0 else { return place }
    let target = String(decoding: bytes[..<count], as: UTF8.self)
    place = target.hasPrefix("/") ? target : "\(directory(of: place))/\(target)"
  }
  return path
}

/// The last part of a path.
func name(of path: String) -> Substring {
  path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
}

/// Whether a file is in a directory, or in one that is in it, whatever the names and links.
///
/// - Returns: False if one of them is not there.
public func lies(_ path: String, in directory: String) -> Bool {
  guard let wanted = identity(of: directory), let resolved = unsafe realpath(path, nil) else {
    return false
  }
  defer { unsafe free(resolved) }
  var rest = unsafe String(cString: resolved)
  while let slash = rest.lastIndex(of: "/") {
    rest = String(rest[..<slash])
    if identity(of: rest.isEmpty ? "/" : rest) == wanted { return true }
  }
  return false
}

/// What the system tells files apart by; nil where nothing is, or where that cannot be found out.
private func identity(of path: String) -> FileIdentity? {
  var status = stat()
  guard unsafe stat(path, &status) == 0 else { return nil }
  return FileIdentity(device: status.st_dev, number: status.st_ino)
}

private struct FileIdentity: Equatable {
  let device: dev_t
  let number: ino_t
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
