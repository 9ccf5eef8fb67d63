internal import Datasets
internal import Glibc
public import LinearAlgebra

/// How nodes become the rows that a network takes: their label one-hot, their attributes
/// standardised, their degree, or a constant where there is nothing else.
///
/// It belongs to a model: a network trained with it understands no other.
public struct NodeEncoder: Equatable, Codable, Sendable {
  /// The node labels that have a column each, ascending.
  public var labels: [Int]
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
  }

  /// - Parameter graphs: Whose nodes give the attributes' means and deviations.
  public init(_ columns: Columns, of collection: GraphCollection, fittedTo graphs: [Int]) {
    labels = columns.contains(.labels) ? collection.nodeLabelValues : []
    usesDegree = columns.contains(.degree)
    let count = columns.contains(.attributes) ? collection.attributeCount : 0
    var sums = Array(repeating: 0.0, count: count)
    var squares = Array(repeating: 0.0, count: count)
    var nodeCount = 0.0
    if count > 0 {
      for node in graphs.lazy.flatMap(collection.nodes(of:)) {
        nodeCount += 1
        for column in 0..<count {
          let value = Double(collection.attributes[node * count + column])
          sums[column] += value
          squares[column] += value * value
        }
      }
    }
    let means = sums.map { $0 / max(nodeCount, 1) }
    attributeMeans = means.map { Float($0) }
    attributeDeviations = zip(squares, means).map { square, mean in
      let variance = square / max(nodeCount, 1) - mean * mean
      return variance > 1e-12 * max(square, 1) ? Float(variance.squareRoot()) : 1
    }
  }

  /// Columns of the rows; 1 if there would be none: a constant.
  public var width: Int {
    max(1, labels.count + attributeMeans.count + (usesDegree ? 1 : 0))
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
      throw error("nodes have no labels; the model expects \(labels.count) of them")
    }
    let width = width
    var elements = Array(repeating: Float(0), count: collection.nodeCount * width)
    if labels.isEmpty, attributeMeans.isEmpty, !usesDegree {
      elements = Array(repeating: 1, count: elements.count)
    }
    let column = Dictionary(uniqueKeysWithValues: zip(labels, labels.indices))
    let columnOfPlace = collection.nodeLabelValues.map { column[$0] }
    for node in 0..<collection.nodeCount {
      let row = node * width
      if !labels.isEmpty {
        let place = Int(collection.nodeLabels[node])
        guard let column = columnOfPlace[place] else {
          throw error(
            "node \(node + 1) has the label \(collection.nodeLabelValues[place]), which is not "
              + "among the \(labels.count) that the model knows")
        }
        elements[row + column] = 1
      }
      for (attribute, mean) in attributeMeans.enumerated() {
        elements[row + labels.count + attribute] =
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
