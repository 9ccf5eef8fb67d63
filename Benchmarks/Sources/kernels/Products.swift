import Glibc
import LinearAlgebra

/// Products A · Bᵀ of the shapes that layers and neighbour search have, m x n x k.
///
/// Against OpenBLAS as the library comes, repaired, and, if `OPENBLAS_CORETYPE` is set, as the
/// environment has it. OpenBLAS packs in every call; the own kernel multiplies with weights that
/// were packed once, so a second variant of it packs in every call too.
func productBenchmarks() -> [Benchmark] {
  let shapes = [
    (256, 256, 256), (1024, 256, 256), (32768, 256, 256), (1024, 8192, 128), (1003, 256, 602),
    (8192, 128, 384), (8192, 64, 256), (32768, 64, 64), (8192, 40, 256), (8192, 2, 256),
    (8192, 1, 256),
  ]
  return shapes.map { m, n, k in
    Benchmark(
      name: "product \(m)x\(n)x\(k)", amount: 2e-9 * Double(m * n * k), unit: "GFLOP"
    ) {
      let a = randomMatrix(m, k, seed: 1)
      let rows = randomMatrix(n, k, seed: 2)
      let expected = product(a, PackedMatrix(columns: rows))
      let own = Benchmark.Variant(name: "own") {
        let packed = PackedMatrix(columns: rows)
        let result = Shared(Matrix(rows: m, columns: n))
        return .init(
          run: { multiply(a, rows: 0..<m, packed, into: &result.value) },
          isRight: { result.value == expected })
      }
      let packing = Benchmark.Variant(name: "own, packing each time") {
        let packed = Shared(PackedMatrix())
        let result = Shared(Matrix(rows: m, columns: n))
        return .init(
          run: {
            packed.value.pack(rows: 0..<n, of: rows)
            multiply(a, rows: 0..<m, packed.value, into: &result.value)
          },
          isRight: { result.value == expected })
      }
      return try [own, packing]
        + openBLASLoads().map { name, load in
          .init(name: name) {
            let library = try load()
            let result = Shared(Matrix(rows: m, columns: n))
            return .init(
              run: { library.multiply(a, rows, transposingB: true, into: &result.value) },
              isRight: { areClose(result.value, expected, depth: k) })
          }
        }
    }
  }
}

/// Packing of the right-hand sides of such products.
func packingBenchmarks() -> [Benchmark] {
  [(256, 256), (8192, 128), (256, 602), (1024, 1024)].map { n, k in
    Benchmark(name: "pack \(n)x\(k)", amount: 4e-9 * Double(n * k), unit: "GB") {
      let rows = randomMatrix(n, k, seed: 2)
      let packed = Shared(PackedMatrix(columns: rows))
      return [.init(name: "own") { .init(run: { packed.value.pack(rows: 0..<n, of: rows) }) }]
    }
  }
}

/// The ways to load OpenBLAS, named after the core that each one ends up with.
private func openBLASLoads() throws -> [(name: String, load: () throws -> OpenBLAS)] {
  var loads: [(String, () throws -> OpenBLAS)] = [
    ("as it comes", { try withoutUsersCore { try OpenBLAS(repairs: false) } }),
    ("repaired", { try withoutUsersCore { try OpenBLAS() } }),
  ]
  if unsafe getenv("OPENBLAS_CORETYPE") != nil {
    loads.append(("by OPENBLAS_CORETYPE", { try OpenBLAS() }))
  }
  return try loads.map { name, load in
    ("OpenBLAS \(name): \(try load().report.core)", load)
  }
}

private func withoutUsersCore<R>(_ body: () throws -> R) rethrows -> R {
  let core = unsafe getenv("OPENBLAS_CORETYPE").map { unsafe String(cString: $0) }
  unsafe unsetenv("OPENBLAS_CORETYPE")
  defer { if let core { unsafe setenv("OPENBLAS_CORETYPE", core, 1) } }
  return try body()
}

/// Within the error bound of sums of `depth` products of numbers below 1, in any order.
func areClose(_ a: Matrix, _ b: Matrix, depth: Int) -> Bool {
  let bound = 2 * Float(depth * depth) * .ulpOfOne
  return zip(a.elements, b.elements).allSatisfy { abs($0 - $1) <= bound }
}

/// Elements in −1 ..< 1, the same in every run.
func randomMatrix(_ rows: Int, _ columns: Int, seed: UInt64) -> Matrix {
  var state = seed
  let elements = (0..<rows * columns).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }
  return Matrix(rows: rows, columns: columns, elements: elements)
}
