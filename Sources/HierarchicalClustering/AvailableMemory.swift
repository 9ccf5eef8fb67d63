internal import FoundationEssentials

/// How much memory a host still has for the processes of this group.
public enum AvailableMemory {
  /// In bytes: the memory that the kernel reports as available, limited by what every control group
  /// above this process leaves; nil if unknown.
  ///
  /// - Parameter root: Where the system's files are, `/proc` and `/sys/fs/cgroup`.
  public static func bytes(root: String = "") -> Int? {
    let host = number(
      ofKey: "MemAvailable:", in: text("\(root)/proc/meminfo")
    )
    .map { $0.multipliedReportingOverflow(by: 1024) }.map {
      $0.overflow ? Int.max : $0.partialValue
    }
    return ([host].compactMap { $0 } + controlGroups(root)).min()
  }

  /// What the limits of the control groups leave, from the process's own group up.
  private static func controlGroups(_ root: String) -> [Int] {
    guard let lines = text("\(root)/proc/self/cgroup") else { return [] }
    var left: [Int] = []
    for line in lines.split(separator: "\n") {
      // hierarchy:controllers:path; version 2 has no controllers.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isSecond = fields[1].isEmpty
      guard isSecond || fields[1].split(separator: ",").contains("memory") else { continue }
      let mount = "\(root)/sys/fs/cgroup" + (isSecond ? "" : "/memory")
      var names = fields[2].split(separator: "/")
      while true {
        let group = ([mount] + names.map(String.init)).joined(separator: "/")
        if let bytes = bytesLeft(in: group, isSecond) { left.append(bytes) }
        if names.popLast() == nil { break }
      }
    }
    return left
  }

  /// The limit of a control group without what it uses; files that are cached there can go.
  private static func bytesLeft(in group: String, _ isSecond: Bool) -> Int? {
    func value(_ name: String) -> Int? {
      text("\(group)/\(name)").flatMap { Int($0.filter { !$0.isWhitespace }) }
    }
    guard let limit = value(isSecond ? "memory.max" : "memory.limit_in_bytes"),
      let used = value(isSecond ? "memory.current" : "memory.usage_in_bytes")
    else { return nil }
    let cached =
      number(
        ofKey: isSecond ? "inactive_file" : "total_inactive_file",
        in: text("\(group)/memory.stat")) ?? 0
    return max(0, limit - max(0, used - cached))
  }

  private static func text(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }

  /// The number that follows a key at the beginning of a line.
  private static func number(ofKey key: String, in text: String?) -> Int? {
    for line in (text ?? "").split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count >= 2, words[0] == key { return Int(words[1]) }
    }
    return nil
  }
}
