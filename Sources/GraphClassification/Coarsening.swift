public import Differentiation

extension Variable where Scalar: PoolingScalar {
  /// One level of any hierarchy: nodes merge into clusters, and a learned map follows.
  ///
  ///     H' = σ(Aggregate(C H) W + b),  C the `[n' × n]` membership matrix, σ = ReLU
  ///
  /// With hard memberships this is what a level change of Hi-LANDER does to features (C from the
  /// components, the mean, W = 1 and no σ); DiffPool has the soft S in place of Cᵀ, and sums
  /// (``Variable/transposedProduct(with:blocks:)``).
  ///
  /// - Parameters:
  ///   - membership: Row c names the members of cluster c.
  ///   - weight: Shape `[out × in]`; nil for the identity.
  ///   - bias: Shape `[1 × out]`.
  ///   - isRectified: Whether σ is applied.
  public func coarsened(
    by membership: Adjacency, _ aggregation: Aggregation, weight: Variable? = nil,
    bias: Variable? = nil, isRectified: Bool = true
  ) -> Variable {
    let merged = aggregated(aggregation, over: membership)
    let mapped = weight.map { merged.linear($0, bias: bias) } ?? merged
    return isRectified ? mapped.rectified() : mapped
  }
}
