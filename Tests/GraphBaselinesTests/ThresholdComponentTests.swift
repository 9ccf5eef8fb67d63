import Communication
import DistributedGraphs
import GraphBaselines
import RandomInputs
import Testing

@Suite struct ThresholdComponentTests {
  /// The smallest node that each reaches along edges above the threshold, in both directions.
  private func plainComponents(of lists: NeighborLists, above threshold: Double) -> [Int] {
    var name = Array(0..<lists.count)
    var isChanging = true
    while isChanging {
      isChanging = false
      for place in lists.neighbors.indices
      where lists.neighbors[place] != NeighborLists.none
        && Double(lists.similarities[place]) > threshold
      {
        let ends = [place / lists.listLength, Int(lists.neighbors[place].index)]
        let least = min(name[ends[0]], name[ends[1]])
        for end in ends where name[end] != least {
          name[end] = least
          isChanging = true
        }
      }
    }
    return name
  }

  @Test(arguments: [1, 2, 3, 5], [-0.1, 0.3, 0.7, 0.9])
  func areThoseOfTheEdgesAboveIt(ranks: Int, threshold: Double) throws {
    for seed in 0..<4 {
      let lists = NeighborLists.random(nodeCount: 60, listLength: 5, seed: seed)
      let nodes = NodePartition.random(nodeCount: 60, ranks: ranks, seed: seed)
      let found = try ThreadCommunicator.run(ranks: ranks) { communicator in
        try thresholdComponents(
          of: lists.slice(nodes.owned(by: communicator.rank)), above: threshold, in: nodes,
          on: communicator)
      }
      #expect(
        found.flatMap { $0 }.map { Int($0.index) } == plainComponents(of: lists, above: threshold))
    }
  }
}
