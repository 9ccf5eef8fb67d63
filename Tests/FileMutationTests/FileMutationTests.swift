import FileMutations
import Foundation
import RandomInputs
import Testing

/// What Scripts/fuzz does for hours, for seconds: readers of files that were changed end, and the process with them
/// does not. What was kept is not used if it was changed.
@Suite struct ReadersOfChangedFiles {
  private let directory =
    NSTemporaryDirectory() + "highland-changed-\(ProcessInfo.processInfo.globallyUniqueString)"

  /// How many inputs of each reader; `HIGHLAND_MUTATIONS` makes it more.
  private static let count =
    ProcessInfo.processInfo.environment["HIGHLAND_MUTATIONS"].flatMap { Int($0) } ?? 400

  @Test func takeWhatIsWholeAndRefuseOrReadTheRest() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    for (number, reader) in try FuzzedReader.all().enumerated() {
      for (place, seed) in reader.seeds.enumerated() {
        #expect(throws: Never.self, "\(reader.name), seed \(place)") {
          try reader.read(seed, in: directory)
        }
      }
      var generator = SeededGenerator(seed: 211 + number)
      var refused = 0
      // A clustering for each input.
      let count = reader.name == "levels that were kept" ? Self.count / 8 : Self.count
      for _ in 0..<count {
        let seed = reader.seeds.randomElement(using: &generator)!
        do { try reader.read(seed.mutated(using: &generator), in: directory) } catch let fault
          as DamageTaken
        {
          Issue.record("\(reader.name): \(fault)")
        } catch {
          refused += 1
        }
      }
      // Names may be anything, and what was kept for another run is not used.
      if ![
        "names", "groups", "neighbours that were kept", "search that was kept",
        "levels that were kept",
      ].contains(reader.name) {
        #expect(refused > count / 10, "\(reader.name): \(refused) of \(count)")
      }
      #expect(refused < count, "\(reader.name)")
    }
  }
}
