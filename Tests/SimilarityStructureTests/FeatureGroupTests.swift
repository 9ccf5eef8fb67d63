import SimilarityStructure
import Testing

@Suite struct FeatureGroups {
  @Test func holdEveryFeatureOnce() throws {
    var nodes: [NodeFeature] = []
    var edges: [EdgeFeature] = []
    for group in FeatureGroup.allCases {
      let selection = try #require(FeatureSelection(named: group.rawValue))
      nodes += selection.nodes
      edges += selection.edges
    }
    #expect(nodes.sorted { $0.rawValue < $1.rawValue } == NodeFeature.allCases)
    #expect(edges.sorted { $0.rawValue < $1.rawValue } == EdgeFeature.allCases)
  }

  @Test func andFeaturesHaveDifferentNames() {
    let names = FeatureSelection.names
    #expect(Set(names).count == names.count)
    for name in names { #expect(FeatureSelection(named: name) != nil, "\(name)") }
  }

  @Test func areSelectedWithSingleFeaturesAndWithAll() throws {
    var selection = try #require(FeatureSelection(named: "node.jaccard"))
    #expect(selection.nodes == [.jaccard] && selection.edges.isEmpty)
    selection.formUnion(try #require(FeatureSelection(named: "edge.jaccard")))
    #expect(selection.nodes == [.jaccard] && selection.edges == [.jaccard])
    selection.formUnion(try #require(FeatureSelection(named: "sizes")))
    #expect(selection.nodes == [.jaccard, .logSize] && selection.edges.count == 4)
    selection.formUnion(try #require(FeatureSelection(named: "nodes")))
    #expect(selection.nodes.count == NodeFeature.allCases.count && selection.edges.count == 4)
  }

  @Test(arguments: ["", "jaccard", "node.closeness", "Overlap", "edge."])
  func unknownNamesStandForNothing(name: String) {
    #expect(FeatureSelection(named: name) == nil)
  }
}
