extension ClusteringMetrics: CustomStringConvertible {
  /// Two tables for people to read: the measures, then the clusters of both labelings.
  public var description: String {
    """
                 precision     recall          F
    pairwise    \(pairwise.columns)
    BCubed      \(bcubed.columns)
    NMI         \(decimal(nmi, 4, width: 10))
    ARI         \(decimal(ari, 4, width: 10))

                    points   clusters singletons \
       min    25%    50%    75%    90%     max    mean
    truth       \(truth.columns(pointCount: pointCount))
    predicted   \(predicted.columns(pointCount: pointCount))
    """
  }
}

extension PrecisionRecall {
  fileprivate var columns: String {
    [precision, recall, f].map { decimal($0, 4, width: 10) }.joined(separator: " ")
  }
}

extension ClusterCounts {
  fileprivate func columns(pointCount: Int) -> String {
    let counts = [pointCount, clusterCount, singletonCount].map {
      decimal(Double($0), 0, width: 10)
    }
    let quantiles = [Double(sizes.minimum), sizes.q25, sizes.median, sizes.q75, sizes.q90]
      .map { decimal($0, 0, width: 6) }
    let ends = [
      decimal(Double(sizes.maximum), 0, width: 7), decimal(sizes.mean, 2, width: 7),
    ]
    return (counts + quantiles + ends).joined(separator: " ")
  }
}

/// A number with the given decimals, padded on the left with spaces; "–" for NaN.
private func decimal(_ number: Double, _ decimals: Int, width: Int) -> String {
  let text = decimal(number, places: decimals)
  return String(repeating: " ", count: max(0, width - text.count)) + text
}
