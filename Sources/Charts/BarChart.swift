/// Bars over bins of a number, or over things with names, drawn as SVG by ``svg(width:height:)``.
///
/// Several series stand one in front of the other, the later ones narrower: parts of a whole. On a
/// logarithmic axis a bar begins below the least value, so that bars of 1 can be seen, and one of 0
/// is missing.
public struct BarChart: Sendable {
  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var places: Places
  public var series: [Series]
  /// Vertical ones, over bins.
  public var lines: [LineChart.ReferenceLine]
  public var yScale: LineChart.Scale

  /// - Precondition: Every series has a value for every place; values are finite and not negative.
  public init(
    title: String, xLabel: String, yLabel: String, places: Places, series: [Series],
    lines: [LineChart.ReferenceLine] = [], yScale: LineChart.Scale = .linear
  ) {
    if case .bins(let edges, let scale) = places {
      precondition(
        edges.count >= 2 && zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 }
          && edges.allSatisfy { Axis.canDraw($0, on: scale) }, "edges of bins: \(edges)")
    }
    for series in series {
      precondition(
        series.values.count == places.count, "\(series.values.count) bars of \(places.count)")
      precondition(
        series.values.allSatisfy { $0 >= 0 && $0 < 1e100 }, "bars of \(series.values)")
    }
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.places = places
    self.series = series
    self.lines = lines
    self.yScale = yScale
  }

  /// Where the bars stand.
  public enum Places: Sendable {
    /// Bin i from `edges[i]` on, to below `edges[i + 1]`; of whole numbers, if all edges are.
    case bins(edges: [Double], scale: LineChart.Scale = .linear)
    case names([String])

    public var count: Int {
      switch self {
      case .bins(let edges, _): edges.count - 1
      case .names(let names): names.count
      }
    }
  }

  public struct Series: Sendable {
    /// May be empty if it is the only one.
    public var name: String
    /// One per place.
    public var values: [Double]

    public init(name: String = "", values: [Double]) {
      self.name = name
      self.values = values
    }
  }
}

extension BarChart.Places {
  /// What every bar is about: a name, the numbers of a bin as `4–7`, or its edges.
  var descriptions: [String] {
    guard case .bins(let edges, _) = self else {
      if case .names(let names) = self { return names }
      return []
    }
    let bins = zip(edges, edges.dropFirst())
    if edges.allSatisfy({ $0 == $0.rounded() && abs($0) < 1e15 }) {
      return bins.map { first, next in
        first == next - 1 ? shortNumber(first) : "\(shortNumber(first))–\(shortNumber(next - 1))"
      }
    }
    let step = bins.map { $1 - $0 }.min()!
    let largest = edges.map(abs).max()!
    return bins.map { from, to in
      "\(tickLabel(from, step: step, largest: largest)) – "
        + tickLabel(to, step: step, largest: largest)
    }
  }
}
