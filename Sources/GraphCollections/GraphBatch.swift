public import LinearAlgebra

/// Some graphs of a collection as one ragged graph: their nodes one after the other, without padding.
///
/// Graph g of the batch has the nodes `nodeOffsets[g] ..< nodeOffsets[g + 1]`; the neighbours of node
/// i are `columns[rowOffsets[i] ..< rowOffsets[i + 1]]`, nodes of the batch too. The adjacency is
/// symmetric and block-diagonal.
public struct GraphBatch: Sendable {
  /// Shape `[graphCount + 1]`, ascending from 0.
  public let nodeOffsets: [Int]
  /// Shape `[nodeCount + 1]`, ascending from 0.
  public let rowOffsets: [Int]
  /// Shape `[rowOffsets.last]`; each row ascends.
  public let columns: [Int32]
  /// Shape `[nodeCount × any]`.
  public let features: Matrix
  /// Shape `[graphCount]`.
  public let classes: [Int]

  /// - Parameters:
  ///   - graphs: Which graphs, in the order of the batch.
  ///   - rows: The features of all nodes of the collection.
  /// - Complexity: O(nodes · width + edges) of the graphs.
  public init(_ graphs: [Int], of collection: GraphCollection, rows: Matrix) {
    precondition(
      rows.rowCount == collection.nodeCount,
      "\(rows.rowCount) rows for \(collection.nodeCount) nodes")
    let nodeCount = graphs.reduce(0) { $0 + collection.nodes(of: $1).count }
    let edgeCount = graphs.reduce(0) { $0 + collection.edges(of: $1).count }
    var nodeOffsets = [0]
    var rowOffsets = Array(repeating: 0, count: nodeCount + 1)
    var columns = Array(repeating: Int32(0), count: edgeCount)
    // Indexed loops: appending costs several times as much.
    for graph in graphs {
      let (nodes, edges) = (collection.nodes(of: graph), collection.edges(of: graph))
      let first = nodeOffsets[nodeOffsets.count - 1]
      let firstEdge = rowOffsets[first]
      for place in 0..<edges.count {
        columns[firstEdge + place] = Int32(first) + collection.columns[edges.lowerBound + place]
      }
      let shift = firstEdge - edges.lowerBound
      for place in 1..<nodes.count + 1 {
        rowOffsets[first + place] = collection.rowOffsets[nodes.lowerBound + place] + shift
      }
      nodeOffsets.append(first + nodes.count)
    }
    var features = Matrix(uninitializedRows: nodeCount, columns: rows.columnCount)
    for (place, graph) in graphs.enumerated() {
      features.copyRows(collection.nodes(of: graph), of: rows, to: nodeOffsets[place])
    }
    self.init(
      nodeOffsets: nodeOffsets, rowOffsets: rowOffsets, columns: columns, features: features,
      classes: graphs.map { collection.classes[$0] })
  }

  /// - Precondition: The shapes that the properties' comments state.
  public init(
    nodeOffsets: [Int], rowOffsets: [Int], columns: [Int32], features: Matrix, classes: [Int]
  ) {
    precondition(
      nodeOffsets.last == rowOffsets.count - 1 && features.rowCount == rowOffsets.count - 1
        && rowOffsets.last == columns.count
        && classes.count == nodeOffsets.count - 1,
      "\(nodeOffsets.last ?? -1) nodes, \(rowOffsets.count - 1) rows and \(features.rowCount) "
        + "features; \(columns.count) columns; \(classes.count) classes")
    self.nodeOffsets = nodeOffsets
    self.rowOffsets = rowOffsets
    self.columns = columns
    self.features = features
    self.classes = classes
  }

  public var graphCount: Int { nodeOffsets.count - 1 }
  public var nodeCount: Int { rowOffsets.count - 1 }

  /// The nodes of a graph.
  public func nodes(of graph: Int) -> Range<Int> { nodeOffsets[graph]..<nodeOffsets[graph + 1] }

  /// How many neighbours a node has.
  public func degree(_ node: Int) -> Int { rowOffsets[node + 1] - rowOffsets[node] }
}

extension Matrix {
  /// Copies rows of another matrix of as many columns over the rows from `row` on.
  fileprivate mutating func copyRows(_ rows: Range<Int>, of source: Matrix, to row: Int) {
    precondition(
      source.columnCount == columnCount && rows.lowerBound >= 0
        && rows.upperBound <= source.rowCount
        && row >= 0 && row + rows.count <= rowCount,
      "rows \(rows) of [\(source.rowCount) × \(source.columnCount)] to row \(row) of "
        + "[\(rowCount) × \(columnCount)]")
    let (width, count) = (columnCount, rows.count * columnCount)
    unsafe source.withUnsafeBufferPointer { source in
      unsafe withUnsafeMutableBufferPointer { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        unsafe (to + row * width).update(from: from + rows.lowerBound * width, count: count)
      }
    }
  }
}
