internal import RandomNumbers

extension RandomStream {
  /// What random numbers of synthetic embeddings are for.
  enum Purpose: UInt64 {
    case clusterSizes, order, neighborhood, cluster, point
  }

  init(seed: UInt64, _ purpose: Purpose, of split: SyntheticEmbeddings.Split, index: Int = 0) {
    self.init(seed: seed, purpose: purpose.rawValue << 1 | (split == .test ? 1 : 0), index: index)
  }
}
