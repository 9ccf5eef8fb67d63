import HierarchicalClustering

extension Rates {
  /// Measured by `highland plan --calibrate` on two ranks of an AMD EPYC with AVX-512; messages between hosts are taken to
  /// pass a network of 10 gigabits per second.
  static let built = Rates(
    processor: "AMD EPYC", kernels: "avx512",
    [
      .readNumbers: 1e9, .hashedNumbers: 1e9, .blockFlops: 1.9e11, .blockPairs: 1e9,
      .cellFlops: 1e11, .cellVisits: 1e6, .dividedEdges: 2e6, .graphEdges: 5e7,
      .judgedEdges: 2e6, .decodedEdges: 1e8, .summedNumbers: 3e8, .mergedEdges: 1e7,
      .labelledPoints: 1e7,
    ],
    bytesPerSecond: 3e9, secondsPerMessage: 2e-6, bytesPerSecondBetweenHosts: 1.25e9,
    secondsPerMessageBetweenHosts: 3e-5, areMessagesMeasured: true)
}
