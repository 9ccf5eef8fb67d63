internal import Datasets

extension GraphCollection {
  /// Reads a directory of text files in the format of the TUDataset collection [Morris et al. 2020,
  /// arXiv:2007.08663].
  ///
  /// `DS_A.txt` has a line `i, j` for each direction of every edge, `DS_graph_indicator.txt` the graph
  /// of each node, `DS_graph_labels.txt` the class of each graph, all counted from 1. Optional are
  /// `DS_node_labels.txt`, `DS_node_attributes.txt`, `DS_edge_labels.txt` and
  /// `DS_edge_attributes.txt`, with one column or several. The files say what DS is: the directory has one
  /// `…_A.txt`.
  ///
  /// Self loops and repeated edges are left out and counted; of a repeated edge the first line's labels
  /// and attributes count. Edges of one direction are counted and get the other, with the same labels and
  /// attributes.
  ///
  /// - Parameter needsClasses: Whether there must be classes. Otherwise graphs without `DS_graph_labels.txt` are all of
  ///   one.
  /// - Throws: `DataError` that names the file, the line and what was expected.
  /// - Complexity: O(bytes) and O(edges log edges) of the largest graph.
  public init(directory: String, needsClasses: Bool = true) throws {
    let files = try CollectionFiles(directory: directory, needsClasses: needsClasses)
    let known = try files.readGraphLabels()
    let nodeOffsets = try Self.nodeOffsets(files, graphCount: known?.count)
    let graphLabels = known ?? Array(repeating: 0, count: nodeOffsets.count - 1)
    let nodeCount = nodeOffsets[nodeOffsets.count - 1]
    let ends = try NumberLines.integers(path: files.adjacency, perLine: 2)
    let rows = try AdjacencyRows(ends, nodeOffsets: nodeOffsets, path: files.adjacency)

    let nodeLabels = try Self.labels(files.nodeLabels, nodeCount, "nodes")
    let (attributes, attributeCount) = try Self.attributes(files.nodeAttributes, nodeCount, "nodes")
    let edgeLabels = try Self.labels(files.edgeLabels, ends.count / 2, "edges")
    let (edgeAttributes, edgeAttributeCount) = try Self.attributes(
      files.edgeAttributes, ends.count / 2, "edges")

    let (classes, classLabels) = Self.places(of: graphLabels)
    let columns = (0..<nodeLabels.perLine).map { column in
      Self.places(
        of: stride(from: column, to: nodeLabels.values.count, by: nodeLabels.perLine).map {
          nodeLabels.values[$0]
        })
    }
    self.init(
      name: files.name, nodeOffsets: nodeOffsets, rowOffsets: rows.offsets, columns: rows.columns,
      classes: classes, classLabels: classLabels,
      nodeLabels: columns.isEmpty
        ? [] : (0..<nodeCount).flatMap { node in columns.map { Int32($0.places[node]) } },
      nodeLabelValues: columns.map(\.occurring), attributes: attributes,
      attributeCount: attributeCount,
      edgeLabels: rows.ofEdges(edgeLabels.values, edgeLabels.perLine),
      edgeLabelCount: edgeLabels.perLine,
      edgeAttributes: rows.ofEdges(edgeAttributes, edgeAttributeCount),
      edgeAttributeCount: edgeAttributeCount, ignored: rows.ignored, oneWayEdges: rows.oneWayEdges,
      unusedFiles: files.unused)
  }

  /// The place of each value among those that occur, and these, ascending.
  private static func places(of values: [Int]) -> (places: [Int], occurring: [Int]) {
    let occurring = Set(values).sorted()
    let place = Dictionary(uniqueKeysWithValues: zip(occurring, occurring.indices))
    return (values.map { place[$0]! }, occurring)
  }

  /// - Parameter graphCount: Nil if nothing says how many there are.
  private static func nodeOffsets(_ files: CollectionFiles, graphCount: Int?) throws -> [Int] {
    let path = files.indicator
    var offsets = [0]
    for (node, graph) in try NumberLines.integers(path: path, perLine: 1).enumerated() {
      func error(_ problem: String) -> DataError {
        DataError(path: path, problem: "line \(node + 1): \(problem)")
      }
      guard (1...(graphCount ?? .max)).contains(graph) else {
        throw error(
          graphCount.map {
            "graph \(graph); \(files.graphLabels) has labels of the graphs 1 ... \($0)"
          } ?? "graph \(graph); expected numbers from 1")
      }
      guard graph >= offsets.count - 1 else {
        throw error("graph \(graph) after graph \(offsets.count - 1); expected ascending numbers")
      }
      guard graph <= offsets.count else {
        throw error("graph \(graph) follows; graph \(offsets.count) has no nodes")
      }
      if graph == offsets.count { offsets.append(node) }
      offsets[graph] = node + 1
    }
    guard offsets.count > 1 || graphCount != nil else {
      throw DataError(path: path, problem: "is empty; expected the graph of each node")
    }
    if let graphCount, offsets.count - 1 != graphCount {
      throw DataError(
        path: path,
        problem: "ends with graph \(offsets.count - 1); graph \(offsets.count) of "
          + "\(files.graphLabels) has no nodes")
    }
    return offsets
  }

  private static func labels(
    _ path: String?, _ count: Int, _ unit: String
  ) throws -> (values: [Int], perLine: Int) {
    guard let path else { return ([], 0) }
    let (values, perLine) = try NumberLines.integers(path: path)
    try check(values.count, perLine, path, count, unit)
    return (values, perLine)
  }

  private static func attributes(
    _ path: String?, _ count: Int, _ unit: String
  ) throws -> (values: [Float], perLine: Int) {
    guard let path else { return ([], 0) }
    let (values, perLine) = try NumberLines.numbers(path: path)
    try check(values.count, perLine, path, count, unit)
    return (values, perLine)
  }

  private static func check(
    _ valueCount: Int, _ perLine: Int, _ path: String, _ count: Int, _ unit: String
  ) throws {
    let lineCount = perLine == 0 ? 0 : valueCount / perLine
    guard lineCount == count else {
      throw DataError(
        path: path,
        problem: "\(lineCount) lines for \(count) \(unit); expected one line for each")
    }
  }
}

/// The files of a collection.
private struct CollectionFiles {
  var name: String
  var adjacency: String
  var indicator: String
  var graphLabels: String
  var nodeLabels: String?
  var nodeAttributes: String?
  var edgeLabels: String?
  var edgeAttributes: String?
  /// Numbers to be predicted, of collections for regression.
  var graphAttributes: String?
  /// The kinds of those that no network uses.
  var unused: [String]
  /// Whether there is a file of classes, or must be.
  var hasClasses: Bool

  init(directory: String, needsClasses: Bool) throws {
    let names = try fileNames(inDirectory: directory)
    let suffix = "_A.txt"
    let candidates = names.filter { $0.hasSuffix(suffix) && $0.count > suffix.count }
    guard candidates.count == 1 else {
      throw DataError(
        path: directory,
        problem: candidates.isEmpty
          ? "holds no file …_A.txt: not a collection of graphs in TUDataset format"
          : "holds \(candidates.joined(separator: " and ")); expected one file …_A.txt")
    }
    let name = String(candidates[0].dropLast(suffix.count))
    let folder = directory.hasSuffix("/") ? String(directory.dropLast()) : directory
    func path(_ kind: String) -> String { "\(folder)/\(name)_\(kind).txt" }
    func optional(_ kind: String) -> String? {
      names.contains("\(name)_\(kind).txt") ? path(kind) : nil
    }
    self.name = name
    adjacency = path("A")
    indicator = path("graph_indicator")
    graphLabels = path("graph_labels")
    nodeLabels = optional("node_labels")
    nodeAttributes = optional("node_attributes")
    edgeLabels = optional("edge_labels")
    edgeAttributes = optional("edge_attributes")
    graphAttributes = optional("graph_attributes")
    unused = ["edge_labels", "edge_attributes", "graph_attributes"].filter { optional($0) != nil }
    hasClasses = needsClasses || optional("graph_labels") != nil
    if let graphAttributes, needsClasses, optional("graph_labels") == nil {
      throw DataError(
        path: graphLabels,
        problem: "there is no such file; \(graphAttributes) has numbers to predict, but networks "
          + "here tell classes: an integer per graph is expected")
    }
  }

  /// A class per graph, at least one; nil without classes.
  func readGraphLabels() throws -> [Int]? {
    guard hasClasses else { return nil }
    let (labels, perLine) = try NumberLines.integers(path: graphLabels)
    guard !labels.isEmpty else {
      throw DataError(path: graphLabels, problem: "is empty; expected a label per graph")
    }
    guard perLine == 1 else {
      throw DataError(
        path: graphLabels,
        problem: "line 1: \(perLine) labels; expected one, the class of the graph")
    }
    return labels
  }
}

/// The lines of an adjacency file as rows of neighbours.
private struct AdjacencyRows {
  var offsets: [Int] = [0]
  var columns: [Int32] = []
  /// The line of each of `columns`, from 0.
  var lines: [Int] = []
  var ignored = GraphCollection.IgnoredEdges()
  /// Edges without a line for the other direction.
  var oneWayEdges = 0

  /// - Parameter ends: Two nodes per line, counted from 1.
  init(_ ends: [Int], nodeOffsets: [Int], path: String) throws {
    let nodeCount = nodeOffsets[nodeOffsets.count - 1]
    var graphOfNode: [Int32] = []
    graphOfNode.reserveCapacity(nodeCount)
    for graph in 0..<nodeOffsets.count - 1 {
      for _ in nodeOffsets[graph]..<nodeOffsets[graph + 1] { graphOfNode.append(Int32(graph)) }
    }
    func error(_ line: Int, _ problem: String) -> DataError {
      DataError(path: path, problem: "line \(line + 1): \(problem)")
    }

    // Lines sorted by their first end, stably; then each row by its second.
    var counts = Array(repeating: 0, count: nodeCount + 1)
    for line in 0..<ends.count / 2 {
      let (i, j) = (ends[2 * line], ends[2 * line + 1])
      guard (1...max(nodeCount, 1)).contains(i), (1...max(nodeCount, 1)).contains(j) else {
        throw error(line, "edge \(i), \(j); nodes are 1 ... \(nodeCount)")
      }
      let (graph, other) = (graphOfNode[i - 1], graphOfNode[j - 1])
      guard graph == other else {
        throw error(
          line, "edge \(i), \(j) joins graph \(graph + 1) with graph \(other + 1)")
      }
      counts[i] += 1
    }
    for node in 0..<nodeCount { counts[node + 1] += counts[node] }
    var next = counts
    var order = Array(repeating: 0, count: ends.count / 2)
    for line in order.indices {
      let node = ends[2 * line] - 1
      order[next[node]] = line
      next[node] += 1
    }

    columns.reserveCapacity(order.count)
    lines.reserveCapacity(order.count)
    var firstRepeated: Int?
    for node in 0..<nodeCount {
      let first = nodeOffsets[Int(graphOfNode[node])]
      let row = order[counts[node]..<counts[node + 1]].sorted {
        (ends[2 * $0 + 1], $0) < (ends[2 * $1 + 1], $1)
      }
      let rowStart = columns.count
      for line in row {
        let neighbor = ends[2 * line + 1] - 1
        if neighbor == node {
          ignored.selfLoops += 1
        } else if columns.count > rowStart, columns[columns.count - 1] == Int32(neighbor - first) {
          ignored.duplicates += 1
          firstRepeated = min(firstRepeated ?? line, line)
        } else {
          columns.append(Int32(neighbor - first))
          lines.append(line)
        }
      }
      offsets.append(columns.count)
    }
    let sizes = zip(nodeOffsets.dropFirst(), nodeOffsets).map { $0 - $1 }
    if let firstRepeated, Self.countsAnew(ends, sizes: sizes) {
      let largest = sizes.max() ?? 0
      throw error(
        firstRepeated,
        "edge \(ends[2 * firstRepeated]), \(ends[2 * firstRepeated + 1]) again, and no edge has a node "
          + "above \(largest), the nodes of the largest graph; expected nodes 1 ... \(nodeCount), counted on from "
          + "graph to graph")
    }
    addMissingDirections(nodeOffsets)
  }

  /// Whether lines that repeat others may be of graphs that each count their nodes from 1: one graph's after the
  /// other's, they stay among its nodes and name no edge twice.
  ///
  /// A graph may have no lines, so each is taken to have as many as it can.
  ///
  /// - Parameters:
  ///   - ends: Two nodes per line, counted from 1.
  ///   - sizes: How many nodes each graph has.
  private static func countsAnew(_ ends: [Int], sizes: [Int]) -> Bool {
    let lineCount = ends.count / 2
    var line = 0
    for size in sizes {
      var seen = Set<Int>()
      while line < lineCount {
        let (i, j) = (ends[2 * line] - 1, ends[2 * line + 1] - 1)
        guard max(i, j) < size, seen.insert(i * size + j).inserted else { break }
        line += 1
      }
    }
    return line == lineCount
  }

  /// The numbers of each line's edge, for each of `columns`.
  func ofEdges<Value>(_ values: [Value], _ perLine: Int) -> [Value] {
    perLine == 1
      ? lines.map { values[$0] }
      : lines.flatMap { values[$0 * perLine..<($0 + 1) * perLine] }
  }

  /// Puts every edge into the rows of both its ends.
  ///
  /// Rows are gone through in ascending order, so the neighbours of a node come in ascending order
  /// too: one place per row, moved on, finds each of them. What is missing comes in ascending order as well.
  private mutating func addMissingDirections(_ nodeOffsets: [Int]) {
    var place = Array(offsets.dropLast())
    var missing: [(row: Int, column: Int32, line: Int)] = []
    for graph in 0..<nodeOffsets.count - 1 {
      let first = nodeOffsets[graph]
      for node in first..<nodeOffsets[graph + 1] {
        for edge in offsets[node]..<offsets[node + 1] {
          let neighbor = first + Int(columns[edge])
          let name = Int32(node - first)
          while place[neighbor] < offsets[neighbor + 1], columns[place[neighbor]] < name {
            place[neighbor] += 1
          }
          let isThere =
            place[neighbor] < offsets[neighbor + 1] && columns[place[neighbor]] == name
          if !isThere { missing.append((neighbor, name, lines[edge])) }
        }
      }
    }
    oneWayEdges = missing.count
    guard !missing.isEmpty else { return }
    missing.sort { ($0.row, $0.column) < ($1.row, $1.column) }
    var (allColumns, allLines, allOffsets) = ([Int32](), [Int](), [0])
    allColumns.reserveCapacity(columns.count + missing.count)
    allLines.reserveCapacity(columns.count + missing.count)
    var next = 0
    for node in 0..<offsets.count - 1 {
      var edge = offsets[node]
      while true {
        let isMissing = next < missing.count && missing[next].row == node
        let isThere = edge < offsets[node + 1]
        guard isMissing || isThere else { break }
        if isMissing, !isThere || missing[next].column < columns[edge] {
          allColumns.append(missing[next].column)
          allLines.append(missing[next].line)
          next += 1
        } else {
          allColumns.append(columns[edge])
          allLines.append(lines[edge])
          edge += 1
        }
      }
      allOffsets.append(allColumns.count)
    }
    (columns, lines, offsets) = (allColumns, allLines, allOffsets)
  }
}
