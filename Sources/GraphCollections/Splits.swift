internal import RandomNumbers

/// Which graphs a network learns from, which say when to stop, and which it is judged by.
public struct GraphSplit: Equatable, Codable, Sendable {
  /// Indices of graphs, ascending.
  public var train: [Int]
  /// Indices of graphs, ascending.
  public var validation: [Int]
  /// Indices of graphs, ascending.
  public var test: [Int]

  public init(train: [Int], validation: [Int], test: [Int]) {
    self.train = train
    self.validation = validation
    self.test = test
  }
}

/// What cannot be split as asked for.
public struct SplitError: Error, Equatable, CustomStringConvertible {
  public var description: String

  public init(_ description: String) { self.description = description }
}

/// Deals graphs into folds so that, for each class, any two folds differ by at most one graph.
///
/// The members of each class go round the folds, in an order drawn from the seed. The next class starts
/// where the one before ended, so the folds' sizes also differ by at most one.
///
/// - Parameters:
///   - classes: The class of each graph.
///   - labels: What the classes are called, for the error.
/// - Returns: Indices, ascending, per fold.
/// - Throws: ``SplitError`` for fewer than two folds, or a class with fewer members than folds.
public func stratifiedFolds(
  of classes: [Int], labels: [Int], count: Int, seed: UInt64
) throws -> [[Int]] {
  guard count >= 2 else { throw SplitError("\(count) folds; expected at least 2") }
  var folds = Array(repeating: [Int](), count: count)
  var next = 0
  for place in labels.indices {
    let members = classes.indices.filter { classes[$0] == place }
    guard members.count >= count else {
      let graphs = members.count == 1 ? "1 graph" : "\(members.count) graphs"
      throw SplitError(
        "class \(labels[place]) has \(graphs), which is fewer than \(count) folds; "
          + "expected one for each fold at least")
    }
    var random = RandomStream(seed: seed, for: Purpose.folds, place)
    for member in random.shuffledFromTheEnd(members) {
      folds[next].append(member)
      next = (next + 1) % count
    }
  }
  return folds.map { $0.sorted() }
}

/// Takes a share of each class out of some graphs, at least one of a class that has two.
///
/// - Parameters:
///   - graphs: Indices into `classes`.
///   - share: In 0 ... 1; of a class of n members ⌊share · n + 1/2⌋ are taken.
/// - Returns: The taken and the remaining indices, ascending.
public func stratifiedShare(
  of graphs: [Int], classes: [Int], share: Double, seed: UInt64, fold: Int = 0
) -> (taken: [Int], remaining: [Int]) {
  precondition((0...1).contains(share), "a share of \(share)")
  var taken: [Int] = []
  var remaining: [Int] = []
  for place in Set(graphs.map { classes[$0] }).sorted() {
    var random = RandomStream(seed: seed, for: Purpose.validation, fold, place)
    let members = random.shuffledFromTheEnd(graphs.filter { classes[$0] == place })
    var count = Int((share * Double(members.count)).rounded())
    if share > 0, share < 1, members.count > 1 { count = min(max(count, 1), members.count - 1) }
    taken += members[..<count]
    remaining += members[count...]
  }
  return (taken.sorted(), remaining.sorted())
}

/// The splits of a k-fold cross-validation: each fold is the test set once; of the other graphs a
/// share is for validation.
///
/// - Throws: ``SplitError`` as ``stratifiedFolds(of:labels:count:seed:)`` does.
public func crossValidation(
  of classes: [Int], labels: [Int], foldCount: Int, validationShare: Double, seed: UInt64
) throws -> [GraphSplit] {
  let folds = try stratifiedFolds(of: classes, labels: labels, count: foldCount, seed: seed)
  return folds.indices.map { fold in
    let others = folds.indices.filter { $0 != fold }.flatMap { folds[$0] }
    let (validation, train) = stratifiedShare(
      of: others, classes: classes, share: validationShare, seed: seed, fold: fold)
    return GraphSplit(train: train, validation: validation, test: folds[fold])
  }
}

/// What random numbers are for; each purpose has numbers of its own.
enum Purpose {
  static let folds = 1
  static let validation = 2
  static let motifs = 3
}
