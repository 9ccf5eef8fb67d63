import ArgumentParser
import Communication
import Evaluation
import FoundationEssentials
import HierarchicalClustering
import MPICommunication
import NeighborSearch

struct MemoryOptions: ParsableArguments {
  @Option(
    name: .customLong("memory"),
    help: ArgumentHelp(
      "The memory that each rank may take: a number of bytes, or of K, M, G or T.",
      discussion: """
        The run divides its work so that it stays below, or is refused before it begins. highland cluster may fit \
        only if half of the points merge, as most do: it says so, and ends if they do not. The result does not \
        depend on it. Default: what the host has.
        """))
  var givenMemory: String?

  func validate() throws {
    guard let givenMemory, limit == nil else { return }
    throw ValidationError(
      "--memory \(givenMemory): expected bytes, or K, M, G or T of 1024, 1024² … bytes, such as 8G or 1.5G"
    )
  }

  /// In bytes.
  var limit: Int? {
    guard let text = givenMemory?.uppercased(), let last = text.last else { return nil }
    let shift = ["K": 10, "M": 20, "G": 30, "T": 40][last]
    let number = shift == nil ? text[...] : text.dropLast()
    guard number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), number.first != ".",
      let value = Double(number)
    else { return nil }
    let bytes = (value * Double(1 << (shift ?? 0))).rounded(.down)
    return bytes >= 1 && bytes < 0x1p62 ? Int(bytes) : nil
  }

  /// What does not grow with the points: what a process has at its start, code that is read when it is needed, tiles of
  /// the threads, and buffers.
  static func fixedBytes(start: Int, threadCount: Int) -> Double {
    Double(start) + 24e6 + 6e6 * Double(threadCount)
  }

  /// What a run will take on the rank that takes most, and how it divides its search for that.
  struct Plan {
    let division: SearchDivision
    let bytes: Double
    /// What was given with `--memory`.
    let limit: Int?
    /// What is left of the limit for what grows with the points, if the plan holds only for data that merge.
    var room: Double?
  }

  /// The least divided search that fits.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  ///
  /// - Parameters:
  ///   - purpose: What the memory is for.
  ///   - remedy: What takes less, as the end of a sentence.
  ///   - need: Replicated. What grows with the points, in bytes.
  ///   - usualNeed: The same, of data of which at least half merge at every level, if others need more.
  /// - Throws: The same on every rank if nothing fits: what would be needed.
  func plan(
    of purpose: String, threadCount: Int, orElse remedy: String = "",
    on communicator: MPICommunicator, usualNeed: ((SearchDivision) -> Double)? = nil,
    _ need: (SearchDivision) -> Double
  ) throws -> Plan {
    guard let limit else {
      return try Self.planOfFreeMemory(
        of: purpose, threadCount: threadCount, on: communicator
      ) { usualNeed?($0) ?? need($0) }
    }
    let fixed = try Self.fixedBytes(threadCount: threadCount, on: communicator)
    func plans(_ need: (SearchDivision) -> Double) -> [Plan] {
      SearchDivision.all.map { Plan(division: $0, bytes: fixed + need($0), limit: limit) }
    }
    let sure = plans(need)
    let usual = usualNeed.map { plans($0) } ?? sure
    if let plan = sure.first(where: { $0.bytes <= Double(limit) }) { return plan }
    if var plan = usual.first(where: { $0.bytes <= Double(limit) }) {
      plan.room = Double(limit) - fixed
      return plan
    }
    // Some pages more or fewer are there at the start of the next run, which shall not be refused.
    func least(_ plans: [Plan]) -> Int {
      Int(((plans.map(\.bytes).min()! + 0x1p21) / Double(1 << 20)).rounded(.up))
    }
    throw AgreedFailure(
      reason:
        "--memory \(givenMemory!): \(purpose) need \(least(sure))M on each of \(communicator.size) "
        + (communicator.size == 1 ? "rank" : "ranks")
        + (least(usual) < least(sure) ? ", or \(least(usual))M if half of them merge" : "") + remedy
    )
  }

  /// The least divided search that fits into what the hosts have free.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  ///
  /// - Parameters:
  ///   - purpose: What the memory is for.
  ///   - need: Replicated. What grows with the points, in bytes.
  /// - Throws: The same on every rank if nothing fits: what would be needed.
  static func planOfFreeMemory(
    of purpose: String, threadCount: Int, on communicator: MPICommunicator,
    _ need: (SearchDivision) -> Double
  ) throws -> Plan {
    let fixed = try fixedBytes(threadCount: threadCount, on: communicator)
    let plans = SearchDivision.all.map {
      Plan(division: $0, bytes: fixed + need($0), limit: nil)
    }
    let free = AvailableMemory.bytes() ?? .max
    let share = try communicator.minimum(free / communicator.rankCountOnHost())
    if let plan = plans.first(where: { $0.bytes <= Double(share) }) { return plan }
    try MemoryNeed(option: purpose, purpose: "memory", bytes: plans.last!.bytes)
      .check(on: communicator)
    return plans.last!
  }

  /// What does not grow with the points, on the rank that has most of it.
  ///
  /// > Collective: over `communicator`. Two rounds of 8 bytes per rank.
  private static func fixedBytes(
    threadCount: Int, on communicator: MPICommunicator
  ) throws -> Double {
    fixedBytes(
      start: try communicator.maximum(Machine.startMemoryBytes),
      threadCount: try communicator.maximum(threadCount))
  }
}
