import LinearAlgebra
import Parallelism

/// The dense products of a step of training, of thin matrices: x · wᵀ forth, ∂y · w and ∂yᵀ · x back.
///
/// As training calls them: the own kernels pack what they pack in every call, and share tiles among threads;
/// OpenBLAS gets the whole product, with as many threads of its own. Two threads are measured by elapsed
/// time, so the machine should have nothing else to do.
func trainingProductBenchmarks() -> [Benchmark] {
  let shapes = [
    (3000, 16, 16), (3000, 48, 48), (3000, 64, 128), (8192, 48, 48), (8192, 128, 128),
    (8192, 192, 64), (32768, 16, 64), (32768, 48, 128), (32768, 192, 192),
  ]
  return [1, 2].flatMap { threads in
    shapes.flatMap { rows, inputs, outputs in
      let workers = Workers(threads)
      let amount = 2e-9 * Double(rows * inputs * outputs)
      func benchmark(
        _ name: String, _ sides: @escaping () -> (Matrix, Matrix), transposingA: Bool = false,
        transposingB: Bool = false, own: @escaping (Matrix, Matrix) -> Matrix
      ) -> Benchmark {
        Benchmark(
          name: "\(name) \(rows)x\(inputs)x\(outputs), threads \(threads)", amount: amount,
          unit: "GFLOP", isElapsed: threads > 1
        ) {
          let (a, b) = sides()
          let expected = own(a, b)
          let result = Shared(expected)
          // As in training, memory of matrices is used again.
          return [
            .init(name: "own") {
              let recycling = MemoryRecycling()
              return .init(
                run: { withExtendedLifetime(recycling) { result.value = own(a, b) } },
                isRight: { result.value == expected })
            },
            .init(name: "OpenBLAS") {
              let recycling = MemoryRecycling()
              let library = try OpenBLAS()
              library.useThreads(threads)
              let depth = transposingA ? a.rowCount : a.columnCount
              return .init(
                run: {
                  withExtendedLifetime(recycling) {
                    library.multiply(
                      a, transposingA: transposingA, b, transposingB: transposingB,
                      into: &result.value)
                  }
                },
                isRight: { areClose(result.value, expected, depth: depth) })
            },
          ]
        }
      }
      return [
        benchmark(
          "forth",
          { (randomMatrix(rows, inputs, seed: 1), randomMatrix(outputs, inputs, seed: 2)) },
          transposingB: true
        ) { product($0, PackedMatrix(columns: $1), using: workers) },
        benchmark(
          "back to x",
          { (randomMatrix(rows, outputs, seed: 1), randomMatrix(outputs, inputs, seed: 2)) }
        ) { product($0, $1, using: workers) },
        benchmark(
          "back to w",
          { (randomMatrix(rows, outputs, seed: 1), randomMatrix(rows, inputs, seed: 2)) },
          transposingA: true
        ) { transposedProduct($0, $1, using: workers) },
      ]
    }
  }
}

/// The sums of products of columns, of a part of the rows: a block of columns by those from its first on.
func columnProductBenchmarks() -> [Benchmark] {
  [(1024, 384), (1024, 768), (1024, 4096)].map { rows, columns in
    Benchmark(
      name: "columns \(rows)x\(columns)", amount: 2e-9 * Double(rows * 128 * columns), unit: "GFLOP"
    ) {
      let a = randomMatrix(rows, 128, seed: 1)
      let b = randomMatrix(rows, columns, seed: 2)
      let expected = transposedProduct(a, b)
      let result = Shared(expected)
      return [
        .init(name: "own") {
          .init(
            run: { result.value = transposedProduct(a, b) },
            isRight: { result.value == expected })
        },
        .init(name: "OpenBLAS") {
          let library = try OpenBLAS()
          library.useThreads(1)
          return .init(
            run: { library.multiply(a, transposingA: true, b, into: &result.value) },
            isRight: { areClose(result.value, expected, depth: rows) })
        },
      ]
    }
  }
}
