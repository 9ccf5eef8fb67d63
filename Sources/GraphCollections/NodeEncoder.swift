internal import Datasets
internal import Glibc
public import LinearAlgebra

/// How nodes become the rows that a network takes: their labels one-hot, column by column, their attributes
/// standardised, their degree, or a constant.
///
/// It belongs to a model: a network trained with it understands no other.
public struct NodeEncoder: Equatable, Sendable {
  /// Of each column of node labels: those that have a column each, ascending.
  public var labels: [[Int]]
  /// Of each attribute over the training nodes; an attribute becomes (a − mean) / deviation.
  public var attributeMeans: [Float]
  /// 1 where an attribute is constant.
  public var attributeDeviations: [Float]
  /// Whether there is a column ln(1 + degree).
  public var usesDegree: Bool

  /// Which columns to make.
  public struct Columns: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let labels = Columns(rawValue: 1)
    public static let attributes = Columns(rawValue: 2)
    public static let degree = Columns(rawValue: 4)

    /// The default columns: labels and attributes, or the degree if nodes have neither.
    public static func standard(for collection: GraphCollection) -> Columns {
      let own = Columns([.labels, .attributes]).present(in: collection)
      return own.isEmpty ? .degree : own
    }

    /// Those that the nodes of a collection have.
    public func present(in collection: GraphCollection) -> Columns {
      var columns = self
      if collection.nodeLabelValues.isEmpty { columns.remove(.labels) }
      if collection.attributeCount == 0 { columns.remove(.attributes) }
      return columns
    }
  }

  /// - Parameter graphs: Whose nodes give the attributes' means and deviations.
  public init(_ columns: Columns, of collection: GraphCollection, fittedTo graphs: [Int]) {
    labels = columns.contains(.labels) ? collection.nodeLabelValues : []
    usesDegree = columns.contains(.degree)
    let count = columns.contains(.attributes) ? collection.attributeCount : 0
    let nodes = count > 0 ? graphs.flatMap(collection.nodes(of:)) : []
    /// The mean over the nodes of what is made of each value of every attribute.
    func means(_ made: (Int, Double) -> Double) -> [Double] {
      var sums = Array(repeating: 0.0, count: count)
      for node in nodes {
        for column in 0..<count {
          sums[column] += made(column, Double(collection.attributes[node * count + column]))
        }
      }
      return sums.map { $0 / Double(max(nodes.count, 1)) }
    }
    let mean = means { $1 }
    let variance = means { ($1 - mean[$0]) * ($1 - mean[$0]) }
    attributeMeans = mean.map { Float($0) }
    // Differences of less than a ten millionth of the mean are those of rounding.
    attributeDeviations = zip(variance, mean).map { variance, mean in
      variance > 1e-14 * mean * mean ? Float(variance.squareRoot()) : 1
    }
  }

  /// Columns of the rows; 1 if there would be none: a constant.
  public var width: Int {
    max(1, labelWidth + attributeMeans.count + (usesDegree ? 1 : 0))
  }

  private var labelWidth: Int { labels.reduce(0) { $0 + $1.count } }

  /// What nodes are seen by, in words.
  public var description: String {
    var parts: [String] = []
    if !labels.isEmpty {
      let columns = labels.count == 1 ? "" : " in \(labels.count) columns"
      parts.append("labels (\(labelWidth)\(columns), one-hot)")
    }
    if !attributeMeans.isEmpty { parts.append("attributes (\(attributeMeans.count))") }
    if usesDegree { parts.append("degree") }
    return parts.isEmpty ? "a constant" : parts.joined(separator: ", ")
  }

  /// The rows of all nodes of a collection. Shape `[nodeCount × width]`.
  ///
  /// - Throws: `DataError` if the collection has another number of attributes, no labels, or a label
  ///   that is not among this encoder's.
  public func rows(of collection: GraphCollection) throws -> Matrix {
    func error(_ problem: String) -> DataError {
      DataError(path: collection.name, problem: problem)
    }
    guard attributeMeans.isEmpty || collection.attributeCount == attributeMeans.count else {
      throw error(
        "nodes have \(collection.attributeCount) attributes; the model expects "
          + "\(attributeMeans.count)")
    }
    guard labels.isEmpty || !collection.nodeLabels.isEmpty else {
      throw error("nodes have no labels; the model expects \(labelWidth) of them")
    }
    guard labels.isEmpty || labels.count == collection.nodeLabelValues.count else {
      throw error(
        "nodes have labels in \(collection.nodeLabelValues.count) columns; the model expects "
          + "\(labels.count)")
    }
    let (width, labelWidth) = (width, labelWidth)
    var elements = Array(repeating: Float(0), count: collection.nodeCount * width)
    if labels.isEmpty, attributeMeans.isEmpty, !usesDegree {
      elements = Array(repeating: 1, count: elements.count)
    }
    // The column of each place of each column of labels.
    var first = 0
    let columns = zip(labels, collection.nodeLabelValues).map { known, values in
      defer { first += known.count }
      let column = Dictionary(zip(known, first..<first + known.count)) { first, _ in first }
      return values.map { column[$0] }
    }
    for node in 0..<collection.nodeCount {
      let row = node * width
      for (index, columns) in columns.enumerated() {
        let place = Int(collection.nodeLabels[node * labels.count + index])
        guard let column = columns[place] else {
          let which = labels.count == 1 ? "" : " in column \(index + 1)"
          throw error(
            "node \(node + 1) has the label \(collection.nodeLabelValues[index][place])\(which), "
              + "which is not among the \(labels[index].count) that the model knows")
        }
        elements[row + column] = 1
      }
      for (attribute, mean) in attributeMeans.enumerated() {
        elements[row + labelWidth + attribute] =
          (collection.attributes[node * attributeMeans.count + attribute] - mean)
          / attributeDeviations[attribute]
      }
      if usesDegree {
        let degree = collection.rowOffsets[node + 1] - collection.rowOffsets[node]
        elements[row + width - 1] = Float(log(1 + Double(degree)))
      }
    }
    return Matrix(rows: collection.nodeCount, columns: width, elements: elements)
  }
}

extension NodeEncoder: Codable {
  private enum Key: String, CodingKey {
    case labels, attributeMeans, attributeDeviations, usesDegree
  }

  /// One column of labels is a list of them; several are a list of lists.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    if let column = try? values.decode([Int].self, forKey: .labels) {
      labels = column.isEmpty ? [] : [column]
    } else {
      labels = try values.decode([[Int]].self, forKey: .labels)
    }
    attributeMeans = try values.decode([Float].self, forKey: .attributeMeans)
    attributeDeviations = try values.decode([Float].self, forKey: .attributeDeviations)
    usesDegree = try values.decode(Bool.self, forKey: .usesDegree)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    if labels.count > 1 {
      try values.encode(labels, forKey: .labels)
    } else {
      try values.encode(labels.first ?? [], forKey: .labels)
    }
    try values.encode(attributeMeans, forKey: .attributeMeans)
    try values.encode(attributeDeviations, forKey: .attributeDeviations)
    try values.encode(usesDegree, forKey: .usesDegree)
  }
}
