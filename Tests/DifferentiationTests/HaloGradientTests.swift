import Communication
import Differentiation
import DistributedGraphs
import LinearAlgebra
import RandomInputs
import TestTags
import Testing

@Suite("The halo on the tape")
struct HaloGradientTests {
  @Test(
    "⟨extend x, y⟩ = ⟨x, accumulate y⟩: its gradient is its adjoint", .tags(.threads),
    arguments: 1...5)
  func gradientIsTheAdjoint(ranks: Int) throws {
    let nodeCount = 40
    let lists = NeighborLists.random(nodeCount: nodeCount, listLength: 5, seed: 3)
    let nodes = NodePartition.random(nodeCount: nodeCount, ranks: ranks, seed: 4)
    let all = randomDoubles(nodeCount, 3, seed: 5)
    let products = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = nodes.owned(by: communicator.rank)
      let graph = try NeighborGraph(lists.slice(owned), in: nodes, on: communicator)
      let tape = Tape<Double>()
      let x = tape.parameter(
        DenseMatrix(rows: owned.count, columns: 3, elements: all.elements(inRows: owned)))
      let local = try x.extended(by: graph.halo, on: communicator)
      let y = randomDoubles(local.rowCount, 3, seed: 6 + communicator.rank.index)
      let loss = (local * tape.constant(y)).sum()
      let gradients = try tape.gradients(of: loss, on: communicator)
      let forward = zip(local.value.elements, y.elements).reduce(0) { $0 + $1.0 * $1.1 }
      let backward = zip(x.value.elements, gradients[x].elements)
        .reduce(0) { $0 + $1.0 * $1.1 }
      return (forward, backward)
    }
    let forward = products.reduce(0) { $0 + $1.0 }
    let backward = products.reduce(0) { $0 + $1.1 }
    #expect(abs(forward - backward) < 1e-12 * max(1, abs(forward)), "\(forward), \(backward)")
    #expect(forward != 0)
  }

  @Test("A rank whose loss needs no ghost still answers the others", arguments: 2...4)
  func ranksWithoutLossTakePart(ranks: Int) throws {
    let lists = NeighborLists.random(nodeCount: 30, listLength: 4, seed: 8)
    let nodes = NodePartition(sharing: 30, among: ranks)
    let sums = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let owned = nodes.owned(by: communicator.rank)
      let graph = try NeighborGraph(lists.slice(owned), in: nodes, on: communicator)
      let tape = Tape<Double>()
      let x = tape.parameter(DenseMatrix(rows: owned.count, columns: 1))
      let local = try x.extended(by: graph.halo, on: communicator)
      // Only rank 0 has a loss that depends on its local nodes.
      let loss = communicator.rank == Rank(0) ? local.sum() : x.scaled(by: 0).sum()
      let gradient = try tape.gradients(of: loss, on: communicator)[x].elements
      return (gradient.reduce(0, +), communicator.rank == Rank(0) ? local.rowCount : 0)
    }
    // Every local node of rank 0 has the gradient 1, at its owner.
    #expect(sums.reduce(0) { $0 + $1.0 } == Double(sums.reduce(0) { $0 + $1.1 }))
  }
}
