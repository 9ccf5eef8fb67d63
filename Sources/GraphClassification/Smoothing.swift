public import Communication
public import Differentiation
public import GraphCollections
public import LinearAlgebra
public import Parallelism

/// How alike the nodes of a graph have become, layer by layer.
public struct SmoothingProfile: Equatable, Codable, Sendable {
  /// Per layer: the mean over graphs of the mean cosine distance 1 − cos(hᵢ, hⱼ) over all pairs of
  /// different nodes. 0 where all rows point the same way.
  public var nodeDistances: [Double]
  /// The same of the clusters of each pooling level.
  public var clusterDistances: [Double]
}

/// The mean cosine distance of all pairs of rows, by the norm of the sum of unit rows.
///
///     Σ over i ≠ j of cos = ‖Σ h/‖h‖‖² − n;   distance = 1 − that / (n (n − 1))
///
/// Rows of zeros count as unlike everything: their cosine is 0.
///
/// - Returns: Nil for fewer than two rows.
/// - Complexity: O(rows · columns).
func meanCosineDistance(_ rows: Matrix, _ range: Range<Int>) -> Double? {
  guard range.count > 1 else { return nil }
  var sum = Array(repeating: 0.0, count: rows.columnCount)
  var unitCount = 0.0
  for row in range {
    let values = rows.row(row).map { Double($0) }
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 0 else { continue }
    unitCount += 1
    for column in sum.indices { sum[column] += values[column] / norm }
  }
  let pairs = Double(range.count * (range.count - 1))
  return 1 - (sum.reduce(0) { $0 + $1 * $1 } - unitCount) / pairs
}

/// What a network does to the differences between nodes, over some graphs.
///
/// Sums run in the order of the graphs: the same bits on any number of ranks.
///
/// > Collective: over `communicator`. Two rounds; a number per graph and layer to every rank.
public func smoothing(
  of network: GraphNetwork<Float>, on graphs: [Int], of collection: GraphCollection, rows: Matrix,
  workers: Workers = Workers(), on communicator: some Communicator
) throws -> SmoothingProfile {
  try communicator.assertReplicated(graphs.count)
  try communicator.assertReplicated(graphs, from: .all)
  let hands = deal(costs: graphs.map(collection.cost(of:)), among: communicator.size)
  let own = hands[communicator.rank.index].map { graphs[$0] }
  let architecture = network.architecture
  let levelCount = architecture.clusterCounts.count
  let layerCount = architecture.layerCount
  let width = layerCount + levelCount
  // NaN where a graph has no pairs.
  var distances: [Double] = []
  for places in passes(over: own, of: collection) {
    let input = GraphInput<Float>(
      GraphBatch(places.map { own[$0] }, of: collection, rows: rows))
    let output = network.output(of: input, looksInside: true, tape: Tape(workers: workers))
    for graph in 0..<input.graphCount {
      distances += output.embeddings.map {
        meanCosineDistance($0, input.blocks[graph]) ?? .nan
      }
      distances += (0..<levelCount).map { level in
        let length = architecture.clusterCounts[level]
        return meanCosineDistance(
          output.pooledFeatures[level], graph * length..<(graph + 1) * length) ?? .nan
      }
    }
  }
  let all = try communicator.allGather(distances)
  var ofGraph = Array(repeating: all.values[0..<0], count: graphs.count)
  for rank in communicator.ranks {
    var theirs = all[rank]
    for place in hands[rank.index] {
      ofGraph[place] = theirs.prefix(width)
      theirs = theirs.dropFirst(width)
    }
  }
  let means = (0..<width).map { layer in
    let known = ofGraph.map { $0[$0.startIndex + layer] }.filter { !$0.isNaN }
    return known.reduce(0, +) / Double(max(known.count, 1))
  }
  return SmoothingProfile(
    nodeDistances: Array(means[..<layerCount]), clusterDistances: Array(means[layerCount...]))
}

extension SmoothingProfile {
  /// - Precondition: At least one; all of the same network.
  public init(meanOf profiles: [SmoothingProfile]) {
    func mean(_ values: KeyPath<SmoothingProfile, [Double]>) -> [Double] {
      profiles[0][keyPath: values].indices.map { place in
        profiles.reduce(0) { $0 + $1[keyPath: values][place] } / Double(profiles.count)
      }
    }
    self.init(
      nodeDistances: mean(\.nodeDistances), clusterDistances: mean(\.clusterDistances))
  }
}
