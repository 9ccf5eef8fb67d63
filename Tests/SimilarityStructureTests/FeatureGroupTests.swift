import SimilarityStructure
import Testing

@Suite struct FeatureGroups {
  @Test func holdEveryFeatureOnce() {
    var nodes: [NodeFeature] = []
    var edges: [EdgeFeature] = []
    for group in FeatureGroup.allCases {
      var selection = FeatureSelection()
      #expect(selection.insert(named: group.rawValue))
      nodes += selection.nodes
      edges += selection.edges
    }
    #expect(nodes.sorted { $0.rawValue < $1.rawValue } == NodeFeature.allCases)
    #expect(edges.sorted { $0.rawValue < $1.rawValue } == EdgeFeature.allCases)
  }

  @Test func andFeaturesHaveDifferentNames() {
    let names = FeatureSelection.names
    #expect(Set(names).count == names.count)
    for name in names {
      var selection = FeatureSelection()
      #expect(selection.insert(named: name), "\(name)")
    }
  }

  @Test func areSelectedWithSingleFeaturesAndWithAll() {
    var selection = FeatureSelection()
    #expect(selection.insert(named: "node.jaccard"))
    #expect(selection.nodes == [.jaccard] && selection.edges.isEmpty)
    #expect(selection.insert(named: "edge.jaccard"))
    #expect(selection.nodes == [.jaccard] && selection.edges == [.jaccard])
    #expect(selection.insert(named: "sizes"))
    #expect(selection.nodes == [.jaccard, .logSize] && selection.edges.count == 4)
    #expect(selection.insert(named: "nodes"))
    #expect(selection.nodes.count == NodeFeature.allCases.count && selection.edges.count == 4)
  }

  @Test(arguments: ["", "jaccard", "node.closeness", "Overlap", "edge."])
  func unknownNamesStandForNothing(name: String) {
    var selection = FeatureSelection()
    #expect(!selection.insert(named: name))
    #expect(selection == FeatureSelection())
  }
}
