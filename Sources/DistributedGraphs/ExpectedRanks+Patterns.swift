public import Communication
internal import Glibc

// What the patterns of this module would send. Each has the name of the function that it is the twin of.

extension ExpectedRanks {
  /// As ``NodePartition/fetch(_:at:on:)``.
  ///
  /// - Parameters:
  ///   - count: Requests of a rank to others.
  ///   - byteCount: Of a value.
  ///   - partnerCount: How many ranks are asked at most.
  public func fetch(
    _ count: Double, of byteCount: Double, to partnerCount: Double = .infinity
  ) -> ExpectedTraffic {
    allToAll(count, of: 8, to: partnerCount) + exchange(count, of: byteCount, to: partnerCount)
  }

  /// As ``NodePartition/scatter(_:to:into:on:combining:)``.
  ///
  /// - Parameters:
  ///   - count: Contributions of a rank to nodes of others.
  ///   - byteCount: Of one.
  ///   - partnerCount: To how many ranks they go at most.
  public func scatter(
    _ count: Double, of byteCount: Double, to partnerCount: Double = .infinity
  ) -> ExpectedTraffic {
    fetch(count, of: byteCount, to: partnerCount)
  }

  /// As ``NodePartition/deliver(_:width:to:on:)``.
  ///
  /// - Parameters:
  ///   - count: Rows that go to others.
  ///   - byteCount: Of a row.
  ///   - partnerCount: To how many ranks they go at most.
  public func deliver(
    _ count: Double, of byteCount: Double, to partnerCount: Double = .infinity
  ) -> ExpectedTraffic {
    fetch(count, of: byteCount, to: partnerCount)
  }

  /// As ``Halo/localizing(_:in:on:)``: the halo of a graph.
  public func halo(ofGhosts ghostCount: Double) -> ExpectedTraffic { allToAll(ghostCount, of: 8) }

  /// As ``Halo/extend(_:on:)``.
  ///
  /// - Parameter byteCount: Of a ghost's values.
  public func extend(_ ghostCount: Double, of byteCount: Double) -> ExpectedTraffic {
    exchange(ghostCount, of: byteCount)
  }

  /// As the rows of all pieces that ``Halo/pieces(rowByteCount:on:)`` makes.
  ///
  /// - Parameter byteCount: Of a ghost's row.
  public func pieces(_ ghostCount: Double, of byteCount: Double) -> ExpectedTraffic {
    if count == 1 { return ExpectedTraffic() }
    let pieces = min(
      Double(Halo.largestPieceCount),
      (ghostCount * byteCount / Double(Halo.pieceByteCount)).rounded(.down) + 1)
    return allGather(8) + pieces * exchange(ghostCount / pieces, of: byteCount)
  }

  /// How many other nodes a rank needs if nodes are spread over ranks without regard to their edges.
  ///
  /// Nodes are in different numbers of lists, of which some are in none: with a negative binomial distribution of shape
  /// 1.25 and the mean m a node is in a list of a rank with the probability 1 − (1 + m / (1.25 p))^−1.25.
  ///
  /// - Parameters:
  ///   - nodeCount: Of all ranks.
  ///   - meanListCount: m: the lists that a node is in, on average.
  public func ghostsOfScattered(_ nodeCount: Double, inLists meanListCount: Double) -> Double {
    let shape = 1.25
    let missed = pow(1 + meanListCount / (shape * size), -shape)
    return nodeCount * otherShare * (1 - missed)
  }
}
