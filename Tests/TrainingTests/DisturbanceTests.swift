import Communication
import Differentiation
import DistributedGraphs
import GraphNetworks
import LinearAlgebra
import Testing
import Training

@Suite("What a step changes at random")
struct DisturbanceTests {
  @Test("A rotation is orthogonal, and another in every step", arguments: [1, 5, 40, 300])
  func rotationsAreOrthogonal(dimensions: Int) throws {
    func rotation(_ step: Int) -> DenseMatrix<Double>? {
      Disturbance(seed: 1, step: step, dropout: 0, rotates: true).rotation(dimensions: dimensions)
    }
    let r = try #require(rotation(3))
    for a in 0..<dimensions {
      for b in 0..<dimensions {
        let dot = (0..<dimensions).reduce(0) { $0 + r[a, $1] * r[b, $1] }
        #expect(abs(dot - (a == b ? 1 : 0)) < 1e-12)
      }
    }
    #expect(rotation(3) == r && (dimensions == 1 || rotation(4) != r))
  }

  @Test("Dropout zeroes its share, and keeps the mean")
  func dropoutKeepsTheMean() throws {
    let disturbance = Disturbance(seed: 2, step: 1, dropout: 0.3, rotates: false)
    let mask: DenseMatrix<Double> = try #require(
      disturbance.mask(ofLayer: 0, nodes: (0..<500).map { Int64($0) }, width: 40))
    let zeros = mask.elements.count { $0 == 0 }
    #expect(abs(Double(zeros) / 20_000 - 0.3) < 0.02)
    #expect(Set(mask.elements) == [0, 1 / 0.7])
    // A node has its mask wherever it is.
    let one: DenseMatrix<Double> = try #require(
      disturbance.mask(ofLayer: 0, nodes: [77], width: 40))
    #expect(one.row(0) == mask.row(77))
  }

  @Test("Balance leaves as many edges of one class as of the other", arguments: 1...3)
  func balances(ranks: Int) throws {
    let classes: [Int32] = (0..<200).map { $0 % 7 == 0 ? 1 : $0 % 5 == 0 ? -1 : 0 }
    let names = classes.indices.map { UInt64($0) }
    let parts = try ThreadCommunicator.run(ranks: ranks) { communicator in
      let own = NodePartition(sharing: 200, among: ranks).owned(by: communicator.rank)
      return try balanced(
        Array(classes[own]), names: Array(names[own]), seed: 9, on: communicator)
    }.flatMap { $0 }
    let positives = classes.count { $0 == 1 }
    #expect(parts.count { $0 == 1 } == positives && parts.count { $0 == 0 } == positives)
    #expect(zip(parts, classes).allSatisfy { $0 == $1 || $0 == -1 })
    #expect(
      try parts == balanced(classes, names: names, seed: 9, on: SingleRank()))
    #expect(try parts != balanced(classes, names: names, seed: 10, on: SingleRank()))
  }

  @Test("A network that begins by distances links near points more than far ones")
  func beginsByDistances() throws {
    let points = LabelledPoints(identities: 12, pointsEach: 8, dimensions: 10, seed: 3)
    let graph = try points.graphs(on: SingleRank())[0]
    let shape = LanderShape(dimensions: 10, hidden: 64)
    func correlation(_ startsFromDistance: Bool) throws -> Double {
      let network = try shape.network(
        shape.initialParameters(seed: 4, startsFromDistance: startsFromDistance))
      let linkage = try network.linkage(
        of: NodeInput(identity: graph.identity, average: nil, usesAverage: true),
        over: graph.graph, on: SingleRank())
      return pearson(
        linkage.probability.map { Double($0) }, graph.graph.affinities.map { Double($0) })
    }
    #expect(try correlation(true) > 0.7)
    #expect(try abs(correlation(false)) < 0.5)
  }

  private func pearson(_ x: [Double], _ y: [Double]) -> Double {
    func centered(_ values: [Double]) -> [Double] {
      let mean = values.reduce(0, +) / Double(values.count)
      return values.map { $0 - mean }
    }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    let (a, b) = (centered(x), centered(y))
    return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
  }
}
