internal import Datasets

extension GraphCollection {
  /// Writes the files of the TUDataset format into a directory, by this rank alone.
  ///
  /// Each file appears when it is complete, or not at all.
  ///
  /// - Throws: `DataError` if a file is there already or cannot be written.
  public func write(toDirectory directory: String) throws {
    func write(_ kind: String, _ lines: some Sequence<String>) throws {
      var text = ""
      for line in lines {
        text += line
        text += "\n"
      }
      try writeText(text, to: "\(directory)/\(name)_\(kind).txt", overwrite: false)
    }
    let graphs = 0..<graphCount
    try write(
      "A",
      graphs.lazy.flatMap { graph in
        nodes(of: graph).lazy.flatMap { node in
          columns[rowOffsets[node]..<rowOffsets[node + 1]].lazy.map {
            "\(node + 1), \(nodes(of: graph).lowerBound + Int($0) + 1)"
          }
        }
      })
    try write(
      "graph_indicator", graphs.lazy.flatMap { g in nodes(of: g).lazy.map { _ in "\(g + 1)" } })
    try write("graph_labels", classes.lazy.map { "\(classLabels[$0])" })
    if !nodeLabels.isEmpty {
      let count = nodeLabelValues.count
      let values = nodeLabels.indices.map { nodeLabelValues[$0 % count][Int(nodeLabels[$0])] }
      try write("node_labels", Self.lines(values, count))
    }
    if attributeCount > 0 { try write("node_attributes", Self.lines(attributes, attributeCount)) }
    if !edgeLabels.isEmpty { try write("edge_labels", Self.lines(edgeLabels, edgeLabelCount)) }
    if edgeAttributeCount > 0 {
      try write("edge_attributes", Self.lines(edgeAttributes, edgeAttributeCount))
    }
  }

  private static func lines<Value>(_ values: [Value], _ perLine: Int) -> some Sequence<String> {
    stride(from: 0, to: values.count, by: perLine).lazy.map { start in
      values[start..<start + perLine].map { "\($0)" }.joined(separator: ", ")
    }
  }
}
