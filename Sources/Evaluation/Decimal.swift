internal import Glibc

/// A number with `places` digits after the point, rounded to nearest; `–` for NaN.
///
/// For tables of numbers of ordinary size. Not `String(format:)`, whose module brings tens of
/// megabytes of locale data into every rank.
public func decimal(_ value: Double, places: Int) -> String {
  let scale = pow(10, Double(places))
  guard value.isFinite, abs(value) * scale < 0x1p62 else { return value.isNaN ? "–" : "\(value)" }
  let digits = String(Int((abs(value) * scale).rounded()))
  let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
  let sign = value < 0 && digits.contains { $0 != "0" } ? "-" : ""
  guard places > 0 else { return sign + padded }
  return sign + padded.dropLast(places) + "." + padded.suffix(places)
}

/// A number of things, for people.
package func quantity(_ count: Int, _ name: String) -> String {
  "\(count) \(name)\(count == 1 ? "" : "s")"
}

/// A count with commas between thousands.
package func grouped(_ count: Int) -> String {
  var digits = String(count)
  for place in stride(from: digits.count - 3, to: 0, by: -3) {
    digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
  }
  return digits
}
