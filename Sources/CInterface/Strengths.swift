internal import HierarchicalClustering
internal import LinearAlgebra
internal import Parallelism

/// How strongly every point belongs to its cluster: its cosine similarity to the mean direction of the cluster,
/// relative to that of the member nearest to it.
///
/// In 0 ... 1; 1 for the only member of a cluster. The bits do not depend on the threads.
///
/// - Complexity: Two readings of every row of a cluster that is not alone; memory for a row per thread.
func membershipStrengths(
  of labels: [Int64], clusterCount: Int, in source: some EmbeddingSource, using workers: Workers
) throws -> [Float] {
  var starts = Array(repeating: 0, count: clusterCount + 1)
  for label in labels { starts[Int(label) + 1] += 1 }
  for cluster in 0..<clusterCount { starts[cluster + 1] += starts[cluster] }
  var ends = starts
  var members = Array(repeating: 0, count: labels.count)
  for (point, label) in labels.enumerated() {
    members[ends[Int(label)]] = point
    ends[Int(label)] += 1
  }
  var ofMembers = Array(repeating: Float(1), count: labels.count)
  let (bounds, places) = (starts, members)
  ofMembers.forEachTile(
    (0..<clusterCount).map { bounds[$0]..<bounds[$0 + 1] }, using: workers
  ) { cluster, strengths in
    let points = places[bounds[cluster]..<bounds[cluster + 1]]
    // Alone, it may have no direction.
    guard points.count > 1 else { return }
    // A point that was clustered can be read: the rows do not change.
    func forEachRow(_ body: (_ place: Int, _ row: [Float], _ norm: Double) -> Void) {
      for (place, point) in points.enumerated() {
        let row = try! source.directions(point..<point + 1).matrix.elements
        let norm = row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        body(place, row, norm)
      }
    }
    var mean = Array(repeating: 0.0, count: source.dimensions)
    forEachRow { _, row, norm in
      for column in mean.indices { mean[column] += Double(row[column]) / norm }
    }
    forEachRow { place, row, norm in
      var product = 0.0
      for column in mean.indices { product += mean[column] * (Double(row[column]) / norm) }
      strengths[place] = Float(product)
    }
    let largest = strengths.indices.reduce(Float(0)) { max($0, strengths[$1]) }
    for place in strengths.indices {
      strengths[place] = largest > 0 ? max(0, strengths[place]) / largest : 0
    }
  }
  var strengths = ofMembers
  for (place, point) in members.enumerated() { strengths[point] = ofMembers[place] }
  return strengths
}
