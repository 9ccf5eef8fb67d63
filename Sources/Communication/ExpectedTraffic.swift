internal import Glibc

/// What a rank is expected to send to others: ``Traffic`` before there is any, as a mean over the ranks.
public struct ExpectedTraffic: Codable, Equatable, Sendable {
  /// Collective calls, local ones included.
  public var rounds = 0.0
  public var messages = 0.0
  public var bytesSent = 0.0
  /// Of these, what goes to ranks on other hosts.
  public var messagesToOtherHosts = 0.0
  public var bytesToOtherHosts = 0.0
  /// The same, apart by the form of the rounds.
  public private(set) var byForm: [Form: Share] = [:]

  public init() {}

  /// A round of a form, to ranks on any host.
  fileprivate init(_ form: Form, messages: Double = 0, bytesSent: Double = 0) {
    rounds = 1
    self.messages = messages
    self.bytesSent = bytesSent
    byForm[form] = Share(rounds: 1, messages: messages, bytesSent: bytesSent)
  }

  /// To whom a rank sends in a round.
  public enum Form: String, CaseIterable, Codable, Sendable {
    /// The same to all others.
    case allGather
    /// A number of 8 bytes for each of the others.
    case transpose
    /// Something else to each of some others.
    case exchange
    /// To one rank, which is as far away for each.
    case passing
  }

  /// Of the rounds of a form, what a rank sends.
  public struct Share: Codable, Equatable, Sendable {
    public var rounds = 0.0
    public var messages = 0.0
    public var bytesSent = 0.0

    static func + (a: Self, b: Self) -> Self {
      Share(
        rounds: a.rounds + b.rounds, messages: a.messages + b.messages,
        bytesSent: a.bytesSent + b.bytesSent)
    }
  }

  public static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.rounds += b.rounds
    sum.messages += b.messages
    sum.bytesSent += b.bytesSent
    sum.messagesToOtherHosts += b.messagesToOtherHosts
    sum.bytesToOtherHosts += b.bytesToOtherHosts
    sum.byForm.merge(b.byForm, uniquingKeysWith: +)
    return sum
  }

  public static func += (a: inout Self, b: Self) { a = a + b }

  /// The same so many times.
  public static func * (times: Double, a: Self) -> Self {
    var product = a
    product.rounds *= times
    product.messages *= times
    product.bytesSent *= times
    product.messagesToOtherHosts *= times
    product.bytesToOtherHosts *= times
    product.byForm = a.byForm.mapValues {
      Share(
        rounds: times * $0.rounds, messages: times * $0.messages, bytesSent: times * $0.bytesSent)
    }
    return product
  }
}

/// Ranks that do not run: what each form of communication would send among them.
///
/// A function has the name of the one of ``Communicator`` that it is the twin of, and returns what
/// ``CountingCommunicator`` would count for that on a rank, as a mean over the ranks. What goes to other ranks is taken to be
/// spread evenly over them. So the cost of an algorithm is written as the algorithm is.
public struct ExpectedRanks: Equatable, Sendable {
  /// p. At least 1.
  public let count: Int
  /// Hosts, each with as many ranks, which follow each other. At least 1.
  public let hostCount: Int

  /// - Precondition: No more hosts than ranks.
  public init(_ count: Int, onHosts hostCount: Int = 1) {
    precondition(
      count >= 1 && (1...count).contains(hostCount), "\(count) ranks on \(hostCount) hosts")
    self.count = count
    self.hostCount = hostCount
  }

  /// So many ranks, about as many on a host.
  public func grown(to count: Int) -> ExpectedRanks {
    ExpectedRanks(count, onHosts: min(max(hostCount * count / self.count, 1), count))
  }

  /// p as a number to compute with.
  public var size: Double { Double(count) }

  /// (p − 1) / p: of what is spread evenly over ranks, the share that is another rank's.
  public var otherShare: Double { (size - 1) / size }

  /// Ranks of a host, on average.
  public var perHost: Double { size / Double(hostCount) }

  /// Of the other ranks those on other hosts, as a share.
  private var awayShare: Double { count == 1 ? 0 : (size - perHost) / (size - 1) }

  /// As ``Communicator/allGather(_:byteCounts:into:)``: so many bytes of every rank to every rank.
  public func allGather(_ byteCount: Double) -> ExpectedTraffic {
    toAll(byteCount, .allGather)
  }

  /// As ``Communicator/transpose(_:)``.
  public var transpose: ExpectedTraffic { toAll(8, .transpose) }

  /// As ``Communicator/exchange(_:to:into:from:)``, of values whose destinations are spread evenly over the ranks.
  ///
  /// - Parameters:
  ///   - count: How many values of a rank go to others.
  ///   - byteCount: Of one of them.
  ///   - partnerCount: To how many ranks they go at most.
  public func exchange(
    _ count: Double, of byteCount: Double, to partnerCount: Double = .infinity
  ) -> ExpectedTraffic {
    traffic(
      .exchange, messages: min(partners(of: count), partnerCount), byteCount: count * byteCount)
  }

  /// As ``Communicator/allToAll(_:)``.
  public func allToAll(
    _ count: Double, of byteCount: Double, to partnerCount: Double = .infinity
  ) -> ExpectedTraffic {
    transpose + exchange(count, of: byteCount, to: partnerCount)
  }

  /// As the sums of so many numbers of 8 bytes, element by element.
  public func sums(_ count: Double) -> ExpectedTraffic {
    if self.count == 1 { return ExpectedTraffic() }
    return exchange(count * otherShare, of: 8) + allGather(8 * count / size)
  }

  /// A message to one rank some places further round a ring of all.
  ///
  /// - Parameter steps: How many places.
  public func passing(_ byteCount: Double, by steps: Double = 1) -> ExpectedTraffic {
    if count == 1 { return ExpectedTraffic() }
    var traffic = ExpectedTraffic(.passing, messages: 1, bytesSent: byteCount)
    let away = hostCount == 1 ? 0 : min(1, steps / perHost)
    traffic.messagesToOtherHosts = away
    traffic.bytesToOtherHosts = away * byteCount
    return traffic
  }

  /// The ranks that at least one of so many values goes to, if each goes to any of the others.
  private func partners(of count: Double) -> Double {
    self.count == 1 || count <= 0 ? 0 : (size - 1) * -expm1(-count / (size - 1))
  }

  private func toAll(_ byteCount: Double, _ form: ExpectedTraffic.Form) -> ExpectedTraffic {
    traffic(form, messages: size - 1, byteCount: (size - 1) * byteCount)
  }

  private func traffic(
    _ form: ExpectedTraffic.Form, messages: Double, byteCount: Double
  ) -> ExpectedTraffic {
    guard count > 1 else { return ExpectedTraffic(form) }
    var traffic = ExpectedTraffic(form, messages: messages, bytesSent: byteCount)
    traffic.messagesToOtherHosts = messages * awayShare
    traffic.bytesToOtherHosts = byteCount * awayShare
    return traffic
  }
}
