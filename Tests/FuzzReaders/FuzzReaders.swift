import FileMutations
import Foundation

/// The reader that `HIGHLAND_FUZZED` names, in a directory of its own.
private let reader = FuzzedReader.named(ProcessInfo.processInfo.environment["HIGHLAND_FUZZED"])
private let directory = FileManager.default.currentDirectoryPath + "/input-\(getpid())"

/// Called by libFuzzer with every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  // Whatever else is thrown, it was refused.
  do { try reader.read(bytes, in: directory) } catch let error as DamageTaken {
    fatalError("\(reader.name): \(error)")
  } catch {}
  return 0
}

extension FuzzedReader {
  /// Ends the program with the names that there are if there is none of that name. With `HIGHLAND_SEEDS`, the
  /// reader's seeds are written to that directory.
  fileprivate static func named(_ name: String?) -> FuzzedReader {
    do {
      let all = try FuzzedReader.all()
      guard let reader = all.first(where: { $0.name == name }) else {
        for reader in all { print(reader.name) }
        end(64)
      }
      if let seeds = ProcessInfo.processInfo.environment["HIGHLAND_SEEDS"] {
        for (place, seed) in reader.seeds.enumerated() {
          try Data(seed).write(to: URL(fileURLWithPath: "\(seeds)/seed-\(place)"))
        }
        end(0)
      }
      return reader
    } catch {
      print(error)
      end(1)
    }
  }

  /// Ends without libFuzzer, which takes the end of the program for a fault.
  private static func end(_ code: Int32) -> Never {
    fflush(nil)
    _exit(code)
  }
}
