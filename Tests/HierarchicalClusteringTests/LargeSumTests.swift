import Communication
import Foundation
import HierarchicalClustering
import Testing

@Suite struct SumsOfManyPoints {
  @Test(arguments: [1, 1000, 1 << 20, 1 << 31, 1_000_000_000_000], [1e-30, 1, 1e30] as [Float])
  func inFixedPointDoNotOverflow(count: Int, largest: Float) {
    let fixedPoint = FixedPoint(summing: count, valuesUpTo: largest)
    for value in [largest, -largest] {
      let (sum, overflow) = fixedPoint.encode(value).multipliedReportingOverflow(by: Int64(count))
      #expect(!overflow)
      let mean = fixedPoint.decode(sum, dividedBy: Int64(count))
      // The unit is 2⁻²⁰ of the largest value for 10¹² points.
      #expect(abs(mean - value) <= largest * 0x1p-20)
    }
  }

  @Test func ofSilhouettesDoNotOverflow() {
    let values = NodeSilhouettes(values: [1 << 32, 1 << 31])
    let weights: [Int64] = [500_000_000_000, 500_000_000_000]
    #expect(
      NodeSilhouettes.mean(of: values.sum(times: weights), over: 1_000_000_000_000) == 0.75)
  }
}

@Suite struct MemoryThatIsThere {
  private func write(_ files: [String: String]) throws -> String {
    let root = FileManager.default.temporaryDirectory.path + "/memory-\(UUID().uuidString)"
    for (name, text) in files {
      let url = URL(filePath: "\(root)/\(name)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return root
  }

  @Test func isTheLeastOfHostAndControlGroups() throws {
    var files = ["proc/meminfo": "MemTotal: 100 kB\nMemAvailable:     80 kB\n"]
    func bytes() throws -> Int? {
      let root = try write(files)
      defer { try? FileManager.default.removeItem(atPath: root) }
      return AvailableMemory.bytes(root: root)
    }
    #expect(try bytes() == 80 << 10)
    files["proc/self/cgroup"] = "0::/job/step\n"
    #expect(try bytes() == 80 << 10)
    files["sys/fs/cgroup/job/memory.max"] = "60000\n"
    files["sys/fs/cgroup/job/memory.current"] = "20000\n"
    files["sys/fs/cgroup/job/step/memory.max"] = "max\n"
    files["sys/fs/cgroup/job/step/memory.current"] = "20000\n"
    #expect(try bytes() == 40_000)
    files["sys/fs/cgroup/job/memory.stat"] = "anon 15000\ninactive_file 5000\n"
    #expect(try bytes() == 45_000)
    files["proc/self/cgroup"] = "5:cpu,memory:/old\n"
    files["sys/fs/cgroup/memory/old/memory.limit_in_bytes"] = "30000\n"
    files["sys/fs/cgroup/memory/old/memory.usage_in_bytes"] = "40000\n"
    #expect(try bytes() == 0)
    files = [:]
    #expect(try bytes() == nil)
  }
}
