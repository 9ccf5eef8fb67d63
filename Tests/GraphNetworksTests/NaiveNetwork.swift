import DistributedGraphs
import Foundation
import GraphNetworks
import LinearAlgebra

// The network as its equations say, in double precision, one edge after the other.

private typealias Vector = [Double]

private func dot(_ a: Vector, _ b: Vector) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

private func times(_ matrix: Matrix, _ x: Vector) -> Vector {
  (0..<matrix.rowCount).map { dot(matrix.row($0).map(Double.init), x) }
}

private func apply(_ map: LinearMap, _ x: Vector) -> Vector { plus(times(map.weight, x), map.bias) }

private func plus(_ a: Vector, _ b: [Float]) -> Vector { zip(a, b).map { $0 + Double($1) } }

private func plus(_ a: Vector, _ b: Vector) -> Vector { zip(a, b).map { $0 + $1 } }

private func scaled(_ a: Vector, _ factor: Double) -> Vector { a.map { $0 * factor } }

private func prelu(_ x: Vector, _ slope: [Float]) -> Vector {
  zip(x, slope).map { $0 > 0 ? $0 : Double($1) * $0 }
}

/// The edges into a node: sources and affinities.
typealias NaiveEdges = [(source: Int, affinity: Double)]

/// Linkage probabilities by node and edge, and densities.
func naiveLinkage(
  _ lander: Lander, identity: Matrix, average: Matrix?, edges: [NaiveEdges]
) -> (probability: [Double], density: [Double]) {
  var rows: [[Double]] = (0..<identity.rowCount).map { node in
    let own = identity.row(node)
    return (lander.usesAverageFeature ? own + (average ?? identity).row(node) : own)
      .map(Double.init)
  }
  for layer in lander.layers { rows = naiveLayer(layer, rows, edges) }

  var probability: [Double] = []
  var density: [Double] = []
  let decoder = lander.decoder
  for (node, edges) in edges.enumerated() {
    var sum = 0.0
    for edge in edges {
      let u = plus(apply(decoder.source, rows[edge.source]), apply(decoder.destination, rows[node]))
      let q = apply(decoder.middle, prelu(u, decoder.firstSlope))
      let z = apply(decoder.output, prelu(q, decoder.secondSlope))
      let p = exp(z[1]) / (exp(z[0]) + exp(z[1]))
      probability.append(p)
      sum += (p - (1 - p)) * edge.affinity
    }
    density.append(edges.isEmpty ? 0 : sum / Double(edges.count))
  }
  return (probability, density)
}

private func naiveLayer(
  _ layer: ConvolutionLayer, _ x: [Vector], _ edges: [NaiveEdges]
) -> [Vector] {
  x.indices.map { node in
    let sum: Vector
    switch layer {
    case .mean(let mean):
      let total = edges[node].reduce(0) { $0 + $1.affinity }
      var neighbors = Array(repeating: 0.0, count: x[node].count)
      for edge in edges[node] {
        neighbors = plus(neighbors, scaled(x[edge.source], edge.affinity / total))
      }
      sum = plus(
        plus(times(mean.selfWeight, x[node]), times(mean.neighborWeight, neighbors)), mean.bias)
    case .attention(let attention):
      var heads = Array(repeating: 0.0, count: attention.outputWidth)
      for head in 0..<attention.headCount {
        let weight = attention.weight.rows(
          head * attention.outputWidth..<(head + 1) * attention.outputWidth)
        let (left, right) = (
          attention.sourceAttention.row(head).map(Double.init),
          attention.destinationAttention.row(head).map(Double.init)
        )
        let e = edges[node].map { edge in
          let e = dot(left, times(weight, x[edge.source])) + dot(right, times(weight, x[node]))
          return e > 0 ? e : 0.2 * e
        }
        let total = e.reduce(0) { $0 + exp($1) }
        for (edge, e) in zip(edges[node], e) {
          heads = plus(heads, scaled(times(weight, x[edge.source]), exp(e) / total))
        }
      }
      sum = plus(scaled(heads, 1 / Double(attention.headCount)), attention.bias)
    }
    return sum.map { max($0, 0) }
  }
}

extension Matrix {
  fileprivate func rows(_ range: Range<Int>) -> Matrix {
    Matrix(rows: range.count, columns: columnCount, elements: elements(inRows: range))
  }
}
