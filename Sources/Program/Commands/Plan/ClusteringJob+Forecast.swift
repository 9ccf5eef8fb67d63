import Communication
import GraphNetworks
import HierarchicalClustering
import MPICommunication
import NeighborSearch
import Parallelism

extension ClusteringJob {
  /// A run that takes longer says so before it begins.
  private static let longSeconds = 600.0

  /// What is said of a run that will take long; nil where it will not.
  ///
  /// The rates are those that were measured here before, or else those of the program.
  var forecast: String? {
    let rates = (try? RatesFile.rates(nil).rates) ?? .built
    func seconds(_ job: ClusteringJob) -> Double { ExpectedRun(of: job).seconds(at: rates) }
    let ownSeconds = seconds(self)
    guard ownSeconds > Self.longSeconds else { return nil }
    var sentence =
      "predicted to take \(duration(ownSeconds)); highland plan tells which phase takes how long"
    var other = self
    other.search.method = .approximate
    let otherSeconds = seconds(other)
    if search.method != .approximate, otherSeconds < 0.8 * ownSeconds {
      sentence += ", and --search approximate would take \(duration(otherSeconds))"
    }
    return sentence
  }

  /// The job of some points on the ranks that run.
  ///
  /// > Collective: over `communicator`. A few rounds of some bytes per rank.
  ///
  /// - Returns: Nil where there is nothing to do.
  init?(
    _ goal: Goal, of source: FeatureRows, neighborCount: Int, search: SearchOptions,
    using workers: Workers, on communicator: MPICommunicator
  ) throws {
    let perHost = try communicator.rankCountOnHost()
    guard source.rowCount > 1, source.dimensions > 0, neighborCount > 1 else { return nil }
    self.init(
      goal, pointCount: source.rowCount, columnCount: source.dimensions,
      element: source.storedElement,
      ranks: ExpectedRanks(communicator.size, onHosts: max(1, communicator.size / perHost)),
      threadCount: workers.count, neighborCount: neighborCount, search: search)
  }
}
