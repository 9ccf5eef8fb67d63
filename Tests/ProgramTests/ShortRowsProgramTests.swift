import Datasets
import Foundation
import LinearAlgebra
import RandomInputs
import Testing

extension Programs {
  @Suite struct ShortNumbersInTheProgram {
    /// 320 rows of 8 whole numbers around some directions.
    private var numbers: [Float] {
      let (centers, noise) = (randomMatrix(20, 8, seed: 31), randomMatrix(320, 8, seed: 32))
      return (0..<320 * 8).map { place in
        let (row, column) = (place / 8, place % 8)
        let value = centers[row % 20, column] + 0.3 * noise[row, column]
        return (min(max(value, -2), 2) * 60).rounded() + (column == row % 8 ? 3 : 0)
      }
    }

    private func header(_ type: String) -> [UInt8] {
      let text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (320, 8), }\n".utf8)
      return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count), 0] + text
    }

    private func bytes<T: BitwiseCopyable>(_ values: [T]) -> [UInt8] {
      unsafe values.withUnsafeBytes { unsafe Array($0) }
    }

    private func write(_ scratch: Scratch) throws -> [String] {
      let counts = bytes([320, 8] as [UInt32])
      let signed = bytes(numbers.map { Int8($0) })
      let brains = bytes(numbers.map { UInt16(truncatingIfNeeded: $0.bitPattern >> 16) })
      let json = Array(
        #"{"x":{"dtype":"BF16","shape":[320,8],"data_offsets":[0,\#(brains.count)]}}"#.utf8)
      return [
        try scratch.write(header("<f4") + bytes(numbers), as: "f4.npy"),
        try scratch.write(header("|i1") + signed, as: "i1.npy"),
        try scratch.write(header("<f2") + bytes(numbers.map { Float16($0) }), as: "f2.npy"),
        try scratch.write(counts + signed, as: "x.i8bin"),
        try scratch.write(
          bytes([UInt64(json.count)]) + json + brains, as: "x.safetensors"),
      ]
    }

    @Test(arguments: [nil, 3])
    func giveTheListsAndLabelsOfTheSameFloats(ranks: Int?) async throws {
      let scratch = try Scratch()
      let paths = try write(scratch)
      var answers: [[[UInt8]]] = []
      for path in ranks == nil ? paths : [paths[0], paths[1], paths[4]] {
        let outputs = ["n.npy", "s.npy", "l.npy"].map { scratch($0) }
        let found = try await run(
          "highland",
          [
            "knn", path, "-k", "6", "--search", "approximate", "--neighbors", outputs[0],
            "--similarities", outputs[1], "--overwrite", "--progress", "none",
          ], onRanks: ranks)
        #expect(found.exitCode == 0, "\(found)")
        let clustered = try await run(
          "highland",
          [
            "cluster", path, "--output", outputs[2], "--overwrite", "--progress", "none",
          ], onRanks: ranks)
        #expect(clustered.exitCode == 0, "\(clustered)")
        answers.append(try outputs.map { try ProgramTests.bytes(of: $0) })
      }
      for answer in answers.dropFirst() { #expect(answer == answers[0]) }
    }
  }
}
