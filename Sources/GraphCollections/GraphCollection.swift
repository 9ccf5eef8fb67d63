/// Undirected graphs, each of one class, as one ragged array: the nodes of all graphs one after the
/// other.
///
/// Graph g has the nodes `nodeOffsets[g] ..< nodeOffsets[g + 1]` of the collection. Within a graph
/// nodes are named 0, 1, 2, …; the neighbours of its nodes are by these names.
public struct GraphCollection: Sendable {
  /// What its files are called.
  public var name: String
  /// Where the nodes of each graph begin. Shape `[graphCount + 1]`, ascending from 0.
  public let nodeOffsets: [Int]
  /// Where the neighbours of each node begin. Shape `[nodeCount + 1]`, ascending from 0.
  public let rowOffsets: [Int]
  /// The neighbours of every node, ascending; an edge is in the rows of both its ends. Shape
  /// `[rowOffsets.last]`.
  public let columns: [Int32]
  /// The class of each graph, as a place in `classLabels`. Shape `[graphCount]`.
  public let classes: [Int]
  /// What the classes are called in the files, ascending.
  public let classLabels: [Int]
  /// The labels of each node, one per column, each as a place in the column of `nodeLabelValues`; empty if
  /// nodes have none. Shape `[nodeCount * nodeLabelValues.count]`.
  public let nodeLabels: [Int32]
  /// The labels that occur in each column, ascending. Most collections have one column, or none.
  public let nodeLabelValues: [[Int]]
  /// Numbers of each node, row after row. Shape `[nodeCount * attributeCount]`.
  public let attributes: [Float]
  public let attributeCount: Int
  /// The labels of the edge to each of `columns`; empty if edges have none. Shape
  /// `[columns.count * edgeLabelCount]`.
  public let edgeLabels: [Int]
  /// How many labels an edge has.
  public let edgeLabelCount: Int
  /// Numbers of the edge to each of `columns`. Shape `[columns.count * edgeAttributeCount]`.
  public let edgeAttributes: [Float]
  public let edgeAttributeCount: Int
  /// What reading left out, as graphs here are simple.
  public let ignored: IgnoredEdges
  /// Edges that the files have in one direction only; here they are in both.
  public let oneWayEdges: Int
  /// The kinds of files that were found and that no network uses, as `edge_labels`.
  public let unusedFiles: [String]

  /// Lines of an adjacency file that say nothing new.
  public struct IgnoredEdges: Equatable, Codable, Sendable {
    /// From a node to itself.
    public var selfLoops = 0
    /// Named before.
    public var duplicates = 0

    public init(selfLoops: Int = 0, duplicates: Int = 0) {
      self.selfLoops = selfLoops
      self.duplicates = duplicates
    }
  }

  /// - Precondition: The invariants that the properties' comments state; every graph has a node,
  ///   rows ascend without repetition and without the node itself, and where j is in the row of i, i
  ///   is in the row of j.
  public init(
    name: String, nodeOffsets: [Int], rowOffsets: [Int], columns: [Int32], classes: [Int],
    classLabels: [Int], nodeLabels: [Int32] = [], nodeLabelValues: [[Int]] = [],
    attributes: [Float] = [], attributeCount: Int = 0, edgeLabels: [Int] = [],
    edgeLabelCount: Int = 0, edgeAttributes: [Float] = [], edgeAttributeCount: Int = 0,
    ignored: IgnoredEdges = .init(), oneWayEdges: Int = 0, unusedFiles: [String] = []
  ) {
    self.name = name
    self.nodeOffsets = nodeOffsets
    self.rowOffsets = rowOffsets
    self.columns = columns
    self.classes = classes
    self.classLabels = classLabels
    self.nodeLabels = nodeLabels
    self.nodeLabelValues = nodeLabelValues
    self.attributes = attributes
    self.attributeCount = attributeCount
    self.edgeLabels = edgeLabels
    self.edgeLabelCount = edgeLabelCount
    self.edgeAttributes = edgeAttributes
    self.edgeAttributeCount = edgeAttributeCount
    self.ignored = ignored
    self.oneWayEdges = oneWayEdges
    self.unusedFiles = unusedFiles
    checkInvariants()
  }

  public var graphCount: Int { nodeOffsets.count - 1 }
  public var nodeCount: Int { rowOffsets.count - 1 }
  public var classCount: Int { classLabels.count }

  /// The nodes of a graph.
  public func nodes(of graph: Int) -> Range<Int> { nodeOffsets[graph]..<nodeOffsets[graph + 1] }

  /// The places in `columns` of a graph's edges, each of them twice.
  public func edges(of graph: Int) -> Range<Int> {
    rowOffsets[nodeOffsets[graph]]..<rowOffsets[nodeOffsets[graph + 1]]
  }

  /// How many neighbours each node of a graph has.
  public func degrees(of graph: Int) -> [Int] {
    nodes(of: graph).map { rowOffsets[$0 + 1] - rowOffsets[$0] }
  }
}

extension GraphCollection {
  private func checkInvariants() {
    precondition(
      nodeOffsets.first == 0 && nodeOffsets.last == nodeCount,
      "graphs of \(nodeOffsets.last ?? -1) nodes of \(nodeCount)")
    precondition(
      zip(nodeOffsets, nodeOffsets.dropFirst()).allSatisfy { $0 < $1 }, "a graph without nodes")
    precondition(
      rowOffsets.first == 0 && rowOffsets.last == columns.count
        && zip(rowOffsets, rowOffsets.dropFirst()).allSatisfy { $0 <= $1 },
      "rows of \(rowOffsets.last ?? -1) of \(columns.count) columns")
    precondition(
      classes.count == graphCount && classes.allSatisfy(classLabels.indices.contains),
      "\(classes.count) classes of \(graphCount) graphs")
    precondition(
      nodeLabels.count == nodeCount * nodeLabelValues.count,
      "\(nodeLabels.count) labels of \(nodeCount) nodes in \(nodeLabelValues.count) columns")
    for (column, values) in nodeLabelValues.enumerated() {
      precondition(
        stride(from: column, to: nodeLabels.count, by: nodeLabelValues.count).allSatisfy {
          values.indices.contains(Int(nodeLabels[$0]))
        }, "a label without value in column \(column)")
    }
    precondition(
      attributes.count == nodeCount * attributeCount
        && edgeAttributes.count == columns.count * edgeAttributeCount
        && edgeLabels.count == columns.count * edgeLabelCount,
      "attributes of other nodes or edges")
    for graph in 0..<graphCount {
      let nodes = nodes(of: graph)
      for node in nodes {
        var last = Int32(-1)
        for column in columns[rowOffsets[node]..<rowOffsets[node + 1]] {
          precondition(
            column > last && Int(column) < nodes.count && Int(column) != node - nodes.lowerBound,
            "node \(node) of graph \(graph) has the neighbours "
              + "\(columns[rowOffsets[node]..<rowOffsets[node + 1]])")
          last = column
          assert(
            isNeighbor(Int32(node - nodes.lowerBound), of: nodes.lowerBound + Int(column)),
            "an edge of one direction")
        }
      }
    }
  }

  private func isNeighbor(_ name: Int32, of node: Int) -> Bool {
    columns[rowOffsets[node]..<rowOffsets[node + 1]].contains(name)
  }
}
