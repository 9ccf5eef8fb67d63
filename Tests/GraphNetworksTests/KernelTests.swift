import Communication
import DistributedGraphs
import GraphNetworks
import LinearAlgebra
import Parallelism
import RandomInputs
import Testing

private func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

/// Below, at and past one, two and four vectors.
private let widths = [1, 15, 16, 17, 33, 64, 100, 130]

@Suite struct KernelsAndTheirTwins {
  @Test(arguments: widths, [1, 2])
  func sumOverNeighborsAlike(width: Int, threads: Int) throws {
    let lists = NeighborLists.random(nodeCount: 90, listLength: 7, seed: 51)
    let nodes = NodePartition(firstNode: [0, 50, 90])
    let features = randomMatrix(90, width + 3, seed: 52)
    let found = try ThreadCommunicator.run(ranks: 2) { communicator in
      let owned = nodes.owned(by: communicator.rank)
      let graph = try NeighborGraph(lists.slice(owned), in: nodes, on: communicator)
      let weights = graph.normalizedAffinities()
      // Three columns before those of interest, and three in the result.
      let rows = try graph.halo.extend(
        features.slice(owned), columns: 3..<width + 3, on: communicator)
      var sums = Matrix(rows: graph.ownedCount, columns: width + 4)
      addNeighborSums(
        weights, of: rows, over: graph, into: &sums, at: 2, using: Workers(threads))
      return (sums, referenceNeighborSums(weights, of: rows, over: graph))
    }
    for (sums, expected) in found {
      for node in 0..<sums.rowCount {
        let row = sums.row(node)
        #expect(bits(Array(row[2..<width + 2])) == bits(expected.row(node)))
        #expect(row[..<2] == [0, 0] && row[(width + 2)...] == [0, 0])
      }
    }
  }

  @Test(arguments: widths, [0, 1, 5, 600])
  func decodeEdgesAlike(width: Int, edgeCount: Int) {
    let decoder = randomDecoder(hidden: 4, width: width, seed: 53)
    let (source, destination) = (
      randomMatrix(40, width, seed: 54), randomMatrix(30, width, seed: 55)
    )
    var generator = SeededGenerator(seed: 56)
    var batch = EdgeBatch()
    for edge in 0..<edgeCount {
      batch.edges.append(edgeCount - 1 - edge)
      batch.sources.append(Int32.random(in: 0..<40, using: &generator))
      batch.destinations.append(Int32.random(in: 0..<30, using: &generator))
    }
    let expected = decoder.referenceLogits(batch, source: source, destination: destination)
    for threads in 1...2 {
      var logits = Array(repeating: Float.nan, count: edgeCount)
      decoder.decode(
        batch, source: source, destination: destination, into: &logits, using: Workers(threads))
      #expect(bits(logits.reversed()) == bits(expected))
    }
  }

  @Test func weightsOfANodesEdgesAddUpToOne() throws {
    let lists = NeighborLists.random(nodeCount: 50, listLength: 6, seed: 57)
    let graph = try NeighborGraph(lists, in: NodePartition(sharing: 50, among: 1), on: SingleRank())
    let weights = graph.normalizedAffinities()
    for node in 0..<50 {
      let edges = graph.edges(into: node)
      let sum = edges.reduce(0.0) { $0 + Double(graph.affinities[$1]) }
      for edge in edges {
        #expect(abs(Double(weights[edge]) - Double(graph.affinities[edge]) / sum) < 1e-7)
      }
    }
  }
}
