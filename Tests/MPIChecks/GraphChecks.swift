internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import MPICommunication
internal import RandomInputs

let graphChecks = [
  Check(name: "halo") { communicator in
    // Shares of any size, the same on all ranks by the seed.
    let nodes = NodePartition.random(nodeCount: 200, ranks: communicator.size, seed: 81)
    let lists = NeighborLists.random(nodeCount: 200, listLength: 6, seed: 82)
    let halo = try NeighborGraph(
      lists.slice(nodes.owned(by: communicator.rank)), in: nodes, on: communicator
    ).halo
    try checkExtend(halo, on: communicator)
    try checkPieces(halo, on: communicator)
    try checkAccumulate(halo, on: communicator)
  },
  // Every node hangs below the one before it, over all ranks.
  Check(name: "paths") { communicator in
    let nodes = NodePartition(sharing: 1000, among: communicator.size)
    var parent = nodes.owned(by: communicator.rank).map { GlobalNode(max(0, $0 - 1)) }
    try compressPaths(&parent, in: nodes, on: communicator)
    try communicator.require(
      parent.allSatisfy { $0 == GlobalNode(0) }, "not all of a chain found its root")
  },
  // Two rings, of the even and the odd nodes; each edge is held by the rank after its owner.
  Check(name: "components") { communicator in
    let nodes = NodePartition(sharing: 1000, among: communicator.size)
    let held = nodes.owned(by: Rank((communicator.rank.index + 1) % communicator.size))
    let found = try connectedComponents(
      held.map { (GlobalNode($0), GlobalNode(($0 + 2) % 1000)) }, in: nodes, on: communicator)
    let expected = nodes.owned(by: communicator.rank).map { GlobalNode($0 % 2) }
    try communicator.require(found == expected, "two rings are not two components")
  },
]

extension Communicator {
  /// All ranks throw if the condition fails on any. Collective.
  func require(_ condition: Bool, _ failure: String) throws {
    try agree { if !condition { throw CheckFailure(description: failure) } }
  }
}

/// A row for each node that tells which it is.
private func namedRows(_ nodes: some Sequence<Int>) -> Matrix {
  let elements = nodes.flatMap { node in (0..<3).map { Float(10 * node + $0) } }
  return Matrix(rows: elements.count / 3, columns: 3, elements: elements)
}

private func checkExtend(_ halo: Halo, on communicator: MPICommunicator) throws {
  let local = try halo.extend(namedRows(halo.owned), on: communicator)
  let expected = namedRows(halo.ghosts.map { Int($0.index) })
  try communicator.require(
    local.ghosts.elements == expected.elements, "ghosts' rows are not their owners'")
  let names = try halo.extend(halo.owned.map { Int64($0) }, on: communicator)
  try communicator.require(
    names == (0..<halo.localCount).map { halo.global(LocalNode($0)).index },
    "ghosts' values are not their owners'")
  let ghostCount = try communicator.sum(halo.ghostCount)
  try communicator.require(communicator.size == 1 || ghostCount > 0, "a test without ghosts")
}

private func checkPieces(_ halo: Halo, on communicator: MPICommunicator) throws {
  for index in 0..<4 {
    let piece = halo.piece(index, of: 4)
    let rows = try halo.receive(
      namedRows(halo.owned), columns: 0..<3, of: piece, on: communicator)
    let expected = namedRows(piece.members.map { Int(halo.ghosts[$0].index) })
    try communicator.require(
      rows.elements == expected.elements, "piece \(index) has other rows than its ghosts'")
  }
}

/// ⟨extend x, y⟩ = ⟨x, accumulate y⟩, in small integers, so that sums are exact.
private func checkAccumulate(_ halo: Halo, on communicator: MPICommunicator) throws {
  var generator = SeededGenerator(seed: 83 + communicator.rank.index)
  func integers(_ rowCount: Int) -> Matrix {
    let elements = (0..<rowCount * 3).map { _ in Float(Int.random(in: -9...9, using: &generator)) }
    return Matrix(rows: rowCount, columns: 3, elements: elements)
  }
  func product(_ a: Matrix, _ b: Matrix) -> Int {
    zip(a.elements, b.elements).reduce(0) { $0 + Int($1.0) * Int($1.1) }
  }
  let (x, y) = (integers(halo.ownedCount), integers(halo.ownedCount))
  let ghosts = integers(halo.ghostCount)
  let extended = try halo.extend(x, on: communicator)
  var accumulated = y
  try halo.accumulate(ghosts, into: &accumulated, on: communicator)
  let left = try communicator.sum(product(x, y) + product(extended.ghosts, ghosts))
  let right = try communicator.sum(product(x, accumulated))
  try communicator.require(left == right, "not adjoint: \(left) and \(right)")
}
