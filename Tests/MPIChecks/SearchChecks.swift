internal import Communication
internal import DistributedGraphs
internal import LinearAlgebra
internal import MPICommunication
internal import NeighborSearch
internal import Parallelism
internal import RandomInputs

let searchChecks = [
  // Every rank knows all rows by the seed, and finds its neighbours by sorting all others.
  Check(name: "search") { communicator in
    var rows = randomMatrix(301, 24, seed: 91)
    _ = rows.normalizeRows()
    let nodes = NodePartition(sharing: 301, among: communicator.size)
    let owned = nodes.owned(by: communicator.rank)
    let similarities = referenceProduct(rows.slice(owned), rows)
    for threads in 1...2 {
      let found = try nearestNeighbors(
        of: rows.slice(owned), listLength: 7, in: nodes, using: Workers(threads),
        on: communicator)
      let isRight = owned.enumerated().allSatisfy { place, node in
        let own = similarities.row(place)
        let nearest = (0..<301).filter { $0 != node }.sorted { (-own[$0], $0) < (-own[$1], $1) }
          .prefix(7)
        let list = place * 7..<(place + 1) * 7
        return found.neighbors[list].elementsEqual(nearest.map { GlobalNode($0) })
          && found.similarities[list].elementsEqual(nearest.map { own[$0] }) {
            $0.bitPattern == $1.bitPattern
          }
      }
      try communicator.require(isRight, "not the neighbours of brute force, \(threads) threads")
    }
  }
]
