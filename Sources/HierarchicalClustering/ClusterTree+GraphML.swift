extension ClusterTree {
  /// As GraphML, for programs that draw graphs: a node for each of the fit's K clusters, `n0`, `n1`, …, and for each merge
  /// i, `n(K + i)`, with edges from a merge to the two that it joins.
  ///
  /// Nodes have `points` and `clusters`, how many they hold; clusters of the fit have their `label`, merges their
  /// `similarity`. The `length` of an edge is the difference of heights, 1 − similarity, of which leaves have 0; as in
  /// ``newick``.
  public var graphML: String {
    let leafCount = pointCounts.count
    func height(_ node: Int) -> Double {
      node < leafCount ? 0 : 1 - merges[node - leafCount].similarity
    }
    var lines = Self.graphMLStart
    for (label, points) in pointCounts.enumerated() {
      lines.append(
        Self.node(label, [("points", "\(points)"), ("clusters", "1"), ("label", "\(label)")]))
    }
    for (place, merge) in merges.enumerated() {
      let node = leafCount + place
      lines.append(
        Self.node(
          node,
          [
            ("points", "\(merge.pointCount)"), ("clusters", "\(merge.clusterCount)"),
            ("similarity", "\(merge.similarity)"),
          ]))
      for child in [merge.first, merge.second] {
        lines.append(
          "    <edge source=\"n\(node)\" target=\"n\(child)\">"
            + Self.data("length", "\(height(node) - height(child))") + "</edge>")
      }
    }
    return (lines + ["  </graph>", "</graphml>", ""]).joined(separator: "\n")
  }

  private static let graphMLStart: [String] = {
    let keys = [
      ("points", "node", "long"), ("clusters", "node", "long"), ("label", "node", "long"),
      ("similarity", "node", "double"), ("length", "edge", "double"),
    ]
    let schema = "http://graphml.graphdrawing.org/xmlns"
    return [
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<graphml xmlns=\"\(schema)\">",
    ]
      + keys.map { name, kind, type in
        "  <key id=\"\(name)\" for=\"\(kind)\" attr.name=\"\(name)\" attr.type=\"\(type)\"/>"
      } + ["  <graph id=\"tree\" edgedefault=\"directed\">"]
  }()

  private static func node(_ number: Int, _ values: [(String, String)]) -> String {
    "    <node id=\"n\(number)\">" + values.map { data($0.0, $0.1) }.joined() + "</node>"
  }

  private static func data(_ key: String, _ value: String) -> String {
    "<data key=\"\(key)\">\(value)</data>"
  }
}
