import Communication
import Datasets
import DiscriminantTransforms
import Foundation
import LinearAlgebra
import Parallelism
import RandomInputs
import Testing

@Suite("Discriminant transforms", .timeLimit(.minutes(2)))
struct DiscriminantTransformTests {
  @Test("Axes make the shrunk covariance within classes and that between them diagonal")
  func solvesTheEigenproblem() throws {
    let (rows, labels) = classes(40, rowsOfEach: 2...9, columns: 12, seed: 1)
    let (transform, account) = try fit(to: rows, labels)
    let (within, between, mean) = covariances(of: rows, labels)
    let (shrinkage, trace) = (
      account.settings.shrinkage, (0..<12).reduce(0) { $0 + within[$1][$1] }
    )
    let axes = (0..<12).map { transform.axes.row($0).map { Double($0) } }
    for (i, a) in axes.enumerated() {
      for (j, b) in axes.enumerated() where j <= i {
        let w =
          (1 - shrinkage) * form(within, a, b) + shrinkage * trace / 12
          * zip(a, b).map(*).reduce(0, +)
        let ratio = form(between, a, b)
        guard i == j else {
          #expect(abs(w) < 1e-3 && abs(ratio) < 1e-3, "\(i), \(j): \(w), \(ratio)")
          continue
        }
        // Of an axis times √s: s, and s λ.
        let lambda = w > 0 ? max(ratio / w, 0) : 0
        switch account.settings.form {
        case .whitening: #expect(abs(w - 1) < 1e-3)
        case .likelihood: #expect(abs(w - lambda / (1 + 2 * lambda)) < 1e-3)
        }
      }
    }
    for (value, expected) in zip(transform.center, mean) {
      #expect(abs(Double(value) - account.settings.centering * expected) < 1e-6)
    }
    #expect(account.classCount == 40 && account.rowCount == labels.count)
  }

  @Test(
    "Where classes differ in few columns, the error on other classes falls, also with few columns")
  func lowersTheError() throws {
    let (rows, labels) = classes(60, rowsOfEach: 4...6, columns: 24, seed: 2)
    for columns in [nil, 4] {
      let heldOut = try #require(try fit(columns, to: rows, labels).account.heldOut)
      #expect(heldOut.transformed < 0.8 * heldOut.asTheyAre, "\(heldOut)")
    }
  }

  @Test("Fewer rows than columns will do, and one row of a class does not count")
  func takesFewRows() throws {
    var (rows, labels) = classes(8, rowsOfEach: 2...3, columns: 50, seed: 3)
    let whole = try fit(to: rows, labels)
    #expect(whole.transform.axes.elements.allSatisfy { $0.isFinite })
    labels.append(1000)
    rows = Matrix(
      rows: labels.count, columns: 50,
      elements: rows.elements + randomMatrix(1, 50, seed: 4).elements)
    #expect(try fit(to: rows, labels).transform == whole.transform)
  }

  @Test("Of two classes none is held out")
  func takesTwoClasses() throws {
    let (rows, labels) = classes(2, rowsOfEach: 20...20, columns: 6, seed: 5)
    let account = try fit(to: rows, labels).account
    #expect(account.heldOut == nil && account.classCount == 2)
  }

  @Test(
    "Bits are the same on any number of ranks and threads", arguments: [(2, 1), (3, 2), (5, 1)])
  func haveTheSameBits(ranks: Int, threads: Int) throws {
    // One class has more rows than are read at once.
    var (rows, labels) = classes(300, rowsOfEach: 2...9, columns: 140, seed: 6)
    labels += Array(repeating: 7, count: 1500)
    rows = Matrix(
      rows: labels.count, columns: 140,
      elements: rows.elements + randomMatrix(1500, 140, seed: 7).elements)
    let alone = try fit(30, to: rows, labels)
    let together = try fit(30, to: rows, labels, ranks: ranks, threads: threads)
    #expect(together.transform == alone.transform)
    #expect(together.account.settings == alone.account.settings)
  }

  @Test("A row that weighs nothing is as one that is not there; only ratios of weights count")
  func weighsRows() throws {
    let (rows, labels) = classes(30, rowsOfEach: 3...6, columns: 8, seed: 8)
    let kept = labels.indices.filter { !$0.isMultiple(of: 3) }
    let fewer = try fit(
      to: Matrix(rows: kept.count, columns: 8, elements: kept.flatMap { rows.row($0) }),
      kept.map { labels[$0] })
    let weighted = try fit(
      to: rows, labels, weights: labels.indices.map { $0.isMultiple(of: 3) ? 0 : 0.5 })
    #expect(weighted.account.rowCount == fewer.account.rowCount)
    for (a, b) in zip(weighted.transform.axes.elements, fewer.transform.axes.elements) {
      #expect(abs(a - b) < 1e-3)
    }
    let uneven = try fit(to: rows, labels, weights: labels.indices.map { 1 / Float(1 + $0 % 4) })
    #expect(uneven.transform != weighted.transform)
  }

  @Test("Transformed rows have length 1; those without a direction are zeros, and change no other")
  func transformsRows() throws {
    let (rows, labels) = classes(20, rowsOfEach: 3...6, columns: 8, seed: 9)
    let transform = try fit(5, to: rows, labels).transform
    var few = rows
    for column in 0..<8 {
      few[2, column] = 0
      few[4, column] *= 1e20
    }
    few[3, 1] = .nan
    let result = transform.transform(0..<few.rowCount) { few.slice($0) }
    #expect(result.row(2) + result.row(3) == Array(repeating: 0, count: 10))
    let other = transform.transform(1..<rows.rowCount, using: Workers(2)) { rows.slice($0) }
    for row in [1, 4, rows.rowCount - 1] {
      #expect(abs(result.row(row).reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
      #expect(zip(result.row(row), other.row(row - 1)).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    #expect(result.row(1) == other.row(0))
    // Rows without a direction do not count when transforms are learned, either.
    let kept = labels.indices.filter { ![2, 3].contains($0) }
    let without = try fit(
      to: Matrix(rows: kept.count, columns: 8, elements: kept.flatMap { rows.row($0) }),
      kept.map { labels[$0] })
    let with = try fit(to: few, labels)
    #expect(with.account.rowCount == kept.count)
    for (a, b) in zip(with.transform.axes.elements, without.transform.axes.elements) {
      #expect(abs(a - b) < 1e-3)
    }
  }

  @Test("A file gives back the same transform")
  func isWrittenAndRead() throws {
    let (rows, labels) = classes(20, rowsOfEach: 3...6, columns: 8, seed: 10)
    let transform = try fit(5, to: rows, labels).transform
    let path = FileManager.default.temporaryDirectory.appending(
      path: "\(UUID().uuidString).safetensors"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try transform.write(to: path, notes: ["form": "whitening"], overwrite: false)
    #expect(try DiscriminantTransform(path: path) == transform)
    for (tensors, message) in [
      ([Tensor(name: "axes", transform.axes)], "no tensors 'center' and 'axes'"),
      (
        [
          Tensor(name: "axes", transform.axes),
          Tensor(name: "center", shape: [2], elements: [0, 0]),
        ], "'center' of shape [2] and 'axes' of shape [5, 8]"
      ),
      (
        [
          Tensor(name: "axes", shape: [1, 2], elements: [0, .nan]),
          Tensor(name: "center", shape: [2], elements: [0, 0]),
        ], "'axes', element 1: nan"
      ),
    ] {
      try TensorFile.write(tensors, to: path, overwrite: true)
      #expect { try DiscriminantTransform(path: path) } throws: { "\($0)".contains(message) }
    }
  }

  @Test("What cannot be learned is refused, on every rank", arguments: [1, 3])
  func refuses(ranks: Int) throws {
    let rows = randomMatrix(6, 4, seed: 11)
    let same = Matrix(rows: 6, columns: 4, elements: (0..<6).flatMap { rows.row($0 / 2) })
    for (columns, matrix, labels, message) in [
      (5, rows, [0, 0, 0, 1, 1, 1], "5 columns cannot be made of 4"),
      (2, rows, [0, 0, 0, 0, 0, 0], "one class has two rows or more"),
      (2, rows, [0, 1, 2, 3, 4, 5], "no class has two rows or more"),
      (2, same, [0, 0, 1, 1, 2, 2], "the rows of each class all have the same direction"),
    ] {
      #expect {
        try fit(columns, to: matrix, labels.map { Int64($0) }, ranks: ranks)
      } throws: {
        "\($0)".contains(message)
      }
    }
  }

  @Test("Every other class of copies alone leaves nothing to try", arguments: [1, 3])
  func takesHalfOfClassesOfCopies(ranks: Int) throws {
    let rows = randomMatrix(12, 4, seed: 13)
    // Classes of three rows; of the first and the third all are one.
    let halfSame = Matrix(
      rows: 12, columns: 4, elements: (0..<12).flatMap { rows.row($0 / 3 % 2 == 0 ? $0 / 3 : $0) })
    let (_, account) = try fit(to: halfSame, (0..<12).map { $0 / 3 }, ranks: ranks)
    #expect(account.heldOut == nil)
  }
}

// MARK: - Inputs and a plain twin

/// Rows of classes that differ in the first four columns, while all rows differ more in the others.
private func classes(
  _ count: Int, rowsOfEach sizes: ClosedRange<Int>, columns: Int, seed: Int
) -> (Matrix, [Int64]) {
  var generator = SeededGenerator(seed: seed)
  var (elements, labels): ([Float], [Int64]) = ([], [])
  for label in 0..<count {
    let mean = (0..<columns).map { $0 < 4 ? Float.random(in: -1...1, using: &generator) : 0.5 }
    for _ in 0..<Int.random(in: sizes, using: &generator) {
      labels.append(Int64(label))
      for column in 0..<columns {
        let spread: Float = column < 4 ? 0.3 : 1
        elements.append(mean[column] + Float.random(in: -spread...spread, using: &generator))
      }
    }
  }
  return (Matrix(rows: labels.count, columns: columns, elements: elements), labels)
}

/// Sums in double precision of rows of length 1.
private func covariances(
  of rows: Matrix, _ labels: [Int64]
) -> (within: [[Double]], between: [[Double]], mean: [Double]) {
  let columns = rows.columnCount
  let zeros = Array(repeating: Array(repeating: 0.0, count: columns), count: columns)
  func outer(_ a: [Double], _ scale: Double, into sum: inout [[Double]]) {
    for i in 0..<columns { for j in 0..<columns { sum[i][j] += scale * a[i] * a[j] } }
  }
  let units = (0..<rows.rowCount).map { row in
    let values = rows.row(row).map { Double($0) }
    let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return values.map { $0 / length }
  }
  var (within, between, means, noise) = (zeros, zeros, [[Double]](), 0.0)
  let groups = Dictionary(grouping: labels.indices) { labels[$0] }.values
  for group in groups {
    let mean = (0..<columns).map { column in
      group.reduce(0) { $0 + units[$1][column] } / Double(group.count)
    }
    means.append(mean)
    noise += 1 / Double(group.count) / Double(groups.count)
    for row in group {
      outer(zip(units[row], mean).map(-), 1 / Double(labels.count - groups.count), into: &within)
    }
  }
  let center = (0..<columns).map { column in
    means.reduce(0) { $0 + $1[column] } / Double(means.count)
  }
  for mean in means {
    outer(zip(mean, center).map(-), 1 / Double(means.count - 1), into: &between)
  }
  for i in 0..<columns { for j in 0..<columns { between[i][j] -= noise * within[i][j] } }
  return (within, between, center)
}

/// aᵀ M b.
private func form(_ matrix: [[Double]], _ a: [Double], _ b: [Double]) -> Double {
  zip(a, matrix).reduce(0) { sum, pair in
    sum + pair.0 * zip(pair.1, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

private func fit(
  _ columns: Int? = nil, to rows: Matrix, _ labels: [Int64], weights: [Float] = [], ranks: Int = 1,
  threads: Int = 1
) throws -> (transform: DiscriminantTransform, account: TransformAccount) {
  let results = try ThreadCommunicator.run(ranks: ranks) { communicator in
    try DiscriminantTransform.fit(
      columns, to: LabelledRows(labels: labels, weights: weights), columnCount: rows.columnCount,
      using: Workers(threads), on: communicator
    ) { rows.slice($0) }
  }
  for result in results {
    #expect(result.transform == results[0].transform)
  }
  return results[0]
}
