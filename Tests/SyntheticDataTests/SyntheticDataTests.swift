import Foundation
import LinearAlgebra
import SyntheticData
import Testing

private typealias Split = SyntheticEmbeddings.Split

@Suite struct SyntheticEmbeddingsTests {
  @Test(arguments: [1, 2, 3, 5, 8], SyntheticEmbeddings.Split.allCases)
  func slicesAreTheSameHoweverTheyAreCut(pieces: Int, split: SyntheticEmbeddings.Split) throws {
    let data = SyntheticEmbeddings(try .init(points: 601, dimensions: 7, seed: 3))
    let count = data.rowCount(of: split)
    let whole = data.rows(0..<count, of: split)
    var elements: [Float] = []
    var labels: [Int64] = []
    for piece in 0..<pieces {
      // Made anew, as on another rank.
      let other = SyntheticEmbeddings(data.options)
      let slice = count * piece / pieces..<count * (piece + 1) / pieces
      elements += other.rows(slice, of: split).elements
      labels += other.labels(slice, of: split)
    }
    #expect(elements == whole.elements)
    #expect(labels == data.labels(0..<count, of: split))
  }

  @Test(arguments: [0, 1, 2, 3, 5, 100], [0, 0.3, 0.5, 1])
  func splitsHaveAllPointsAndDisjointIdentities(points: Int, testShare: Double) throws {
    let data = SyntheticEmbeddings(
      try .init(points: points, dimensions: 3, seed: 9, testShare: testShare))
    let train = data.allLabels(of: .train)
    let test = data.allLabels(of: .test)
    #expect(train.count + test.count == points)
    #expect(test.count == Int((Double(points) * testShare).rounded()))
    #expect(Set(train).isDisjoint(with: test))
    // Every identity has a point, and they are numbered through.
    let trainCount = data.clusterCount(of: .train)
    #expect(Set(train) == Set(0..<Int64(trainCount)))
    #expect(
      Set(test)
        == Set(Int64(trainCount)..<Int64(trainCount + data.clusterCount(of: .test))))
    for split in Split.allCases {
      #expect(
        data.rows(0..<data.rowCount(of: split), of: split).rowCount == data.rowCount(of: split))
    }
  }

  @Test func sizesHaveTheMeanTheSingletonsAndTheLongTailThatWereAskedFor() throws {
    for (mean, share) in [(20.0, 0.05), (20, 0), (8, 0.3), (100, 0.05)] {
      let data = SyntheticEmbeddings(
        try .init(
          points: 400_000, dimensions: 1, seed: 1, meanClusterSize: mean, singletonShare: share))
      let sizes = data.clusterSizes(of: .train).sorted()
      let count = Double(sizes.count)
      let found = Double(sizes.reduce(0, +)) / count
      let singletons = Double(sizes.count { $0 == 1 }) / count
      // Standard error of the mean about 1.5 mean / √count, of the share √(share / count).
      #expect(abs(found / mean - 1) < 6 / count.squareRoot() + 0.01, "\(found), not \(mean)")
      #expect(abs(singletons - share) < 4 * (share / count).squareRoot() + 1 / count)
      // Half of the clusters are much smaller than the mean, one in a hundred much larger.
      #expect(Double(sizes[sizes.count / 2]) < 0.7 * mean)
      #expect(Double(sizes[sizes.count * 99 / 100]) > 4 * mean)
      #expect(Double(sizes[sizes.count - 1]) < 80 * mean)
    }
  }

  @Test(arguments: [1, 2, 7, 64]) func rowsAreUnitVectors(dimensions: Int) throws {
    let data = SyntheticEmbeddings(try .init(points: 500, dimensions: dimensions, seed: 2))
    let rows = data.rows(0..<250, of: .test)
    #expect(rows.columnCount == dimensions)
    for row in 0..<250 {
      let squares = rows.row(row).reduce(0.0) { $0 + Double($1) * Double($1) }
      #expect(abs(squares - 1) < 1e-6)
    }
  }

  @Test func pointsAreScattered() throws {
    let data = SyntheticEmbeddings(try .init(points: 20_000, dimensions: 1, seed: 6))
    let labels = data.allLabels(of: .train)
    // In order of clusters, nine in ten points would follow one of their own; here it is chance,
    // Σ b (b − 1) / N of them.
    let followers = Double(zip(labels, labels.dropFirst()).count { $0 == $1 })
    let expected =
      Double(data.clusterSizes(of: .train).reduce(0) { $0 + $1 * ($1 - 1) }) / 10_000
    #expect(abs(followers - expected) < 4 * expected.squareRoot())
    // The first half has its share of the first half of the clusters' points.
    let middle = labels.sorted()[5000]
    let firstHalf = labels[..<5000].count { $0 < middle }
    #expect(abs(firstHalf - 2500) < 300)
  }

  @Test func directionsAreIsotropic() throws {
    let data = SyntheticEmbeddings(try .init(points: 40_000, dimensions: 16, seed: 8))
    let rows = data.rows(0..<20_000, of: .train)
    var (sums, squares) = (Array(repeating: 0.0, count: 16), Array(repeating: 0.0, count: 16))
    for row in 0..<rows.rowCount {
      for (column, value) in rows.row(row).enumerated() {
        sums[column] += Double(value)
        squares[column] += Double(value) * Double(value)
      }
    }
    // 130 independent neighbourhoods: a standard error of 0.25 / √130 and 0.09 / √130.
    for column in 0..<16 {
      #expect(abs(sums[column] / 20_000) < 0.1)
      #expect(abs(squares[column] / 20_000 - 1.0 / 16) < 0.035)
    }
  }

  @Test func pointsOfAClusterAreNearAndTighterSpreadsNearer() throws {
    func meanCosine(spread: ClosedRange<Double>) throws -> (within: Double, between: Double) {
      let data = SyntheticEmbeddings(
        try .init(points: 2000, dimensions: 64, seed: 4, spread: spread))
      let rows = data.rows(0..<1000, of: .train)
      let labels = data.allLabels(of: .train)
      var (within, between) = ((sum: 0.0, count: 0.0), (sum: 0.0, count: 0.0))
      for i in 0..<1000 {
        let a = rows.row(i)
        for j in 0..<i {
          let cosine = zip(a, rows.row(j)).reduce(0.0) { $0 + Double($1.0 * $1.1) }
          if labels[i] == labels[j] {
            within = (within.sum + cosine, within.count + 1)
          } else {
            between = (between.sum + cosine, between.count + 1)
          }
        }
      }
      return (within.sum / within.count, between.sum / between.count)
    }
    let points = try meanCosine(spread: 0...0)
    let tight = try meanCosine(spread: 0.3...0.3)
    let loose = try meanCosine(spread: 1.2...1.2)
    #expect(abs(points.within - 1) < 1e-5)
    // (1 + s²α²) / (1 + s²α² + s²σ²), σ² = E[t²] E[r²] about 0.9 with a wide tail.
    #expect(tight.within > 0.85 && tight.within < 0.96)
    #expect(loose.within > 0.45 && loose.within < 0.75)
    #expect(tight.between < 0.3 && loose.between < 0.2)
  }

  @Test func everySeedAndSplitHasItsOwnData() throws {
    func start(seed: UInt64, _ split: SyntheticEmbeddings.Split) throws -> [Float] {
      SyntheticEmbeddings(try .init(points: 100, dimensions: 4, seed: seed))
        .rows(0..<5, of: split).elements
    }
    let all = try [
      start(seed: 0, .train), start(seed: 0, .test), start(seed: 1, .train), start(seed: 1, .test),
    ]
    #expect(Set(all).count == 4)
  }

  /// No mathematical library is involved: these hold on every machine. A second implementation, in
  /// Python from the formulas of ``SyntheticEmbeddings``, gives the same.
  @Test func labelsAndRowsHaveTheirGoldenChecksums() throws {
    let data = SyntheticEmbeddings(try .init(points: 10_000, dimensions: 32, seed: 2021))
    #expect(data.clusterCount(of: .train) == 267)
    #expect(checksum(data.allLabels(of: .train).map { UInt64($0) }) == 13_554_784_022_755_548_809)
    #expect(checksum(data.allLabels(of: .test).map { UInt64($0) }) == 13_406_842_022_576_741_576)
    let elements = data.rows(100..<200, of: .test).elements
    #expect(checksum(elements.map { UInt64($0.bitPattern) }) == 10_483_141_120_511_221_098)
  }

  @Test func impossibleOptionsAreNamed() {
    func message(_ make: () throws -> SyntheticEmbeddings.Options) -> String? {
      do { _ = try make() } catch { return "\(error)" }
      return nil
    }
    #expect(
      message { try .init(points: -1) } == "points is -1, but must be from 0 to 2⁴⁰")
    #expect(
      message { try .init(points: 1, dimensions: 0) }
        == "dimensions is 0, but must be from 1 to 2²⁰")
    #expect(
      message { try .init(points: 1, meanClusterSize: 2) }
        == "meanClusterSize is 2.0, but must be from 3 to 10⁹")
    #expect(message { try .init(points: 1, meanClusterSize: .nan) } != nil)
    #expect(
      message { try .init(points: 1, spread: -1...1) }
        == "spread is -1.0...1.0, but must be from 0 to 100")
    #expect(
      message { try .init(points: 1, singletonShare: 1) }
        == "singletonShare is 1.0, but must be from 0 to below 1")
    #expect(
      message { try .init(points: 1, testShare: 1.5) }
        == "testShare is 1.5, but must be from 0 to 1")
    #expect(message { try .init(points: 1) } == nil)
  }
}

extension SyntheticEmbeddings {
  fileprivate func allLabels(of split: Split) -> [Int64] {
    labels(0..<rowCount(of: split), of: split)
  }

  fileprivate func clusterSizes(of split: Split) -> [Int] {
    Array(Dictionary(allLabels(of: split).map { ($0, 1) }, uniquingKeysWith: +).values)
  }
}

/// FNV-1a over 64-bit words.
private func checksum(_ words: [UInt64]) -> UInt64 {
  words.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ $1) &* 0x0000_0100_0000_01B3 }
}
