internal import Glibc

/// The features of a node. Cases are columns, in this order; files name them.
///
/// None depends on the embedding's dimension, on the order of its columns or on the unit of its
/// similarities. z is as in ``ClosenessScale``.
public enum NodeFeature: Int, CaseIterable, Sendable {
  /// z of the nearest neighbour.
  case nearest
  /// z of the third nearest neighbour.
  case third
  /// z of the sixth nearest neighbour.
  case sixth
  /// z of the last near neighbour.
  case farthest
  /// Mean z of the near neighbours.
  case mean
  /// Three times the standard deviation of z over the near neighbours.
  case deviation
  /// ln(1 + edges that leave it) − ln(1 + m): how many other nodes have it among their near neighbours.
  case popularity
  /// Share of its near neighbours that have it among theirs.
  case mutualShare
  /// Mean Jaccard index of its near list with those of its near neighbours.
  case nearJaccard
  /// Mean Jaccard index of its whole list with those of its near neighbours.
  case jaccard
  /// ln s / 3 for s points.
  case logSize
  /// t: mean z over all pairs of members; the nearest neighbour's z of a single point.
  case tightness
  /// z of the mean similarity of members to their near neighbours at level 0.
  case cohesion
  /// Share of its members' edges of level 0 that stay inside.
  case insideShare
  /// min(level, 4) / 4.
  case level

  /// As files name it.
  public var name: String { "\(self)" }
}

extension NodeStructure {
  /// Writes all features, in the order of ``NodeFeature``.
  ///
  /// - Parameter nearLength: m.
  func writeFeatures(level: Int, nearLength: Int, into row: inout MutableSpan<Float>, at first: Int)
  {
    func set(_ feature: NodeFeature, _ value: Float, _ row: inout MutableSpan<Float>) {
      row[first + feature.rawValue] = clipped(value)
    }
    set(.nearest, nearest, &row)
    set(.third, third, &row)
    set(.sixth, sixth, &row)
    set(.farthest, farthest, &row)
    set(.mean, mean, &row)
    set(.deviation, 3 * deviation, &row)
    set(.popularity, logarithm((1 + popularity) / Float(1 + nearLength)), &row)
    set(.mutualShare, mutualShare, &row)
    set(.nearJaccard, nearJaccard, &row)
    set(.jaccard, jaccard, &row)
    set(.logSize, logSize, &row)
    set(.tightness, tightness, &row)
    set(.cohesion, cohesion, &row)
    set(.insideShare, insideShare, &row)
    set(.level, Float(min(level, 4)) / 4, &row)
  }
}

/// Into −8 … 8; NaN, which no feature should be, becomes 0.
@inline(__always)
func clipped(_ value: Float) -> Float { value.isNaN ? 0 : min(max(value, -8), 8) }

func logarithm(_ value: Float) -> Float { Float(log(Double(value))) }
