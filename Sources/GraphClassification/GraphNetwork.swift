public import Differentiation
internal import GraphCollections
internal import LinearAlgebra
public import Optimization
internal import RandomNumbers

/// A network that classifies graphs: its architecture, what it learns, and what batch normalisation
/// has seen. Replicated.
public struct GraphNetwork<Scalar: PoolingScalar>: Sendable {
  public let architecture: GraphArchitecture
  /// In the order of the architecture; the names are PyTorch Geometric's.
  public var parameters: Parameters<Scalar>
  /// Running mean and unbiased variance of every normalised layer, by its name.
  public var running: [String: BatchStatistics<Scalar>]

  public init(
    _ architecture: GraphArchitecture, parameters: Parameters<Scalar>,
    running: [String: BatchStatistics<Scalar>]
  ) {
    precondition(
      parameters.all.map(\.name) == architecture.parameters.map(\.name)
        && parameters.all.map(\.shape) == architecture.parameters.map(\.shape)
        && Set(running.keys) == Set(architecture.normalizations.map(\.name)),
      "parameters of another architecture")
    self.architecture = architecture
    self.parameters = parameters
    self.running = running
  }

  /// A network before training. The same seed makes the same numbers everywhere.
  public init(_ architecture: GraphArchitecture, seed: UInt64) {
    let parameters = architecture.parameters.enumerated().map { index, description in
      var random = RandomStream(seed: seed, for: Draws.parameters, index)
      let count = description.shape.reduce(1, *)
      let elements: [Scalar] =
        switch description.start {
        case .constant(let value): Array(repeating: Scalar(value), count: count)
        case .uniform(let bound):
          (0..<count).map { _ in Scalar(bound * (2 * random.uniformBelowOne() - 1)) }
        }
      let columns = description.shape[description.shape.count - 1]
      return Parameter(
        name: description.name, shape: description.shape,
        value: DenseMatrix(rows: count / columns, columns: columns, elements: elements))
    }
    let running = architecture.normalizations.map { name, width in
      (
        name,
        BatchStatistics(
          mean: DenseMatrix<Scalar>(rows: 1, columns: width),
          variance: DenseMatrix<Scalar>(
            rows: 1, columns: width, elements: Array(repeating: 1, count: width)),
          rowCount: 0)
      )
    }
    self.init(
      architecture, parameters: Parameters(parameters),
      running: Dictionary(uniqueKeysWithValues: running))
  }

  /// Moves the running statistics a tenth towards those of a batch, as PyTorch does.
  public mutating func follow(_ batch: [String: BatchStatistics<Scalar>]) {
    for (name, seen) in batch {
      guard var statistics = running[name] else { continue }
      let unbiased = Scalar(seen.rowCount) / Scalar(max(seen.rowCount - 1, 1))
      for column in 0..<statistics.mean.columnCount {
        statistics.mean[0, column] += (seen.mean[0, column] - statistics.mean[0, column]) / 10
        statistics.variance[0, column] +=
          (unbiased * seen.variance[0, column] - statistics.variance[0, column]) / 10
      }
      statistics.rowCount += seen.rowCount
      running[name] = statistics
    }
  }

  /// The same numbers as another scalar, rounded.
  public func converted<Other: PoolingScalar>(to type: Other.Type) -> GraphNetwork<Other> {
    func converted(_ matrix: DenseMatrix<Scalar>) -> DenseMatrix<Other> {
      DenseMatrix(
        rows: matrix.rowCount, columns: matrix.columnCount,
        elements: matrix.elements.map { Other($0) })
    }
    return GraphNetwork<Other>(
      architecture, parameters: parameters.converted(to: Other.self),
      running: running.mapValues {
        BatchStatistics(
          mean: converted($0.mean), variance: converted($0.variance), rowCount: $0.rowCount)
      })
  }
}

/// What random numbers are for.
enum Draws {
  static let parameters = 101
  static let order = 102
  static let dropout = 103
}
