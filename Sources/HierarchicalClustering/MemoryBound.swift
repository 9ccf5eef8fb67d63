internal import Communication
internal import DistributedGraphs
public import NeighborSearch
internal import SimilarityStructure

/// The memory of a run that fits if at least half of the nodes of every level merge. Where fewer do, the run ends
/// before it takes more.
public struct MemoryBound: Sendable {
  private let need: ClusteringMemory
  private let bytes: Double
  private let search: SearchOptions

  /// - Parameters:
  ///   - need: Replicated. Of the run.
  ///   - bytes: Replicated. What may be taken on each rank of what grows with the points.
  ///   - search: How each level is searched.
  public init(_ need: ClusteringMemory, bytes: Double, search: SearchOptions) {
    self.need = need
    self.bytes = bytes
    self.search = search
  }

  /// Checks that level 0 can become so many nodes.
  ///
  /// - Throws: ``AgreedFailure`` if that would take too much.
  func checkContraction(to nodeCount: Int) throws {
    try check(need.bytes(ofFirstContractionTo: nodeCount, by: search), level: 1, nodeCount)
  }

  /// Checks that a later level can be judged, and become the next one.
  ///
  /// > Collective: over `communicator`. One round of 8 bytes per rank.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if that would take too much.
  func check(_ level: Level, on communicator: some Communicator) throws {
    let pairs = try communicator.maximum(level.evidence?.pointEdges.pairCount ?? 0)
    let nodeCount = level.nodes.nodeCount
    try check(
      need.bytes(ofLevelOf: nodeCount, pairs: pairs, by: search), level: level.number, nodeCount)
  }

  private func check(_ needed: Double, level: Int, _ nodeCount: Int) throws {
    guard needed > bytes else { return }
    func megabytes(_ bytes: Double) -> Int { Int((bytes / Double(1 << 20)).rounded(.up)) }
    throw AgreedFailure(
      reason:
        "too few nodes merge for the memory that is allowed: level \(level) has \(nodeCount) nodes and "
        + "may take \(megabytes(needed - bytes))M more than that on each of \(need.search.rankCount) "
        + (need.search.rankCount == 1 ? "rank" : "ranks"))
  }
}
