internal import LinearAlgebra
internal import Parallelism
internal import PrincipalComponents

/// What rank 0 does once the sums are there: tries settings, and takes the best.
struct Fitting {
  /// Of every other class each. They leave two halves, each of which can judge the other if it has two classes.
  let halves: [ClassScatter]
  let labels: LabelledRows
  /// How many axes.
  let count: Int
  /// What to learn with; nil to try all.
  let settings: TransformSettings?
  let library: OpenBLAS
  let workers: Workers

  /// - Parameter observer: Receives the share of the work that is done.
  func result(
    reading rows: (Range<Int>) throws -> Matrix, observer: (Double) -> Void
  ) throws -> (DiscriminantTransform, TransformAccount) {
    let all = halves[0] + halves[1]
    guard all.classCount > 1 else {
      throw DiscriminantTransformError.tooFewClasses(all.classCount)
    }
    let trials = settings == nil ? try trials(reading: rows, observer: observer) : nil
    let settings = settings ?? trials?.best ?? .usual
    return (
      try ClassAxes(all, by: library, using: workers).transform(count, by: settings),
      TransformAccount(
        settings: settings, heldOut: trials.map { ($0.asTheyAre, $0.transformed) },
        classCount: all.classCount, rowCount: all.rowCount)
    )
  }

  /// The equal error rates on each half, by what the other tells, on average; and the settings with the
  /// least. Nil if a half has too few classes, or only rows that are alike within them.
  private func trials(
    reading rows: (Range<Int>) throws -> Matrix, observer: (Double) -> Void
  ) throws -> (best: TransformSettings, asTheyAre: Double, transformed: Double)? {
    guard halves.allSatisfy({ $0.classCount > 1 }) else { return nil }
    let shrinkages = Set(TransformSettings.all.map(\.shrinkage)).sorted()
    var asTheyAre = 0.0
    var errors: [TransformSettings: Double] = [:]
    for half in 0..<2 {
      let sample = try labels.sample(
        of: labels.classes.indices.filter { $0 % 2 == half }, rows)
      guard let error = sample.equalErrorRate(of: sample.rows, using: workers) else { return nil }
      asTheyAre += error / 2
      let fitted: ClassAxes
      do {
        fitted = try ClassAxes(halves[1 - half], by: library, using: workers)
      } catch DiscriminantTransformError.noSpread { return nil }
      let mean = Matrix(
        rows: 1, columns: fitted.mean.count, elements: fitted.mean.map { Float($0) })
      for (place, shrinkage) in shrinkages.enumerated() {
        observer((Double(half) + Double(place) / Double(shrinkages.count)) / 2.2)
        let (axes, ratios) = try fitted.axes(count, shrinkage: shrinkage)
        let packed = PackedMatrix(columns: axes)
        let turned = product(sample.rows, packed, using: workers)
        let turnedMean = product(mean, packed).row(0)
        for settings in TransformSettings.all where settings.shrinkage == shrinkage {
          var rows = turned
          rows.subtractFromRows(turnedMean.map { Float(settings.centering) * $0 })
          rows.scaleColumns(by: ratios.map(settings.form.scale))
          rows.makeDirections()
          errors[settings, default: 0] += sample.equalErrorRate(of: rows, using: workers)! / 2
        }
      }
    }
    // The first of equal ones.
    let best = TransformSettings.all.min { errors[$0]! < errors[$1]! }!
    return (best, asTheyAre, errors[best]!)
  }
}

extension Matrix {
  fileprivate mutating func scaleColumns(by factors: [Double]) {
    let factors = factors.map { Float($0) }
    let (rows, columns) = (rowCount, columnCount)
    unsafe withUnsafeMutableBufferPointer { elements in
      for row in 0..<rows {
        for (column, factor) in factors.enumerated() {
          unsafe elements[row * columns + column] *= factor
        }
      }
    }
  }
}
