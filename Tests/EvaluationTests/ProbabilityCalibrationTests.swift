import Communication
import Evaluation
import Foundation
import Testing

@Suite struct ProbabilityCalibrationTests {
  private func calibration(_ edges: [(p: Float, isTrue: Bool)]) -> ProbabilityCalibration {
    var calibration = ProbabilityCalibration()
    for edge in edges { calibration.count(edge.p, isTrue: edge.isTrue) }
    return calibration
  }

  /// Two bins of two edges: 0.25 and 0.375 from the truth.
  private let edges: [(p: Float, isTrue: Bool)] = [
    (0.25, true), (0.25, false), (0.875, true), (0.875, false),
  ]

  @Test func isThatOfPaper() {
    let found = calibration(edges)
    #expect(found.edgeCount == 4 && found.trueCount == 2)
    #expect(found.shareTrue == 0.5 && found.meanProbability == 0.5625)
    #expect(found.expectedCalibrationError == (2 * 0.25 + 2 * 0.375) / 4)
    #expect(found.bins.count == 20)
    #expect(found.bins.indices.filter { found.bins[$0].edgeCount > 0 } == [5, 17])
    #expect(found.bins[17].meanProbability == 0.875 && found.bins[17].shareTrue == 0.5)
  }

  /// Errors of one sign do not cancel those of the other in another bin.
  @Test func countsEachBinByItself() {
    #expect(
      calibration([(0.25, true), (0.75, false)]).expectedCalibrationError == 0.75)
    #expect(calibration([(0, false), (1, true)]).expectedCalibrationError == 0)
    let halves = (0..<10).map { (p: Float(0.5), isTrue: $0 % 2 == 0) }
    #expect(calibration(halves).expectedCalibrationError == 0)
  }

  @Test func takesWhatRoundingMakes() {
    let found = calibration([(-0.001, false), (1.001, true), (.nan, false)])
    #expect(found.bins[0].edgeCount == 2 && found.bins[19].edgeCount == 1)
    #expect(found.expectedCalibrationError == 0)
  }

  @Test func saysNothingOfNoEdges() throws {
    let none = ProbabilityCalibration()
    #expect(none.expectedCalibrationError == nil && none.shareTrue == nil)
    #expect(none.meanProbability == nil && none.bins[3].shareTrue == nil)
    let text = String(decoding: try JSONEncoder().encode(none), as: UTF8.self)
    #expect(!text.contains("null") && !text.contains("expected"))
  }

  @Test func isTheSumOfItsParts() throws {
    let all = edges + [(0.3, true), (0.7, true), (1 / 3, false)]
    #expect(calibration(Array(all[..<3])) + calibration(Array(all[3...])) == calibration(all))
    for ranks in 1...3 {
      let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
        let own = all.indices.filter { $0 % ranks == communicator.rank.index }.map { all[$0] }
        return try calibration(own).summed(on: communicator)
      }
      #expect(found == Array(repeating: calibration(all), count: ranks))
    }
  }

  @Test func isReadBackAsItWasWritten() throws {
    var many = ProbabilityCalibration()
    for edge in 0..<50_000 {
      many.count(Float(edge * 7919 % 50_021) / 50_021, isTrue: edge % 3 == 0)
    }
    let bytes = try JSONEncoder().encode(many)
    #expect(try JSONDecoder().decode(ProbabilityCalibration.self, from: bytes) == many)
    struct Keys: Decodable { var edges: Int, expectedCalibrationError: Double }
    let keys = try JSONDecoder().decode(Keys.self, from: bytes)
    #expect(keys.edges == 50_000)
    #expect(keys.expectedCalibrationError == many.expectedCalibrationError)
    for bad in [
      #"{"bins": []}"#,
      #"{"bins": [\#(Array(repeating: #"{"edges": 1, "trueEdges": 2}"#, count: 20).joined(separator: ","))]}"#,
    ] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(ProbabilityCalibration.self, from: Data(bad.utf8))
      }
    }
  }
}
