internal import Communication

/// Kinds of work. A unit of each takes a thread about the same time in any run.
public enum Work: String, CaseIterable, Codable, Sendable {
  /// Of the input, as it is read and given norms.
  case readNumbers
  /// To find rows with the same direction.
  case hashedNumbers
  /// Floating-point operations on blocks of rows, and pairs of rows that are offered to lists: an exact search.
  case blockFlops, blockPairs
  /// Floating-point operations within cells, and visits of rows to cells: an approximate search.
  case cellFlops, cellVisits
  /// Edges of the graph that is divided among ranks, and the move of its nodes with them.
  case dividedEdges
  /// Edges of the neighbour graph.
  case graphEdges
  /// Edges whose linkage a network predicts, with their lists.
  case judgedEdges
  /// Edges among which parents are sought.
  case decodedEdges
  /// Numbers of rows that are added up to means or compared with them, and edges that are merged with their ends.
  case summedNumbers, mergedEdges
  /// Points that get the number of their cluster.
  case labelledPoints

  /// Whether the threads of a rank share it.
  var isShared: Bool {
    switch self {
    case .dividedEdges, .graphEdges, .decodedEdges, .mergedEdges, .labelledPoints:
      false
    case .readNumbers, .hashedNumbers, .blockFlops, .blockPairs, .cellFlops, .cellVisits,
      .judgedEdges, .summedNumbers:
      true
    }
  }
}

/// How fast a machine works and sends. Measured, or taken from another machine, as ``origin`` says.
public struct Rates: Codable, Equatable, Sendable {
  /// Where they were measured: the processor and the kernels of that.
  public var processor: String
  public var kernels: String
  /// Units that a thread does in a second.
  public var unitsPerSecond: [String: Double]
  /// Between two ranks of a host.
  public var bytesPerSecond: Double
  public var secondsPerMessage: Double
  /// Between two hosts, all ranks of a host together.
  public var bytesPerSecondBetweenHosts: Double
  public var secondsPerMessageBetweenHosts: Double
  /// Whether messages were measured, too, which takes two ranks.
  public var areMessagesMeasured: Bool

  public init(
    processor: String, kernels: String, _ unitsPerSecond: [Work: Double], bytesPerSecond: Double,
    secondsPerMessage: Double, bytesPerSecondBetweenHosts: Double,
    secondsPerMessageBetweenHosts: Double, areMessagesMeasured: Bool
  ) {
    self.processor = processor
    self.kernels = kernels
    self.unitsPerSecond = Dictionary(
      uniqueKeysWithValues: unitsPerSecond.map { ($0.rawValue, $1) })
    self.bytesPerSecond = bytesPerSecond
    self.secondsPerMessage = secondsPerMessage
    self.bytesPerSecondBetweenHosts = bytesPerSecondBetweenHosts
    self.secondsPerMessageBetweenHosts = secondsPerMessageBetweenHosts
    self.areMessagesMeasured = areMessagesMeasured
  }

  /// Nil if a kind of work has no rate, or a rate is no positive number: what is wrong.
  public var problem: String? {
    for work in Work.allCases {
      guard let rate = unitsPerSecond[work.rawValue] else { return "no rate of \(work.rawValue)" }
      guard rate > 0, rate.isFinite else { return "\(work.rawValue): \(rate) units per second" }
    }
    for (name, value) in [
      ("bytesPerSecond", bytesPerSecond), ("secondsPerMessage", secondsPerMessage),
      ("bytesPerSecondBetweenHosts", bytesPerSecondBetweenHosts),
      ("secondsPerMessageBetweenHosts", secondsPerMessageBetweenHosts),
    ] where !(value > 0 && value.isFinite) {
      return "\(name): \(value)"
    }
    return nil
  }

  /// How long a rank of so many threads works.
  func seconds(of work: [Work: Double], threadCount: Int) -> Double {
    Work.allCases.reduce(0) { seconds, kind in
      guard let amount = work[kind] else { return seconds }
      let threads = kind.isShared ? Double(threadCount) : 1
      return seconds + amount / (unitsPerSecond[kind.rawValue]! * threads)
    }
  }

  /// How long a rank sends.
  func seconds(of traffic: ExpectedTraffic, among ranks: ExpectedRanks) -> Double {
    let within = traffic.bytesSent - traffic.bytesToOtherHosts
    let messages = traffic.messages - traffic.messagesToOtherHosts
    return within / bytesPerSecond + messages * secondsPerMessage
      + traffic.bytesToOtherHosts * ranks.perHost / bytesPerSecondBetweenHosts
      + traffic.messagesToOtherHosts * secondsPerMessageBetweenHosts
  }
}
