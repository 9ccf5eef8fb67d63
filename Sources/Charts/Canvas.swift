/// The elements of a drawing, those behind first.
struct Canvas {
  static let fontSize = 12.0
  static let margin = 8.0

  private(set) var elements: [String] = []

  mutating func add(_ element: String) { elements.append(element) }

  mutating func line(_ type: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) {
    elements.append(
      #"<line class="\#(type)" x1="\#(pixels(x1))" y1="\#(pixels(y1))" x2="\#(pixels(x2))" "#
        + #"y2="\#(pixels(y2))"/>"#)
  }

  /// A line of text that ends in an ellipsis where it is estimated to be wider than `width`; the
  /// whole can then be read by pointing at it.
  mutating func text(
    _ text: String, _ type: String = "", x: Double, y: Double, anchor: String = "start",
    width: Double = .infinity, fontSize: Double = fontSize
  ) {
    guard !text.isEmpty else { return }
    let shown = fitted(text, width: width, fontSize: fontSize)
    let whole = shown == text ? "" : "<title>\(escaped(text))</title>"
    elements.append(
      #"<text class="\#(type)" x="\#(pixels(x))" y="\#(pixels(y))" text-anchor="\#(anchor)">"#
        + whole + escaped(shown) + "</text>")
  }

  /// The drawing as an element; `style` is empty where the page around it has the rules already.
  func svg(width: Int, height: Int, title: String, style: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 \(width) \(height)" \
    width="\(width)" height="\(height)" role="img" aria-label="\(escaped(title))">
    \(style)\(elements.joined(separator: "\n"))
    </svg>

    """
  }
}

extension Palette {
  /// The rules of a chart that stands alone.
  static var style: String { "<style>\n\(chartStyle)\n</style>\n" }
}
