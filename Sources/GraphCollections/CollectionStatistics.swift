/// What a collection holds, in the words of the TUDataset collection's own table.
public struct CollectionStatistics: Equatable, Codable, Sendable {
  public var name: String
  public var graphs: Int
  public var classes: Int
  public var meanNodes: Double
  /// Of edges, not of their directions.
  public var meanEdges: Double
  /// Node labels that occur, of all columns together; 0 if nodes have none.
  public var nodeLabels: Int
  /// Labels that each node has: the columns of the file.
  public var nodeLabelColumns: Int
  /// Numbers per node.
  public var nodeAttributes: Int
  /// Edge labels that occur, of all columns together; 0 if edges have none.
  public var edgeLabels: Int
  /// Labels that each edge has.
  public var edgeLabelColumns: Int
  /// Numbers per edge.
  public var edgeAttributes: Int
  /// The label of each class, ascending, and how many graphs have it.
  public var graphsOfClass: [ClassSize]
  public var smallestGraph: Int
  public var largestGraph: Int
  /// Nodes without neighbours.
  public var isolatedNodes: Int
  public var graphsWithoutEdges: Int
  /// Lines of the adjacency file that were left out.
  public var ignored: GraphCollection.IgnoredEdges
  /// Edges that the file has in one direction only, and that are taken in both.
  public var oneWayEdges: Int
  /// Files that are there and that no network uses, as `edge_labels`.
  public var unusedFiles: [String]

  public struct ClassSize: Equatable, Codable, Sendable {
    public var label: Int
    public var graphs: Int
  }
}

extension GraphCollection {
  public var statistics: CollectionStatistics {
    let sizes = (0..<graphCount).map { nodes(of: $0).count }
    var counts = Array(repeating: 0, count: classCount)
    for place in classes { counts[place] += 1 }
    return CollectionStatistics(
      name: name, graphs: graphCount, classes: classCount,
      meanNodes: Double(nodeCount) / Double(graphCount),
      meanEdges: Double(columns.count) / 2 / Double(graphCount),
      nodeLabels: nodeLabelValues.reduce(0) { $0 + $1.count },
      nodeLabelColumns: nodeLabelValues.count, nodeAttributes: attributeCount,
      edgeLabels: (0..<edgeLabelCount).reduce(0) { sum, column in
        sum
          + Set(
            stride(from: column, to: edgeLabels.count, by: edgeLabelCount).lazy.map {
              edgeLabels[$0]
            }
          ).count
      }, edgeLabelColumns: edgeLabelCount, edgeAttributes: edgeAttributeCount,
      graphsOfClass: zip(classLabels, counts).map { .init(label: $0, graphs: $1) },
      smallestGraph: sizes.min() ?? 0, largestGraph: sizes.max() ?? 0,
      isolatedNodes: zip(rowOffsets, rowOffsets.dropFirst()).count { $0 == $1 },
      graphsWithoutEdges: (0..<graphCount).count { edges(of: $0).isEmpty }, ignored: ignored,
      oneWayEdges: oneWayEdges, unusedFiles: unusedFiles)
  }
}
