internal import Glibc
internal import HierarchicalClustering
package import LinearAlgebra
internal import NeighborSearch
package import Parallelism
package import RandomNumbers

/// Labelled unit rows. Replicated.
package struct LabelledRows: Equatable, Sendable {
  package var rows: Matrix
  package var labels: [Int64]

  package init(rows: Matrix, labels: [Int64]) {
    self.rows = rows
    self.labels = labels
  }

  package var count: Int { labels.count }
}

/// How many points of every identity a training graph takes.
package enum SizeRule: Int, CaseIterable, Sendable {
  /// All.
  case all
  /// No more than one number for all identities, between 5 and 200.
  case capped
  /// Some of each, their number uniform in its logarithm: many small clusters, few large ones.
  case logUniform
}

/// The training graphs of a set: different selections of it, changed in different ways.
///
/// Structure is what does not change when an embedding is rotated, projected, moved or blurred, or when
/// there are more, fewer, larger, smaller or more similar identities. So a network that should see
/// structure is shown all of these. The first graph is the data as they are.
///
/// - Parameters:
///   - rows: Reads some rows. Replicated.
///   - labels: The labels of all points.
///   - points: The points that may be used.
///   - index: Which graph; everything random follows from it and the seed.
///   - limit: The maximum number of points.
///   - omitted: Changes to leave out.
/// - Complexity: O(limit · columns), and · columns again where it is projected.
package func augmentedSelection(
  _ index: Int, of labels: [Int64], among points: [Int], limit: Int, seed: UInt64,
  workers: Workers, without omitted: Set<StructureTrainingPart> = [],
  rows: ([Int]) throws -> Matrix
) rethrows -> LabelledRows {
  var stream = RandomStream(seed: seed, purpose: RandomPurpose.selection.rawValue, index: index)
  let selected = selection(
    of: labels, among: points, limit: limit, isWhole: index == 0,
    sizes: index.isMultiple(of: 2) ? .all : index % 4 == 1 ? .capped : .logUniform, &stream)
  var set = LabelledRows(rows: try rows(selected), labels: selected.map { labels[$0] })
  guard index > 0, !omitted.contains(.augmentation) else { return set }
  if index % 4 >= 2, !omitted.contains(.confusion) { set.confuse(&stream) }
  if index % 2 == 1, !omitted.contains(.overlapping) { set.overlap(&stream) }
  if stream.uniform() < 0.4 { set.addNoise(&stream) }
  if stream.uniform() < 0.3 { set.project(&stream, using: workers) }
  if stream.uniform() < 0.2 { set.centre(&stream) }
  return set
}

/// Points of some identities, ascending.
///
/// - Parameter isWhole: Whether to take all identities, rather than between a quarter and all.
package func selection(
  of labels: [Int64], among points: [Int], limit: Int, isWhole: Bool, sizes: SizeRule,
  _ stream: inout RandomStream
) -> [Int] {
  let members = Dictionary(grouping: points) { labels[$0] }
  let identities = stream.shuffled(members.keys.sorted())
  let least = max(2, identities.count / 4)
  let count =
    isWhole || identities.count <= least
    ? identities.count : least + stream.below(identities.count - least + 1)
  let cap = Int(stream.logUniform(5, 200))
  var selected: [Int] = []
  for identity in identities.prefix(count) {
    var own = stream.shuffled(members[identity]!)
    switch sizes {
    case .all: break
    case .capped: own = Array(own.prefix(cap))
    case .logUniform:
      own = Array(own.prefix(max(1, Int(stream.logUniform(1, Double(own.count + 1))))))
    }
    selected += own.prefix(limit - selected.count)
    if selected.count == limit { break }
  }
  return selected.sorted()
}

extension LabelledRows {
  /// Moves identities towards each other: x + α (T − c), normalised, with c the identity's mean and T
  /// the mean of all, or of a group of like identities; α in 0.05 … 0.45.
  package mutating func confuse(_ stream: inout RandomStream) {
    let alpha = Float(0.05 + 0.4 * stream.uniform())
    let (means, place) = identityMeans()
    let identities = 0..<means.rowCount
    var group = Array(repeating: 0, count: identities.count)
    var groupCount = 1
    if stream.uniform() < 0.5, identities.count > 3 {
      groupCount = max(2, identities.count / (3 + stream.below(9)))
      let seeds = stream.shuffled(identities).prefix(groupCount)
      group = means.nearest(amongRows: Array(seeds))
    }
    let targets = means.means(by: group, count: groupCount)
    var shifts = Matrix(rows: identities.count, columns: rows.columnCount)
    for identity in identities {
      for column in 0..<rows.columnCount {
        shifts[identity, column] =
          alpha * (targets[group[identity], column] - means[identity, column])
      }
    }
    shift(by: shifts, of: place)
  }

  /// Moves some identities, up to 0.6 of them, onto like ones: x + α (c′ − c), normalised, with c the
  /// identity's mean, c′ the most similar of up to 32 others, α in 0.3 … 0.95.
  ///
  /// Overlapping clusters teach the network p for such edges: half, not one. The other rows keep their
  /// bits.
  package mutating func overlap(_ stream: inout RandomStream) {
    let (means, place) = identityMeans()
    let identities = 0..<means.rowCount
    guard identities.count > 1 else { return }
    let share = 0.6 * stream.uniform()
    var shifts = Matrix(rows: means.rowCount, columns: means.columnCount)
    for identity in identities where stream.uniform() < share {
      let alpha = Float(0.3 + 0.65 * stream.uniform())
      let others = stream.shuffled(identities).prefix(32).filter { $0 != identity }
      let like = others.max {
        similarity(means, identity, $0) < similarity(means, identity, $1)
      }!
      for column in 0..<means.columnCount {
        shifts[identity, column] = alpha * (means[like, column] - means[identity, column])
      }
    }
    shift(by: shifts, of: place)
  }

  /// The mean of every identity, in ascending order of labels, and the place of every row's.
  private func identityMeans() -> (means: Matrix, place: [Int]) {
    let identities = Array(Set(labels)).sorted()
    let places = Dictionary(uniqueKeysWithValues: identities.enumerated().map { ($1, $0) })
    let place = labels.map { places[$0]! }
    return (rows.means(by: place, count: identities.count), place)
  }

  /// Adds to every row the shift of its identity, and normalises the rows that moved.
  private mutating func shift(by shifts: Matrix, of place: [Int]) {
    let isMoved = (0..<shifts.rowCount).map { shifts.row($0).contains { $0 != 0 } }
    var moved = rows
    moved.mapRows { row, values in
      for column in values.indices { values[column] += shifts[place[row], column] }
    }
    _ = moved.normalizeRows()
    rows.mapRows { row, values in
      if isMoved[place[row]] { values = moved.row(row) }
    }
  }

  /// Adds noise of length 0.1 … 0.6 to every row, and normalises.
  package mutating func addNoise(_ stream: inout RandomStream) {
    let scale = (0.1 + 0.5 * stream.uniform()) / Double(rows.columnCount).squareRoot()
    var noise = stream
    rows.mapRows { _, values in
      for column in values.indices { values[column] += Float(noise.normal() * scale) }
    }
    stream = noise
    _ = rows.normalizeRows()
  }

  /// Projects onto random directions, between a quarter of the number of columns and all of it, and
  /// normalises.
  package mutating func project(_ stream: inout RandomStream, using workers: Workers) {
    let columns = rows.columnCount
    let least = min(columns, max(8, columns / 4))
    let kept = least + stream.below(columns - least + 1)
    var directions = Matrix(rows: kept, columns: columns)
    for row in 0..<kept {
      for column in 0..<columns { directions[row, column] = Float(stream.normal()) }
    }
    rows = product(rows, PackedMatrix(columns: directions), using: workers)
    _ = rows.normalizeRows()
  }

  /// Subtracts 0.3 … 1 of the mean of all rows from each, and normalises.
  package mutating func centre(_ stream: inout RandomStream) {
    let share = Float(0.3 + 0.7 * stream.uniform())
    let mean = rows.means(by: Array(repeating: 0, count: count), count: 1).row(0)
    rows.mapRows { _, values in
      for column in values.indices { values[column] -= share * mean[column] }
    }
    _ = rows.normalizeRows()
  }
}

/// The product of two rows.
private func similarity(_ rows: Matrix, _ a: Int, _ b: Int) -> Float {
  (0..<rows.columnCount).reduce(0) { $0 + rows[a, $1] * rows[b, $1] }
}

extension RandomStream {
  /// A number between two others, uniform in its logarithm. Its last bits depend on the machine's
  /// logarithm.
  mutating func logUniform(_ low: Double, _ high: Double) -> Double {
    exp(log(low) + (log(high) - log(low)) * uniform())
  }
}

extension Matrix {
  /// Changes every row in turn.
  fileprivate mutating func mapRows(_ change: (_ row: Int, _ values: inout [Float]) -> Void) {
    var result: [Float] = []
    result.reserveCapacity(count)
    for row in 0..<rowCount {
      var values = self.row(row)
      change(row, &values)
      result += values
    }
    self = Matrix(rows: rowCount, columns: columnCount, elements: result)
  }

  /// The mean of the rows of every group. Shape `[count × columnCount]`.
  func means(by group: [Int], count: Int) -> Matrix {
    var sums = Array(repeating: 0.0, count: count * columnCount)
    var sizes = Array(repeating: 0.0, count: count)
    for row in 0..<rowCount {
      sizes[group[row]] += 1
      for (column, value) in self.row(row).enumerated() {
        sums[group[row] * columnCount + column] += Double(value)
      }
    }
    return Matrix(
      rows: count, columns: columnCount,
      elements: sums.enumerated().map { Float($1 / max(sizes[$0 / columnCount], 1)) })
  }

  /// For every row the place of the most similar of some rows.
  fileprivate func nearest(amongRows seeds: [Int]) -> [Int] {
    let chosen = seeds.map { row($0) }
    return (0..<rowCount).map { index in
      let own = row(index)
      var best = (similarity: -Float.infinity, place: 0)
      for (place, other) in chosen.enumerated() {
        let similarity = zip(own, other).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        if similarity > best.similarity { best = (similarity, place) }
      }
      return best.place
    }
  }
}
