internal import Glibc
internal import LinearAlgebra
internal import NeighborSearch
internal import RandomNumbers

/// A generated set of labelled unit rows: a mixture of mixtures of normal distributions.
///
/// It has groups of clusters, clusters in each group, and points in each cluster. Every set draws anew
/// the dimension (16 … 256), the number and sizes of clusters (from equal to long-tailed), the distance of
/// clusters within a group, the width of each cluster, and a common offset.
///
/// - Parameters:
///   - index: Which set; everything random follows from it and the seed.
///   - limit: The maximum number of points; at least a third of that are made.
/// - Complexity: O(limit · columns).
package func syntheticMixture(_ index: Int, limit: Int, seed: UInt64) -> LabelledRows {
  var stream = RandomStream(seed: seed, purpose: RandomPurpose.mixture.rawValue, index: index)
  let count = limit / 3 + stream.below(limit - limit / 3)
  let columns = Int(stream.logUniform(16, 257))
  let clusterCount = Int(stream.logUniform(min(30, Double(count) / 4), Double(count) / 4 + 1))
  let tail = 1.5 * stream.uniform()
  var bounds: [Double] = []
  for _ in 0..<clusterCount { bounds.append((bounds.last ?? 0) + exp(tail * stream.normal())) }
  let groupCount = max(2, clusterCount / (3 + stream.below(12)))
  func vector(_ stream: inout RandomStream, times scale: Double) -> [Double] {
    (0..<columns).map { _ in scale * stream.normal() }
  }
  let groups = (0..<groupCount).map { _ in vector(&stream, times: 1) }
  let distance = 0.4 + 1.1 * stream.uniform()
  let spread = distance * (0.4 + 0.9 * stream.uniform())
  let offset = vector(&stream, times: stream.uniform())
  let centres = (0..<clusterCount).map { _ in
    let group = groups[stream.below(groupCount)]
    return zip(zip(group, vector(&stream, times: distance)), offset).map { $0.0 + $0.1 + $1 }
  }
  let spreads = (0..<clusterCount).map { _ in
    spread * (0.5 + stream.uniform()) * exp(0.3 * stream.normal())
  }
  var elements: [Float] = []
  elements.reserveCapacity(count * columns)
  var labels: [Int64] = []
  for _ in 0..<count {
    let place = stream.uniform() * bounds[clusterCount - 1]
    let cluster = bounds.firstIndex { $0 >= place } ?? clusterCount - 1
    labels.append(Int64(cluster))
    for column in 0..<columns {
      elements.append(Float(centres[cluster][column] + spreads[cluster] * stream.normal()))
    }
  }
  var rows = Matrix(rows: count, columns: columns, elements: elements)
  _ = rows.normalizeRows()
  return LabelledRows(rows: rows, labels: labels)
}
