/// Pairwise and BCubed F of held-out points, as if all points were held out.
///
/// A network tells apart identities that it was trained on better than others, so company from
/// training is no measure of what goes wrong; it is left out, and each held-out point of another
/// identity in a cluster counts for the points of training that it stands for, too:
///
///     size of a point's cluster ≈ its own identity's + other held-out points' / share held out
///
/// - Returns: 0 where a quotient is 0/0.
package func heldOutScores(
  truth: [Int64], predicted: [Int64], isHeldOut: [Bool]
) -> (pairwise: Double, bcubed: Double) {
  struct Cell: Hashable {
    var truth: Int64
    var predicted: Int64
  }
  var cells: [Cell: Double] = [:]
  var trueSizes: [Int64: Double] = [:]
  var sizes: [Int64: Double] = [:]
  let heldOut = truth.indices.filter { isHeldOut[$0] }
  for point in heldOut {
    cells[Cell(truth: truth[point], predicted: predicted[point]), default: 0] += 1
    trueSizes[truth[point], default: 0] += 1
    sizes[predicted[point], default: 0] += 1
  }
  let share = Double(heldOut.count) / Double(max(truth.count, 1))
  var (both, together, alike) = (0.0, 0.0, 0.0)
  var (precision, recall) = (0.0, 0.0)
  for point in heldOut {  // in the order of points
    let cell = cells[Cell(truth: truth[point], predicted: predicted[point])]!
    let size = cell + (sizes[predicted[point]]! - cell) / share
    let trueSize = trueSizes[truth[point]]!
    both += cell - 1
    together += size - 1
    alike += trueSize - 1
    precision += cell / size
    recall += cell / trueSize
  }
  func f(_ p: Double, _ r: Double) -> Double { p + r > 0 ? 2 * p * r / (p + r) : 0 }
  let count = Double(max(heldOut.count, 1))
  return (
    f(together > 0 ? both / together : 0, alike > 0 ? both / alike : 0),
    f(precision / count, recall / count)
  )
}
