internal import RandomNumbers

/// Graphs whose class is written in how their parts are arranged, not in the parts: a task for
/// networks that see a hierarchy.
///
/// A graph is a ring of motifs, each a small dense group of nodes of one of two kinds: a *wheel* (a
/// hub and a rim) or a *ladder* (two paths with rungs); neighbours in the ring are joined by one edge
/// between random nodes. Every graph has as many motifs of one kind as of the other. In class 0 kinds
/// lie in two runs along the ring, in class 1 they alternate. So the two classes have the same
/// distribution of nodes, edges, degrees and motifs; what tells them apart is only which kinds of
/// motifs are neighbours. Nodes have no labels and no attributes.
///
/// The same options make the same graphs on every machine.
public struct MotifTask: Sendable {
  /// Graphs of both classes together; the classes alternate.
  public var graphCount: Int
  /// Nodes of a motif, drawn evenly from these.
  public var motifSizes: ClosedRange<Int>
  /// Motifs of each kind in a graph, drawn evenly from these.
  public var motifsPerKind: ClosedRange<Int>
  public var seed: UInt64

  /// - Precondition: At least 2 graphs, motifs of at least 4 nodes, 2 motifs of a kind.
  public init(
    graphCount: Int = 400, motifSizes: ClosedRange<Int> = 6...10,
    motifsPerKind: ClosedRange<Int> = 3...5, seed: UInt64 = 0
  ) {
    precondition(
      graphCount >= 2 && motifSizes.lowerBound >= 4 && motifsPerKind.lowerBound >= 2,
      "\(graphCount) graphs of \(motifsPerKind) motifs of \(motifSizes) nodes")
    self.graphCount = graphCount
    self.motifSizes = motifSizes
    self.motifsPerKind = motifsPerKind
    self.seed = seed
  }

  public enum Kind { case wheel, ladder }

  /// The edges of a motif of `count` nodes, each once.
  public static func edges(of kind: Kind, count: Int) -> [(Int, Int)] {
    var edges: [(Int, Int)] = []
    switch kind {
    case .wheel:
      let rim = count - 1
      for place in 0..<rim {
        edges.append((0, 1 + place))
        edges.append((1 + place, 1 + (place + 1) % rim))
      }
    case .ladder:
      // Node 2r and 2r + 1 are rung r; one node more, if the count is odd, closes a triangle.
      for node in 1..<count {
        if node % 2 == 1 || node == count - 1 { edges.append((node - 1, node)) }
        if node >= 2 { edges.append((node - 2, node)) }
      }
    }
    return edges
  }

  public func collection(name: String) -> GraphCollection {
    var nodeOffsets = [0]
    var rowOffsets = [0]
    var columns: [Int32] = []
    for graph in 0..<graphCount {
      var random = RandomStream(seed: seed, for: Purpose.motifs, graph)
      let neighbors = rows(ofClass: graph % 2, &random)
      for row in neighbors {
        columns += Set(row).sorted().map { Int32($0) }
        rowOffsets.append(columns.count)
      }
      nodeOffsets.append(nodeOffsets[graph] + neighbors.count)
    }
    return GraphCollection(
      name: name, nodeOffsets: nodeOffsets, rowOffsets: rowOffsets, columns: columns,
      classes: (0..<graphCount).map { $0 % 2 }, classLabels: [0, 1])
  }

  private func rows(ofClass place: Int, _ random: inout RandomStream) -> [[Int]] {
    func draw(_ range: ClosedRange<Int>) -> Int {
      range.lowerBound + random.below(range.count)
    }
    let perKind = draw(motifsPerKind)
    let kinds: [Kind] = (0..<2 * perKind).map { motif in
      (place == 0 ? motif < perKind : motif % 2 == 0) ? .wheel : .ladder
    }
    var neighbors: [[Int]] = []
    var motifs: [Range<Int>] = []
    func join(_ i: Int, _ j: Int) {
      neighbors[i].append(j)
      neighbors[j].append(i)
    }
    for kind in kinds {
      let first = neighbors.count
      let count = draw(motifSizes)
      neighbors += Array(repeating: [], count: count)
      motifs.append(first..<first + count)
      for (i, j) in Self.edges(of: kind, count: count) { join(first + i, first + j) }
    }
    for motif in motifs.indices {
      let other = motifs[(motif + 1) % motifs.count]
      join(
        motifs[motif].lowerBound + random.below(motifs[motif].count),
        other.lowerBound + random.below(other.count))
    }
    // Names say nothing of the arrangement.
    let name = random.shuffledFromTheEnd(Array(neighbors.indices))
    var renamed = Array(repeating: [Int](), count: neighbors.count)
    for (node, row) in neighbors.enumerated() { renamed[name[node]] = row.map { name[$0] } }
    return renamed
  }
}
