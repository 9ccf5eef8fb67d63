import Communication
import CommunicationTesting
import Differentiation
import LinearAlgebra
import RandomInputs
import Testing

@Suite struct PartSumsTests {
  /// Parts dealt to ranks in a random way, some of which get none.
  private func hands(_ partCount: Int, ranks: Int, seed: Int) -> [[Int]] {
    var random = SeededGenerator(seed: seed)
    var hands = Array(repeating: [Int](), count: ranks)
    for part in 0..<partCount { hands[Int(random.next() % UInt64(ranks))].append(part) }
    return hands
  }

  /// Numbers whose sum in `Double` depends on the order: their exponents lie far apart.
  private func wideNumbers(_ rows: Int, _ columns: Int, seed: Int) -> Matrix {
    var random = SeededGenerator(seed: seed)
    return Matrix(
      rows: rows, columns: columns,
      elements: (0..<rows * columns).map { _ in
        let bits = random.next()
        return Float(
          sign: bits & 1 == 0 ? .plus : .minus, exponent: Int(bits >> 1 & 127) - 40,
          significand: 1 + Float(bits >> 32 & 0xFFFF) / 0x10000)
      })
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 20], [0, 1, 7, 128, 129, 1000])
  func theSumOfPartsHasTheSameBitsOnAnyNumberOfRanks(ranks: Int, columns: Int) throws {
    let all = wideNumbers(16, columns, seed: 11)
    let expected = PartSums(all).totals
    for seed in 0..<3 {
      let hands = hands(16, ranks: ranks, seed: seed)
      let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let own = hands[communicator.rank.index]
        let parts = RowParts(RowBlocks(count: own.count, length: 1), hands: hands)
        return try PartSums(
          Matrix(rows: own.count, columns: columns, elements: own.flatMap { all.row($0) })
        ).totals(over: parts, on: communicator)
      }
      for sums in found { #expect(sums == expected) }
    }
    if columns == 1000 {
      // The order does matter here.
      let turned = Matrix(
        rows: 16, columns: columns, elements: (0..<16).reversed().flatMap { all.row($0) })
      #expect(PartSums(turned).totals != expected)
    }
  }
}
