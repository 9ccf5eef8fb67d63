/// Curves over a common axis, drawn as SVG by ``svg(width:height:)``.
///
/// Every curve is named where it ends, so there is no legend to look up. What cannot be drawn (NaN,
/// infinities, and numbers that are not positive on a logarithmic axis) leaves a gap.
public struct LineChart: Sendable {
  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var series: [Series]
  /// Points to look at: the best epoch, the chosen tau.
  public var marks: [Mark]
  public var lines: [ReferenceLine]
  public var xScale: Scale
  public var yScale: Scale

  public init(
    title: String, xLabel: String, yLabel: String, series: [Series], marks: [Mark] = [],
    lines: [ReferenceLine] = [], xScale: Scale = .linear, yScale: Scale = .linear
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
    self.marks = marks
    self.lines = lines
    self.xScale = xScale
    self.yScale = yScale
  }

  /// How numbers become places along an axis.
  public enum Scale: Sendable {
    case linear
    case logarithmic
  }

  /// One curve, its points joined in the order given.
  public struct Series: Sendable {
    /// Stands where the curve ends. A faint curve may do without.
    public var name: String
    public var points: [Point]
    public var style: Style

    public init(name: String, points: [Point], style: Style = .line) {
      self.name = name
      self.points = points
      self.style = style
    }

    public enum Style: Sendable {
      case line
      case dashed
      /// Thin and grey, behind the others: the single folds behind their mean.
      case faint
    }
  }

  public struct Point: Sendable {
    public var x: Double
    public var y: Double

    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// A ring round a point, with a word to it.
  public struct Mark: Sendable {
    public var at: Point
    public var label: String

    public init(at point: Point, label: String = "") {
      at = point
      self.label = label
    }
  }

  /// A line across the chart: what others reached, where something began.
  public struct ReferenceLine: Sendable {
    public var direction: Direction
    public var value: Double
    public var label: String

    public static func horizontal(at y: Double, label: String = "") -> Self {
      Self(direction: .horizontal, value: y, label: label)
    }

    public static func vertical(at x: Double, label: String = "") -> Self {
      Self(direction: .vertical, value: x, label: label)
    }

    public enum Direction: Sendable {
      case horizontal
      case vertical
    }
  }
}

extension LineChart.Series {
  /// The points at `x` = 1, 2, 3, …: one value an epoch.
  public init(
    name: String, values: some Sequence<Double>, style: Style = .line, firstX: Int = 1
  ) {
    let points = values.enumerated().map { LineChart.Point(x: Double(firstX + $0), y: $1) }
    self.init(name: name, points: points, style: style)
  }
}
