import ArgumentParser

/// A positive whole number as people write large ones: 20000000, 1e9, 20M.
struct Quantity: ExpressibleByArgument, Equatable {
  let count: Int

  /// - Parameter argument: Digits, perhaps with a point and an exponent, or with k, M, G or T for powers of a thousand.
  init?(argument: String) {
    let factor = argument.last.flatMap {
      ["K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12][$0.uppercased()]
    }
    let number = factor == nil ? argument[...] : argument.dropLast()
    guard number.allSatisfy({ $0.isASCII && ($0.isNumber || ".eE+".contains($0)) }),
      number.first?.isNumber == true, let value = Double(number)
    else { return nil }
    let product = value * (factor ?? 1)
    guard product >= 1, product < 0x1p53, product == product.rounded() else { return nil }
    count = Int(product)
  }
}
