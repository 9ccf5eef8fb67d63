/// Points of a plane in groups, drawn as SVG by ``svg(width:height:)``. Pointing at one shows what it is.
///
/// The axes have no numbers: what counts is which points are near each other. Points that are not finite are left
/// out.
public struct ScatterChart: Sendable {
  public var title: String
  public var xLabel: String
  public var yLabel: String
  /// Those that come first are behind. At most eight have a colour each.
  public var series: [Series]

  public init(title: String, xLabel: String, yLabel: String, series: [Series]) {
    precondition(
      series.count { !$0.isFaint } <= Palette.seriesCount, "\(series.count) series have no colours")
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
  }

  public struct Series: Sendable {
    public var name: String
    public var points: [Point]
    /// Grey and pale.
    public var isFaint: Bool

    public init(name: String, points: [Point], isFaint: Bool = false) {
      self.name = name
      self.points = points
      self.isFaint = isFaint
    }
  }

  public struct Point: Sendable {
    public var x: Double
    public var y: Double
    /// May be empty.
    public var title: String

    public init(x: Double, y: Double, title: String) {
      self.x = x
      self.y = y
      self.title = title
    }
  }
}

extension ScatterChart {
  /// The chart as one SVG file, with its colours for light and dark surroundings.
  public func svg(width: Int = 600, height: Int = 600) -> String {
    markup(width: width, height: height, style: Palette.style)
  }

  /// The chart as an element; `style` is empty where the page around it has the rules already.
  func markup(width: Int, height: Int, style: String) -> String {
    precondition(width >= 200 && height >= 150, "\(width) x \(height) has no room for a chart")
    return canvas(width: Double(width), height: Double(height))
      .svg(width: width, height: height, title: title, style: style)
  }

  private func canvas(width: Double, height: Double) -> Canvas {
    var canvas = Canvas()
    canvas.add(#"<rect class="paper" width="100%" height="100%"/>"#)
    let margin = Canvas.margin
    let nameWidth = min(
      (series.map { estimatedWidth($0.name) }.max() ?? 0) * Canvas.fontSize, width * 0.35)
    let (left, right) = (margin, width - nameWidth - 3 * margin)
    let (top, bottom) = (title.isEmpty ? 28.0 : 52, height - 28)
    // Bold letters are wider by an eighth.
    canvas.text(title, "title", x: margin, y: 24, width: width - 2 * margin, fontSize: 15 * 9 / 8)
    canvas.text(yLabel, x: margin, y: top - 10, width: right - left)
    canvas.text(
      xLabel, x: (left + right) / 2, y: bottom + 20, anchor: "middle", width: right - left)
    canvas.line("axis", left, bottom, right, bottom)
    canvas.line("axis", left, top, left, bottom)

    let drawn = series.flatMap(\.points).filter(Self.canDraw)
    func places(_ values: [Double]) -> (Double) -> Double {
      let (low, high) = (values.min() ?? 0, values.max() ?? 0)
      // A twentieth is left free on either side.
      return { high > low ? 0.05 + 0.9 * ($0 - low) / (high - low) : 0.5 }
    }
    let (across, up) = (places(drawn.map(\.x)), places(drawn.map(\.y)))
    var color = 0
    for (place, series) in series.enumerated() {
      let type = series.isFaint ? "faint" : "t\(color)"
      if !series.isFaint { color += 1 }
      for point in series.points where Self.canDraw(point) {
        let (x, y) = (
          left + across(point.x) * (right - left), bottom - up(point.y) * (bottom - top)
        )
        canvas.add(
          #"<circle class="\#(type)" cx="\#(pixels(x))" cy="\#(pixels(y))" r="\#(series.isFaint ? 1.5 : 2.5)">"#
            + (point.title.isEmpty ? "" : "<title>\(escaped(point.title))</title>") + "</circle>")
      }
      canvas.text(
        series.name, series.isFaint ? "name" : "name \(type)", x: right + margin,
        y: top + 12 + 18 * Double(place), width: width - right - 2 * margin)
    }
    if drawn.isEmpty {
      canvas.text("no data", x: (left + right) / 2, y: (top + bottom) / 2, anchor: "middle")
    }
    return canvas
  }

  private static func canDraw(_ point: Point) -> Bool {
    Axis.canDraw(point.x, on: .linear) && Axis.canDraw(point.y, on: .linear)
  }
}
