import Foundation
import RandomNumbers
import Testing

/// Numbers of the streams as they were when models, splits and synthetic data were first made of them:
/// `below` and `shuffled` those of the standard library of Swift 6.3, which drew them then.
@Suite struct AStream {
  private static let bounds: [(bound: Int, numbers: [Int])] = [
    (1, [0, 0, 0, 0, 0, 0]),
    (2, [0, 0, 1, 1, 1, 1]),
    (3, [0, 0, 2, 2, 1, 1]),
    (10, [2, 7, 2, 9, 6, 7]),
    (1000, [828, 167, 413, 879, 771, 408]),
    (
      1_099_511_627_776,
      [
        1_079_071_476_128, 631_239_943_093, 650_653_033_294, 525_480_894_373, 547_336_663_668,
        554_198_856_744,
      ]
    ),
    (
      6_917_529_027_641_081_856,
      [
        6_352_378_882_323_328_932, 5_141_040_577_147_220_666, 2_616_870_685_634_387_986,
        2_263_199_307_659_578_137, 3_316_524_305_493_415_986, 2_496_513_229_916_564_462,
      ]
    ),
    (
      4_611_686_018_427_387_905,
      [
        2_615_965_558_454_026_261, 636_506_612_592_903_098, 4_298_159_405_066_149_187,
        615_263_584_891_593_277, 4_486_222_222_113_535, 300_180_691_521_266_936,
      ]
    ),
    (
      9_223_372_036_854_775_807,
      [
        1_826_920_332_010_460_090, 3_426_473_276_081_137_175, 1_045_233_112_708_714_677,
        6_853_534_668_009_758_427, 6_975_566_610_057_072_267, 2_638_340_467_837_516_312,
      ]
    ),
  ]

  @Test func hasFrozenBits() {
    var stream = RandomStream(seed: 5, purpose: 7, index: 9)
    #expect(
      (0..<4).map { _ in stream.bits() } == [
        14_557_250_065_201_056_497, 8_311_483_915_072_399_117, 8_312_950_600_654_278_214,
        8_040_595_697_930_014_898,
      ])
    stream = RandomStream(seed: 0, purpose: 1, index: -1)
    #expect(
      (0..<2).map { _ in stream.bits() } == [5_910_544_259_114_856_398, 7_997_493_741_039_736_987])
  }

  @Test func hasFrozenFractions() {
    var stream = RandomStream(seed: 5, purpose: 7, index: 9)
    #expect(
      (0..<3).map { _ in stream.uniform() } == [
        0.7891501073052869, 0.45056644586499106, 0.4506459550497024,
      ])
    #expect(
      (0..<3).map { _ in stream.normal() } == [
        0.25115476724614255, -0.013188069962730206, 0.18767231423917272,
      ])
    #expect(
      (0..<3).map { _ in stream.longTailed(limitRoot: 0.02) } == [
        1.4251551598125953, 1.0296320824202327, 0.21039856378113964,
      ])
  }

  @Test func drawsAndShufflesAsTheStandardLibraryOfSwift6_3Did() {
    var stream = RandomStream(seed: 5, purpose: 7, index: 9)
    for (bound, numbers) in Self.bounds {
      #expect((0..<6).map { _ in stream.below(bound) } == numbers, "below \(bound)")
    }
    // As many draws as it made, those of large bounds that it made again included.
    #expect(stream.bits() == 11_050_111_829_621_852_740)
    #expect(stream.shuffled(0..<0) == [])
    #expect(stream.shuffled(0..<1) == [0])
    #expect(stream.shuffled(0..<2) == [1, 0])
    #expect(stream.shuffled(0..<3) == [0, 2, 1])
    #expect(
      stream.shuffled(0..<20) == [
        6, 5, 16, 7, 18, 11, 8, 13, 14, 2, 1, 9, 17, 0, 4, 3, 19, 15, 12, 10,
      ])
    #expect(stream.shuffled(Array(0..<12)) == [4, 10, 9, 7, 0, 8, 5, 6, 3, 2, 1, 11])
    #expect(stream.bits() == 6_674_471_679_555_062_274)
  }

  @Test func ofManyPurposesHasFrozenNumbers() {
    var stream = RandomStream(seed: 5, for: 7, 9)
    #expect(
      (0..<4).map { _ in stream.bits() } == [
        18_063_768_858_132_457_725, 17_461_262_908_360_231_350, 6_292_181_975_323_703_511,
        15_247_127_083_531_443_613,
      ])
    #expect(
      (0..<3).map { _ in stream.uniformBelowOne() } == [
        0.5701865660188689, 0.0725103483426911, 0.035689041465606586,
      ])
    #expect(
      [1, 2, 3, 10, 1000, 1 << 40].map { stream.below($0) } == [0, 1, 0, 2, 118, 226_296_528_070])
    #expect(stream.shuffledFromTheEnd(0..<0) == [])
    #expect(stream.shuffledFromTheEnd(0..<1) == [0])
    #expect(stream.shuffledFromTheEnd(0..<2) == [1, 0])
    #expect(stream.shuffledFromTheEnd(0..<3) == [0, 1, 2])
    #expect(
      stream.shuffledFromTheEnd(0..<20) == [
        15, 0, 13, 18, 19, 7, 17, 12, 4, 5, 14, 11, 2, 10, 3, 9, 16, 1, 8, 6,
      ])
    #expect(stream.bits() == 5_886_905_100_162_908_024)
    var other = RandomStream(seed: 3)
    #expect(
      (0..<2).map { _ in other.bits() } == [10_945_051_594_806_084_850, 11_681_288_890_759_070_000])
  }

  @Test func givesAFrozenPermutation() {
    var stream = RandomStream(seed: 5, purpose: 7, index: 9)
    for (bound, _) in Self.bounds { for _ in 0..<6 { _ = stream.below(bound) } }
    _ = stream.bits()
    for count in [0, 1, 2, 3, 20, 12] { _ = stream.shuffled(0..<count) }
    _ = stream.bits()
    let permutation = PseudorandomPermutation(count: 13, stream)
    #expect((0..<13).map { permutation[$0] } == [10, 8, 1, 12, 7, 3, 4, 11, 9, 6, 0, 5, 2])
  }

  @Test func mixesToFrozenBits() {
    #expect(
      [0, 1, .max].map { mixed($0) } == [0, 6_238_072_747_940_578_789, 13_029_008_266_876_403_067])
  }

  /// Every number below 6 with a chance of 1/6, and every order of three with the same.
  @Test func isEvenlySpread() {
    var stream = RandomStream(seed: 1, purpose: 2)
    var counts = Array(repeating: 0, count: 6)
    for _ in 0..<6000 { counts[stream.below(6)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 1000) < 150 }, "\(counts)")
    for fromTheEnd in [false, true] {
      var orders: [[Int]: Int] = [:]
      for _ in 0..<6000 {
        orders[
          fromTheEnd ? stream.shuffledFromTheEnd(0..<3) : stream.shuffled(0..<3), default: 0] += 1
      }
      #expect(orders.count == 6 && orders.values.allSatisfy { abs($0 - 1000) < 150 }, "\(orders)")
    }
  }
}

@Suite struct TheSources {
  /// The standard library's ways to draw may change with the compiler. Names of temporary files may be
  /// anything.
  @Test func drawNumbersFromStreamsAlone() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources")
    let drawing = try Regex(
      #"RandomNumberGenerator|\.random\(|\.randomElement\(|\.shuffled?\((using|\))|arc4random|drand48|\brandom\(\)"#
    )
    let files = try #require(
      FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
    var fileCount = 0
    var found: [String] = []
    for case let file as URL in files where file.pathExtension == "swift" {
      fileCount += 1
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        let isComment = line.drop { $0 == " " }.hasPrefix("//")
        if !isComment, line.contains(drawing) { found.append(file.lastPathComponent) }
      }
    }
    #expect(fileCount > 100)
    #expect(Set(found) == ["KeptArray.swift", "OutputFile.swift", "Watchdog.swift"])
  }
}
