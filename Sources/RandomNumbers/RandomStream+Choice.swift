extension RandomStream {
  /// One of 0 ..< bound, each as likely.
  ///
  /// The upper half of a product of 128 bits; the few draws whose lower half lies where some numbers
  /// have one more than others are made again (Lemire 2019, arXiv:1805.10941). So did the standard library
  /// of Swift 6.3, in whose place this stands.
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

  /// In a random order: from the first place on, each gets one of those that are left (Fisher and
  /// Yates).
  ///
  /// As the standard library of Swift 6.3 did, in whose place this stands.
  public mutating func shuffled<Element>(_ elements: some Sequence<Element>) -> [Element] {
    var result = Array(elements)
    for place in result.indices.dropLast() {
      result.swapAt(place, place + below(result.count - place))
    }
    return result
  }

  /// In a random order, another than ``shuffled(_:)``: the same from the last place on.
  ///
  /// Splits of graphs have been drawn so ever since.
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
