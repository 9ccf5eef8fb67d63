internal import Glibc

/// `text` as character data or attribute of XML and HTML, where it cannot become markup.
///
/// Characters that XML has no place for are replaced.
func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
    case "\0"..<" ", "\u{7f}"..."\u{9f}", "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// A coordinate to a tenth of a pixel.
func pixels(_ value: Double) -> String {
  let rounded = (value * 10).rounded() / 10
  return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
}

/// About how wide a line of sans-serif text is, in its font's size.
func estimatedWidth(_ text: String) -> Double {
  text.reduce(0) { width, character in
    switch character {
    case "i", "j", "l", "I", "t", "f", "r", ".", ",", ":", ";", "'", "|", " ", "(", ")":
      width + 0.38
    case "m", "w", "M", "W", "%", "@": width + 0.95
    case _ where character.isUppercase: width + 0.71
    default: width + (character.isASCII || character.utf8.count == 2 ? 0.61 : 1)
    }
  }
}

/// `text`, its end replaced by an ellipsis if it is estimated to be wider than `width`.
func fitted(_ text: String, width: Double, fontSize: Double) -> String {
  guard estimatedWidth(text) * fontSize > width else { return text }
  var short = text
  while !short.isEmpty, estimatedWidth(short + "…") * fontSize > width { short.removeLast() }
  return short + "…"
}

/// The label of a tick: as many decimals as the distance of ticks needs, and a power of ten where the
/// digits would be many. Thousands are separated if the largest label has more than four digits.
func tickLabel(_ value: Double, step: Double, largest: Double) -> String {
  let places = Int((log10(step) + 1e-9).rounded(.down))
  let magnitude = largest > 0 ? Int((log10(largest) + 1e-9).rounded(.down)) : 0
  if magnitude < 7 && places >= -5 {
    return fixed(value, places: max(0, -places), isGrouped: largest >= 10_000)
  }
  if value == 0 { return "0" }
  let mantissa = fixed(value / powerOfTen(magnitude), places: max(0, magnitude - places))
  let power = "10" + superscript(magnitude)
  return mantissa == "1" ? power : "\(mantissa)·\(power)"
}

/// A power of ten as one.
func powerLabel(_ value: Double) -> String {
  "10" + superscript(Int(log10(value).rounded()))
}

/// A number of a table: five significant digits.
func shortNumber(_ value: Double) -> String {
  guard value.isFinite else { return value.isNaN ? "–" : value > 0 ? "∞" : "−∞" }
  if value == value.rounded(), abs(value) < 1e7 { return fixed(value, places: 0) }
  let magnitude = Int(log10(abs(value)).rounded(.down))
  if (-4..<7).contains(magnitude) { return fixed(value, places: max(0, 4 - magnitude)) }
  return fixed(value / powerOfTen(magnitude), places: 4) + "·10" + superscript(magnitude)
}

/// `value` with `places` decimals and commas between thousands. |value| < 10⁷; at most 12 places.
private func fixed(_ value: Double, places: Int, isGrouped: Bool = true) -> String {
  let scaled = (abs(value) * powerOfTen(min(places, 12))).rounded()
  let digits = String(Int(scaled))
  let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
  var whole = String(padded.dropLast(places))
  if isGrouped {
    for place in stride(from: whole.count - 3, to: 0, by: -3) {
      whole.insert(",", at: whole.index(whole.startIndex, offsetBy: place))
    }
  }
  let sign = value < 0 && scaled > 0 ? "−" : ""
  return sign + whole + (places > 0 ? "." + padded.suffix(places) : "")
}

private func superscript(_ exponent: Int) -> String {
  let digits: [Character] = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
  return String(String(exponent).map { $0 == "-" ? "⁻" : digits[$0.wholeNumberValue!] })
}
