extension LineChart {
  /// The chart as one SVG file, with its colours for light and dark surroundings.
  public func svg(width: Int = 600, height: Int = 370) -> String {
    markup(width: width, height: height, style: Palette.style)
  }

  /// The chart as an element; `style` is empty where the page around it has the rules already.
  func markup(width: Int, height: Int, style: String) -> String {
    precondition(width >= 200 && height >= 150, "\(width) x \(height) has no room for a chart")
    let drawing = Drawing(of: self, width: Double(width), height: Double(height))
    return drawing.canvas.svg(width: width, height: height, title: title, style: style)
  }
}

extension LineChart {
  fileprivate func canDraw(_ point: Point) -> Bool {
    Axis.canDraw(point.x, on: xScale) && Axis.canDraw(point.y, on: yScale)
  }

  fileprivate func shownName(of series: Series) -> String {
    series.name.isEmpty || series.points.contains(where: canDraw)
      ? series.name : series.name + " (no data)"
  }
}

/// The elements of a chart, those behind first.
private struct Drawing {
  private(set) var canvas = Canvas()
  private let chart: LineChart
  private let x: Axis
  private let y: Axis
  private var left, right, top, bottom: Double
  private let width: Double

  init(of chart: LineChart, width: Double, height: Double) {
    self.chart = chart
    self.width = width
    let widest = chart.series.map { estimatedWidth(chart.shownName(of: $0)) }.max() ?? 0
    let nameWidth = min(widest * Canvas.fontSize, width * 0.35)
    top = chart.title.isEmpty ? 36 : 60
    bottom = height - (chart.xLabel.isEmpty ? 32 : 48)
    right = width - (nameWidth > 0 ? nameWidth + 24 : 20)

    let points = chart.series.flatMap(\.points) + chart.marks.map(\.at)
    func values(_ direction: LineChart.ReferenceLine.Direction) -> [Double] {
      chart.lines.filter { $0.direction == direction }.map(\.value)
    }
    // What cannot be drawn in one direction says nothing about the other.
    let drawn = points.filter(chart.canDraw)
    y = Axis(
      drawn.map(\.y) + values(.horizontal), scale: chart.yScale,
      tickCount: max(2, Int((bottom - top) / 46)), isHorizontal: false)
    let labelWidth = y.labels.map { estimatedWidth($0) * Canvas.fontSize }.max() ?? 0
    left = Canvas.margin + labelWidth + 8
    x = Axis(
      drawn.map(\.x) + values(.vertical), scale: chart.xScale,
      tickCount: max(2, Int((right - left) / 60)), isHorizontal: true)

    canvas.add(#"<rect class="paper" width="100%" height="100%"/>"#)
    drawAxes(withTicks: !drawn.isEmpty || !chart.lines.isEmpty)
    drawReferenceLines()
    drawCurves()
    labelReferenceLines()
    drawMarks()
    if drawn.isEmpty {
      canvas.text("no data", x: (left + right) / 2, y: (top + bottom) / 2, anchor: "middle")
    }
  }

  // Places

  private func place(_ point: LineChart.Point) -> (x: Double, y: Double)? {
    chart.canDraw(point) ? (acrossX(point.x), acrossY(point.y)) : nil
  }

  private func acrossX(_ value: Double) -> Double { left + x.position(value) * (right - left) }
  private func acrossY(_ value: Double) -> Double { bottom - y.position(value) * (bottom - top) }

  // Parts

  private mutating func drawAxes(withTicks hasTicks: Bool) {
    for (value, label) in zip(y.ticks, y.labels) where hasTicks {
      let height = acrossY(value)
      canvas.line("grid", left, height, right, height)
      canvas.text(label, x: left - 8, y: height + 4, anchor: "end")
    }
    canvas.line("axis", left, bottom, right, bottom)
    for (value, label) in zip(x.ticks, x.labels) where hasTicks {
      canvas.line("axis", acrossX(value), bottom, acrossX(value), bottom + 4)
      canvas.text(label, x: acrossX(value), y: bottom + 18, anchor: "middle")
    }
    let margin = Canvas.margin
    // Bold letters are wider by an eighth.
    canvas.text(
      chart.title, "title", x: margin, y: 24, width: width - 2 * margin, fontSize: 15 * 9 / 8)
    canvas.text(chart.yLabel, x: margin, y: top - 16, width: width - 2 * margin)
    canvas.text(
      chart.xLabel, x: (left + right) / 2, y: bottom + 38, anchor: "middle", width: right - left)
  }

  private mutating func drawReferenceLines() {
    for reference in drawnLines {
      switch reference.direction {
      case .horizontal:
        let height = acrossY(reference.value)
        canvas.line("reference", left, height, right, height)
      case .vertical:
        let across = acrossX(reference.value)
        canvas.line("reference", across, top, across, bottom)
      }
    }
  }

  /// In front of the curves, which would run through the letters else.
  private mutating func labelReferenceLines() {
    for reference in drawnLines {
      switch reference.direction {
      case .horizontal:
        canvas.text(
          reference.label, "halo", x: left + 6, y: acrossY(reference.value) - 5,
          width: right - left - 6)
      case .vertical:
        let across = acrossX(reference.value)
        let isLeft = across < (left + right) / 2
        canvas.text(
          reference.label, "halo", x: across + (isLeft ? 5 : -5), y: top + 11,
          anchor: isLeft ? "start" : "end", width: (right - left) / 2)
      }
    }
  }

  private var drawnLines: [LineChart.ReferenceLine] {
    chart.lines.filter {
      Axis.canDraw($0.value, on: $0.direction == .horizontal ? y.scale : x.scale)
    }
  }

  private mutating func drawCurves() {
    var names: [(text: String, color: Int?, end: (x: Double, y: Double)?)] = []
    var colorCount = 0
    for isFaint in [true, false] {
      for series in chart.series where (series.style == .faint) == isFaint {
        let color = isFaint ? nil : colorCount % Palette.seriesCount
        if !isFaint { colorCount += 1 }
        draw(series, color: color)
        if !series.name.isEmpty {
          let end = series.points.last(where: chart.canDraw).flatMap(place)
          names.append((chart.shownName(of: series), color, end))
        }
      }
    }
    // Under one another in the order of the curves' ends, as near to them as the letters allow.
    names.sort { ($0.end?.y ?? bottom) < ($1.end?.y ?? bottom) }
    let heights = spread(
      names.map { $0.end?.y ?? bottom },
      apart: min(16, (bottom - top) / Double(max(1, names.count - 1))))
    for ((name, color, end), height) in zip(names, heights) {
      if let end, abs(end.y - height) > 3 || end.x < right - 3 {
        canvas.line(
          "leader " + (color.map { "s\($0)" } ?? "axis"), end.x + 4, end.y, right + 9, height)
      }
      canvas.text(
        name, color.map { "name t\($0)" } ?? "name", x: right + 13, y: height + 4,
        width: width - right - 16)
    }
  }

  private mutating func draw(_ series: LineChart.Series, color: Int?) {
    let type = color.map { "s\($0)" } ?? "faint"
    let isDashed = series.style == .dashed
    for run in series.points.map(place).split(whereSeparator: { $0 == nil }) {
      let places = run.map { "\(pixels($0!.x)) \(pixels($0!.y))" }
      if places.count == 1 {
        let fill = color.map { "t\($0)" } ?? "faint"
        canvas.add(
          #"<circle class="\#(fill)" cx="\#(pixels(run.first!!.x))" "#
            + #"cy="\#(pixels(run.first!!.y))" r="3"/>"#)
        continue
      }
      // Points in one and the same pixel are one.
      let distinct = places.indices.filter { $0 == 0 || places[$0] != places[$0 - 1] }
      canvas.add(
        #"<path class="\#(color == nil ? "" : "curve ")\#(isDashed ? "dashed " : "")\#(type)" "#
          + #"d="M\#(distinct.map { places[$0] }.joined(separator: "L"))"/>"#)
    }
  }

  private mutating func drawMarks() {
    for mark in chart.marks {
      guard let (across, height) = place(mark.at) else { continue }
      canvas.add(
        #"<circle class="ring" cx="\#(pixels(across))" cy="\#(pixels(height))" r="4.5"/>"#)
      let half = min(estimatedWidth(mark.label) * Canvas.fontSize, right - left) / 2
      let middle = max(min(across, right - half), left + half)
      let isAbove = height - top > 20
      canvas.text(
        mark.label, "mark halo", x: middle, y: isAbove ? height - 11 : height + 21,
        anchor: "middle", width: right - left)
    }
  }

  /// The heights, at least so far apart and within the plot; ascending, as they come.
  private func spread(_ wanted: [Double], apart: Double) -> [Double] {
    var heights = wanted
    for i in heights.indices.dropFirst() { heights[i] = max(heights[i], heights[i - 1] + apart) }
    var limit = bottom
    for i in heights.indices.reversed() {
      heights[i] = min(heights[i], limit)
      limit = heights[i] - apart
    }
    return heights
  }
}
