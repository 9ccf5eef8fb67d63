internal import Communication

extension Laws {
  mutating func gathering() throws {
    try gathering(of: UInt8.self)
    try gathering(of: Triple.self)
    try gathering(of: PaddedPair.self)
    let indices = try communicator.gatherOne(rank.index)
    expect(indices == Array(0..<size), "gatherOne is in rank order")
  }

  private mutating func gathering<T: Sample>(of type: T.Type) throws {
    // Nobody, only the first, only the last, odd ranks, all, all but different.
    let counts: [(Int) -> Int] = [
      { _ in 0 }, { $0 == 0 ? 9 : 0 }, { [size] in $0 == size - 1 ? 8 : 0 }, { 7 * ($0 % 2) },
      { _ in 1 }, { $0 + 1 },
    ]
    for count in counts {
      let expected = communicator.ranks.map { source -> [T] in
        (0..<count(source.index)).map { sample(from: source, to: source, at: $0) }
      }
      let gathered = try communicator.allGather(expected[rank.index])
      expect(
        gathered == Buckets(values: expected.flatMap { $0 }, counts: expected.map(\.count)),
        "allGather of \(T.self), \(expected.map(\.count))")
    }
  }

  mutating func reductions() throws {
    let index = rank.index
    expect(try communicator.sum(index + 1) == size * (size + 1) / 2, "sum")
    expect(try communicator.maximum(index) == size - 1, "maximum")
    expect(try communicator.minimum(Double(-index)) == Double(1 - size), "minimum")
    let digits = try communicator.allReduce(index + 1) { 9 * $0 + $1 }
    expect(
      digits == (1...size).dropFirst().reduce(1) { 9 * $0 + $1 }, "allReduce is in rank order")
    for target in communicator.ranks {
      let isTarget = rank == target
      expect(try communicator.any(isTarget), "any: rank \(target.index) is enough")
      expect(try !communicator.all(!isTarget), "all: rank \(target.index) is missed")
    }
    expect(try !communicator.any(false), "any of none")
    expect(try communicator.all(true), "all of all")
  }

  mutating func replication() throws {
    try communicator.requireReplicated((size: size, none: Double.nan))
    for other in communicator.ranks where size > 1 && other.index > 0 {
      let failure = Result { try communicator.requireReplicated((size, rank == other)) }.failure
      expect(
        failure?.rank == other && failure?.failureCount == 1
          && failure?.code == AgreedFailure.notReplicated,
        "a value of rank \(other.index) alone is told, not \(String(describing: failure))")
    }
    let failure = Result { try communicator.requireReplicated(rank.index) }.failure
    expect(
      failure?.failureCount == (size > 1 ? size - 1 : nil),
      "a value of each rank is told, not \(String(describing: failure))")
    expect(try communicator.sum(1) == size, "after different values, ranks can go on")
  }

  mutating func prefixSums() throws {
    let index = rank.index
    expect(
      try communicator.exclusivePrefixSum(index + 1) == index * (index + 1) / 2,
      "exclusivePrefixSum is the sum before the own rank")
    expect(try communicator.exclusivePrefixSum(0) == 0, "exclusivePrefixSum of nothing")
  }

  mutating func broadcasts() throws {
    for root in communicator.ranks {
      for count in [0, 1, 9] {
        let values: [Int] = (0..<count).map { sample(from: root, to: root, at: $0) }
        let mine = rank == root ? values : [-1]
        expect(
          try communicator.broadcast(mine, from: root) == values,
          "broadcast of \(count) values from rank \(root.index)")
      }
    }
    expect(try communicator.broadcast([rank.index]) == [0], "broadcast is from rank 0")
  }

  mutating func agreement() throws {
    let index = rank.index
    expect(try communicator.agree { index } == index, "agree returns each rank's own result")
    for failing in communicator.ranks {
      let failure = failure { if index == failing.index { throw Refusal(text: "no \(index)") } }
      expect(
        failure
          == AgreedFailure(reason: "no \(failing.index)", rank: failing, failureCount: 1),
        "agree throws rank \(failing.index)'s error everywhere, not \(String(describing: failure))")
    }
    let everywhere = failure { throw Refusal(text: "no \(index)") }
    expect(
      everywhere == AgreedFailure(reason: "no 0", rank: Rank(0), failureCount: size),
      "agree throws the error of the lowest rank")
    let silent = failure { if index == size - 1 { throw Refusal(text: "") } }
    expect(
      silent?.rank.index == size - 1 && silent?.failureCount == 1,
      "agree throws errors without a description")
    expect(try communicator.sum(1) == size, "after a failure that is agreed on, ranks can go on")
  }

  private func failure(_ body: () throws -> Void) -> AgreedFailure? {
    Result { try communicator.agree(body) }.failure
  }
}

extension Result where Success == Void, Failure == any Error {
  /// What all ranks threw, if it is that.
  fileprivate var failure: AgreedFailure? {
    if case .failure(let error) = self { error as? AgreedFailure } else { nil }
  }
}

/// An error that says what it is told.
private struct Refusal: Error, CustomStringConvertible {
  var text: String
  var description: String { text }
}
