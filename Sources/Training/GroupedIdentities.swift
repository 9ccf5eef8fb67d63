internal import RandomNumbers

/// Which identities are in which group.
struct GroupedIdentities: Equatable, Sendable {
  /// By identity. Any numbers.
  private(set) var group: [Int64: Int64]
  /// By identity. Equal names in two groups may be, or not, the same thing.
  private let name: [Int64: Int64]

  /// - Parameters:
  ///   - identities: Of points; each in one group.
  ///   - groups: Of the same points.
  ///   - names: Of the same points.
  init(_ identities: [Int64], groups: [Int64], names: [Int64]) {
    group = Dictionary(zip(identities, groups)) { first, _ in first }
    name = Dictionary(zip(identities, names)) { first, _ in first }
  }

  /// The identities dealt anew at random to groups that have as many as before, two of one name never to the
  /// same group: other recordings of the same voices.
  func dealtAnew(_ stream: inout RandomStream) -> GroupedIdentities {
    var free: [Int64: Int] = [:]
    for group in group.values { free[group, default: 0] += 1 }
    let groups = free.keys.sorted()
    var namesOfGroup: [Int64: Set<Int64>] = [:]
    var dealt = self
    for identity in stream.shuffled(group.keys.sorted()) {
      let name = name[identity]!
      let place = groups.first {
        free[$0]! > 0 && !namesOfGroup[$0, default: []].contains(name)
      }
      // Where only groups with that name are left, an identity is a group of its own.
      let group = place ?? -1 - identity
      free[group, default: 0] -= 1
      namesOfGroup[group, default: []].insert(name)
      dealt.group[identity] = group
    }
    return dealt
  }
}
