public import Evaluation

/// What is worth knowing of a hierarchy: sizes, merges, what the network said, and the clusters and
/// merges to look at first. A page shows it (`highland report`); here are only numbers and names.
///
/// Words, beside those of `Docs/Glossary.md`:
///
/// * A *merge* is a node of some level that took a parent. Its two ends are the input points of the
///   two nodes, between which the network judged; p is what it said. A cluster of m distinct points
///   (copies counted once) is held together by its m − 1 merges, a tree: each *bridges* the two parts
///   into which the cluster falls without it.
/// * The *certainty* of a cluster is the lowest p of its merges. A cluster of one distinct point has no
///   merges, hence none.
/// * The *stake* of a merge is (1 − p) · a · b, with a and b the distinct points of the two parts: how
///   many pairs of points are expected to be together wrongly, if its p alone is to blame.
///
/// Its size does not grow with that of the hierarchy, but for one row per level.
public struct HierarchyReport: Codable, Sendable {
  public var hierarchy: StoredHierarchy.Summary.Parameters
  /// The version that clustered.
  public var highland: String
  public var pointCount: Int
  public var dimensions: Int
  /// Points that are copies of others and were never nodes.
  public var copyCount: Int
  public var stopReason: String
  public var clusters: ClusterCounts
  /// By powers of two, from clusters of one point to the largest.
  public var sizeClasses: [SizeClass]
  public var levels: [Level]
  /// What the network said of level 0 and, together, of the later levels; only those there are.
  public var judgements: [Judgement]
  /// The clusters of most points, the largest first.
  public var largest: [Cluster]
  /// The clusters of the lowest certainty, that first.
  public var leastCertain: [Cluster]
  /// The merges of the highest stake, that first.
  public var mostAtStake: [Merge]
  /// With the truth at hand.
  public var agreement: Agreement?
  /// With places of the points at hand.
  public var map: Map?

  /// Clusters of 2ⁱ ..< 2ⁱ⁺¹ points.
  public struct SizeClass: Codable, Equatable, Sendable {
    public var smallest, largest: Int
    public var clusterCount: Int
    /// Points in these clusters.
    public var pointCount: Int
  }

  public struct Level: Codable, Equatable, Sendable {
    public var level: Int
    /// Nil where nodes went to modules.
    public var tau: Double?
    public var nodeCount, edgeCount, keptEdgeCount, mergedCount, clusterCount: Int
    /// Over the level's merges; nil without.
    public var lowestMergeProbability, meanMergeProbability: Double?
    /// With the truth: how right p is. An edge is true between nodes with the same label, which is that of most of their
    /// points, of equally many the lowest; at level 0 that of the first of copies.
    public var calibration: ProbabilityCalibration?
  }

  /// Histograms over levels of one τ. A bin includes its lower edge, the last one both.
  public struct Judgement: Codable, Equatable, Sendable {
    public var firstLevel, lastLevel: Int
    /// Nil where nodes went to modules.
    public var tau: Double?
    /// p of all edges, and of the merges. ``binCount`` bins of 0 ... 1.
    public var edges, merges: [Int]
    /// Density of all nodes, and of the peaks. ``binCount`` bins of −1 ... 1.
    public var nodes, peaks: [Int]
    /// With the truth: of the edges, those that are true, as in ``Level/calibration``.
    public var trueEdges: [Int]?

    public static let binCount = 50
  }

  /// A row of the input.
  public struct Point: Codable, Equatable, Sendable {
    /// Counted from 0.
    public var row: Int
    public var name: String?
    /// Its true label.
    public var truth: Int64?
  }

  public struct Merge: Codable, Equatable, Sendable {
    /// The label of the cluster that it holds together.
    public var cluster: Int
    /// Distinct points of the cluster.
    public var distinctCount: Int
    public var level: Int
    /// The input point of the node that took a parent.
    public var point: Point
    /// That of the parent.
    public var parent: Point
    /// p of the edge from the parent to the node.
    public var probability: Double
    /// Cosine similarity of the two nodes.
    public var similarity: Double
    /// The number of distinct points on the node's side, which come off if the edge is cut.
    public var splitCount: Int
    public var stake: Double
  }

  public struct Cluster: Codable, Equatable, Sendable {
    public var label: Int
    public var size: Int
    /// Points without their copies.
    public var distinctCount: Int
    /// The lowest p of its merges; nil for a cluster of one distinct point.
    public var certainty: Double?
    /// The least probable merges, that first; at most ``bridgeCount``.
    public var bridges: [Merge]
    /// The first points; at most ``exampleCount``.
    public var examples: [Point]
    /// The most frequent true label, the smallest of those, and the share of the points that have it.
    public var mainTruth: Int64?
    public var purity: Double?
  }

  public static let bridgeCount = 3
  public static let exampleCount = 3

  /// How well the clusters agree with the truth, and where they do not.
  public struct Agreement: Codable, Sendable {
    public var metrics: ClusteringMetrics
    /// The share of points whose true label is the most frequent of their cluster; nil without points.
    public var purity: Double?
    /// Points by the purity of their cluster: ten bins of 0 ... 1, the last with both edges.
    public var pointsByPurity: [Int]
    /// The clusters with most points of another true label than the most frequent, that first.
    public var mostMixed: [Cluster]
    /// The true clusters with most points outside of the cluster that has most of them, that first.
    public var mostSpread: [TrueCluster]
  }

  public struct TrueCluster: Codable, Equatable, Sendable {
    public var truth: Int64
    public var size: Int
    /// Over how many clusters it is spread.
    public var clusterCount: Int
    /// The cluster that has most of it, the first of those, and how many points that are.
    public var mainCluster: Int
    public var mainCount: Int
  }
}
