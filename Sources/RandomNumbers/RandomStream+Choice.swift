extension RandomStream {
  /// One of 0 ..< bound, each as likely.
  ///
  /// It is the upper half of a 128-bit product. The few draws whose lower half would favour some numbers
  /// are repeated (Lemire 2019, arXiv:1805.10941). This replaces the standard library of Swift 6.3, which
  /// works the same way.
  ///
  /// - Precondition: `bound > 0`.
  public mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "a number below \(bound)")
    let bound = UInt64(bound)
    var product = bits().multipliedFullWidth(by: bound)
    if product.low < bound {
      // 2⁶⁴ mod bound.
      let excess = (0 &- bound) % bound
      while product.low < excess { product = bits().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// The elements in random order: from the first place on, each place gets one of the remaining elements
  /// (Fisher and Yates).
  ///
  /// This replaces the standard library of Swift 6.3, which works the same way.
  public mutating func shuffled<Element>(_ elements: some Sequence<Element>) -> [Element] {
    var result = Array(elements)
    for place in result.indices.dropLast() {
      result.swapAt(place, place + below(result.count - place))
    }
    return result
  }

  /// The elements in a different random order than ``shuffled(_:)`` gives: it starts from the last place.
  ///
  /// Splits of graphs have always been drawn this way.
  public mutating func shuffledFromTheEnd<Element>(
    _ elements: some Sequence<Element>
  ) -> [Element] {
    var result = Array(elements)
    for last in stride(from: result.count - 1, to: 0, by: -1) {
      result.swapAt(last, below(last + 1))
    }
    return result
  }
}
