internal import Datasets
internal import LinearAlgebra

/// A level of a hierarchy on disk. In memory are a few numbers per node; lists are read in blocks.
public struct StoredLevel: Sendable {
  public let number: Int
  /// The input point of each node, ascending.
  public let inputPoint: [Int]
  /// The index within the level of each node's parent; its own for a peak.
  public let parent: [Int]
  public let density: [Float]
  private let directory: String
  private let hasModules: Bool
  private let neighbors, similarity, linkage: ArrayFile

  /// An edge into a node, from a neighbour of its list.
  public struct Edge: Sendable {
    /// The index within the level of the neighbour.
    public var source: Int
    public var similarity: Float
    /// p.
    public var probability: Float
  }

  /// - Throws: ``DataError`` if a file is missing or contradicts the others: indices out of range,
  ///   parents that are not denser, other numbers of nodes or merges.
  ///
  /// - Parameter hasModules: Whether nodes went to modules, in which their peak need not be a neighbour.
  init(
    directory: String, _ summary: StoredHierarchy.Summary.Level, pointCount: Int, hasModules: Bool
  ) throws {
    self.directory = directory
    self.hasModules = hasModules
    number = summary.level
    let count = summary.nodeCount
    func file(_ name: String, of shape: [Int]?) throws -> ArrayFile {
      let file = try ArrayFile(path: "\(directory)/\(name).npy")
      guard file.rowCount == count, shape.map({ $0 == file.shape }) ?? (file.shape.count == 2)
      else {
        let columns = shape.map { $0.count == 2 ? ", \($0[1])" : "" } ?? ", neighbours"
        throw DataError(
          path: file.path,
          problem: "shape \(file.shape); expected [\(count)\(columns)], "
            + "for the nodes of level \(summary.level)")
      }
      return file
    }
    neighbors = try file("neighbors", of: nil)
    similarity = try file("similarity", of: neighbors.shape)
    linkage = try file("linkage", of: neighbors.shape)
    let nodes = try file("nodes", of: [count])
    let parents = try file("parent", of: [count])
    let densities = try file("density", of: [count])
    inputPoint = try nodes.integers(rows: 0..<count).map { Int($0) }
    parent = try parents.integers(rows: 0..<count).map { Int($0) }
    density = try densities.floats(rows: 0..<count).elements

    for (node, point) in inputPoint.enumerated() {
      guard (0..<pointCount).contains(point), node == 0 || inputPoint[node - 1] < point else {
        throw DataError(
          path: nodes.path,
          problem: "row \(node): input point \(point); expected ascending ones in "
            + "0 ..< \(pointCount)")
      }
    }
    for (node, density) in density.enumerated() where !density.isFinite {
      throw DataError(path: densities.path, problem: "row \(node): density \(density)")
    }
    var mergedCount = 0
    for (node, parent) in parent.enumerated() where parent != node {
      guard (0..<count).contains(parent) else {
        throw DataError(
          path: parents.path, problem: "row \(node): index \(parent); expected 0 ..< \(count)")
      }
      guard (density[node], parent) < (density[parent], node) else {
        throw DataError(
          path: parents.path,
          problem: "row \(node): its parent \(parent) is not denser; expected so of all parents")
      }
      mergedCount += 1
    }
    guard mergedCount == summary.mergedCount else {
      throw DataError(
        path: parents.path,
        problem: "\(mergedCount) nodes with a parent; expected \(summary.mergedCount), as in "
          + StoredHierarchy.marker)
    }
  }

  public var nodeCount: Int { parent.count }
  /// For messages about edges.
  var similarityPath: String { similarity.path }

  /// Calls `body` with every node and the edges into it, nearest first.
  ///
  /// - Throws: ``DataError`` if an index is out of range or p is no probability; what `body` throws.
  /// - Complexity: O(places of lists); a block of 4096 lists in memory.
  public func forEachNode(_ body: (Int, [Edge]) throws -> Void) throws {
    let length = neighbors.columnCount
    var edges: [Edge] = []
    for start in stride(from: 0, to: nodeCount, by: 4096) {
      let rows = start..<min(start + 4096, nodeCount)
      let sources = try neighbors.integers(rows: rows)
      let similarities = try similarity.floats(rows: rows).elements
      let probabilities = try linkage.floats(rows: rows).elements
      for node in rows {
        edges.removeAll(keepingCapacity: true)
        let first = (node - start) * length
        for place in first..<first + length {
          guard (-1..<Int64(nodeCount)).contains(sources[place]) else {
            throw DataError(
              path: neighbors.path,
              problem: "row \(node): index \(sources[place]); expected 0 ..< \(nodeCount), "
                + "or -1 for none")
          }
          guard (0...1).contains(probabilities[place]) else {
            throw DataError(
              path: linkage.path,
              problem: "row \(node): probability \(probabilities[place]); expected 0 ... 1")
          }
          guard sources[place] >= 0, similarities[place] > 0 else { continue }
          edges.append(
            Edge(
              source: Int(sources[place]), similarity: similarities[place],
              probability: probabilities[place]))
        }
        try body(node, edges)
      }
    }
  }

  /// The edge that every node of a level with a parent has from it. It has no probability and no similarity if it was the
  /// module alone that led to the peak.
  func parentEdge(of node: Int, among edges: [Edge]) throws -> Edge? {
    guard parent[node] != node else { return nil }
    guard let edge = edges.first(where: { $0.source == parent[node] }) else {
      if hasModules, parent[parent[node]] == parent[node] {
        return Edge(source: parent[node], similarity: 0, probability: 0)
      }
      throw DataError(
        path: "\(directory)/parent.npy",
        problem: "row \(node): its parent \(parent[node]) is none of its neighbours")
    }
    return edge
  }

  /// How many members come off with each node, if the edge from its parent is cut: its own and
  /// those of all nodes whose way to the root leads through it.
  ///
  /// - Parameter members: Of every node. Shape `[nodeCount]`.
  /// - Complexity: O(nodeCount).
  func subtreeCounts(_ members: [Int]) -> [Int] {
    var counts = members
    var waitingFor = Array(repeating: 0, count: nodeCount)
    for (node, parent) in parent.enumerated() where parent != node { waitingFor[parent] += 1 }
    var ready = waitingFor.indices.filter { waitingFor[$0] == 0 }
    // Density rises along parents, so that there are no rings to wait for.
    while let node = ready.popLast() {
      let parent = parent[node]
      guard parent != node else { continue }
      counts[parent] += counts[node]
      waitingFor[parent] -= 1
      if waitingFor[parent] == 0 { ready.append(parent) }
    }
    return counts
  }
}
