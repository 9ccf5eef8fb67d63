/// Features that tell the same kind of thing about a node or an edge. Every feature is in one group.
public enum FeatureGroup: String, CaseIterable, Sendable {
  /// How similar the ends are, and a node's neighbours to it.
  case absolute
  /// Places in lists, and how many lists hold a node.
  case ranks
  /// The similarity of an edge relative to its ends' near neighbours.
  case localScaling = "local-scaling"
  /// The overlap of both ends' lists.
  case overlap
  /// How close members are: average linkage, tightness and cohesion.
  case linkage
  /// How many points a node stands for.
  case sizes
  /// The edges between the members at level 0.
  case pointEdges = "point-edges"
  /// Which level it is.
  case level
}

extension EdgeFeature {
  public var group: FeatureGroup {
    switch self {
    case .closeness: .absolute
    case .rankAtTarget, .rankAtSource, .contextRankAtSource: .ranks
    case .belowNearestOfTarget, .belowNearestOfSource, .aboveMeanOfTarget, .aboveMeanOfSource,
      .aboveFarthestOfTarget, .aboveFarthestOfSource, .standardAtTarget, .standardAtSource:
      .localScaling
    case .nearShared, .nearCosine, .jaccard, .contextCosine, .relativeJaccard, .jaccardAboveTarget,
      .jaccardAboveSource:
      .overlap
    case .averageLinkage, .linkageAboveTightnessOfTarget, .linkageAboveTightnessOfSource,
      .relativeLinkage, .linkageAboveCohesionOfTarget, .linkageAboveCohesionOfSource:
      .linkage
    case .logSizeOfTarget, .logSizeOfSource, .logSizeOfSmaller: .sizes
    case .pointShareOfTarget, .pointShareOfSource, .pointShareOfSmaller,
      .pointShareOfOutsideOfTarget, .pointShareOfOutsideOfSource, .logPointEdges, .bestPointEdge,
      .bestPointEdgeAboveCohesion, .noPointEdge:
      .pointEdges
    }
  }
}

extension NodeFeature {
  public var group: FeatureGroup {
    switch self {
    case .nearest, .third, .sixth, .farthest, .mean, .deviation: .absolute
    case .popularity, .mutualShare: .ranks
    case .nearJaccard, .jaccard: .overlap
    case .tightness, .cohesion: .linkage
    case .logSize: .sizes
    case .insideShare: .pointEdges
    case .level: .level
    }
  }
}

/// Some features of nodes and edges, to measure what they are worth to a network.
public struct FeatureSelection: Equatable, Sendable {
  public private(set) var nodes: Set<NodeFeature> = []
  public private(set) var edges: Set<EdgeFeature> = []

  /// None.
  public init() {}

  /// The features that a name stands for: `nodes` or `edges`, a ``FeatureGroup``, or one feature such as
  /// `node.logSize` or `edge.jaccard`. Nil for an unknown name.
  public init?(named name: String) {
    nodes = Set(
      NodeFeature.allCases.filter {
        name == "nodes" || name == $0.group.rawValue || name == "node.\($0.name)"
      })
    edges = Set(
      EdgeFeature.allCases.filter {
        name == "edges" || name == $0.group.rawValue || name == "edge.\($0.name)"
      })
    guard !nodes.isEmpty || !edges.isEmpty else { return nil }
  }

  public mutating func formUnion(_ other: FeatureSelection) {
    nodes.formUnion(other.nodes)
    edges.formUnion(other.edges)
  }

  /// All known names.
  public static var names: [String] {
    FeatureGroup.allCases.map(\.rawValue) + ["nodes", "edges"]
      + NodeFeature.allCases.map { "node.\($0.name)" }
      + EdgeFeature.allCases.map { "edge.\($0.name)" }
  }
}
