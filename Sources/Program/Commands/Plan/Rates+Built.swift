import HierarchicalClustering

extension Rates {
  /// Work as `highland plan --calibrate` measured it on an AMD EPYC with AVX2 on which other programs ran. Messages are not
  /// measured: within a host what shared memory usually takes, between hosts what a network of 10 gigabits per second does.
  static let built = Rates(
    processor: "AMD EPYC", kernels: "avx2",
    [
      .readNumbers: 1.3e8, .hashedNumbers: 9.4e7, .blockFlops: 6.6e10, .blockPairs: 8e8,
      .cellFlops: 3.1e10, .cellVisits: 7.3e5, .dividedEdges: 7.6e5, .graphEdges: 4.3e7,
      .judgedEdges: 4.4e5, .decodedEdges: 2.6e7, .summedNumbers: 1.2e8, .mergedEdges: 3.4e6,
      .labelledPoints: 5.1e6,
    ],
    bytesPerSecond: 2e9, secondsPerMessage: 5e-6, bytesPerSecondBetweenHosts: 1.25e9,
    secondsPerMessageBetweenHosts: 3e-5, areMessagesMeasured: false)
}
