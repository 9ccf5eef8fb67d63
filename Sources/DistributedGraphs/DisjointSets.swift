/// Sets of the places 0 ..< count, united two at a time. The root of a set is its lowest place.
package struct DisjointSets: Sendable {
  private var parent: [Int]

  /// Sets of one place each.
  package init(count: Int) { parent = Array(0..<count) }

  package var count: Int { parent.count }

  /// Adds a set of one place.
  mutating func append() { parent.append(parent.count) }

  /// The root of a place, halving the path to it.
  package mutating func root(of place: Int) -> Int {
    var place = place
    while parent[place] != place {
      parent[place] = parent[parent[place]]
      place = parent[place]
    }
    return place
  }

  /// Makes one set of those of two places.
  ///
  /// - Returns: Its root.
  @discardableResult
  package mutating func unite(_ first: Int, _ second: Int) -> Int {
    let (a, b) = (root(of: first), root(of: second))
    parent[max(a, b)] = min(a, b)
    return min(a, b)
  }

  /// Of every place the number of its set: 0, 1, 2, … by their lowest places.
  package var numbers: [Int] {
    mutating get {
      var count = 0
      var numbers = Array(repeating: 0, count: parent.count)
      for place in parent.indices {
        let root = root(of: place)
        if root == place { count += 1 }
        numbers[place] = root == place ? count - 1 : numbers[root]
      }
      return numbers
    }
  }
}
