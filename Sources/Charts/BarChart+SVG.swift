extension BarChart {
  /// The chart as one SVG file, with its colours for light and dark surroundings.
  public func svg(width: Int = 480, height: Int = 300) -> String {
    markup(width: width, height: height, style: Palette.style)
  }

  /// The chart as an element; `style` is empty where the page around it has the rules already.
  func markup(width: Int, height: Int, style: String) -> String {
    precondition(width >= 200 && height >= 150, "\(width) x \(height) has no room for a chart")
    let drawing = BarDrawing(of: self, width: Double(width), height: Double(height))
    return drawing.canvas.svg(width: width, height: height, title: title, style: style)
  }
}

/// The elements of a chart of bars.
private struct BarDrawing {
  private(set) var canvas = Canvas()
  private let chart: BarChart
  /// Nil over names.
  private let x: Axis?
  private let y: Axis
  private let left, right, top, bottom: Double

  init(of chart: BarChart, width: Double, height: Double) {
    self.chart = chart
    top = chart.title.isEmpty ? 36 : 60
    bottom = height - (chart.xLabel.isEmpty ? 32 : 48)
    right = width - 26  // half of 100,000
    let values = chart.series.flatMap(\.values).filter { $0 > 0 }
    switch chart.yScale {
    case .linear:
      y = Axis(
        values + [0], scale: .linear, tickCount: max(2, Int((bottom - top) / 46)),
        isHorizontal: false)
    case .logarithmic:
      // Room below the least bar and above the highest.
      y = Axis(
        values.flatMap { [$0 * 0.6, $0 * 1.1] }, scale: .logarithmic,
        tickCount: max(2, Int((bottom - top) / 46)), isHorizontal: true)
    }
    let labelWidth = y.labels.map { estimatedWidth($0) * Canvas.fontSize }.max() ?? 0
    left = Canvas.margin + labelWidth + 8
    if case .bins(let edges, let scale) = chart.places {
      x = Axis(
        edges, scale: scale, tickCount: max(2, Int((right - left) / 60)), isHorizontal: true)
    } else {
      x = nil
    }

    canvas.add(#"<rect class="paper" width="100%" height="100%"/>"#)
    drawAxes(hasValues: !values.isEmpty)
    drawBars()
    drawReferenceLines()
    let margin = Canvas.margin
    // Bold letters are wider by an eighth.
    canvas.text(
      chart.title, "title", x: margin, y: 24, width: width - 2 * margin, fontSize: 15 * 9 / 8)
    let legendStart = drawLegend()
    canvas.text(chart.yLabel, x: margin, y: top - 16, width: legendStart - margin - 12)
    canvas.text(
      chart.xLabel, x: (left + right) / 2, y: bottom + 38, anchor: "middle", width: right - left)
    if values.isEmpty {
      canvas.text("no data", x: (left + right) / 2, y: (top + bottom) / 2, anchor: "middle")
    }
  }

  /// Where the bars of a place begin and end.
  private func span(of place: Int) -> (Double, Double) {
    if case .bins(let edges, _) = chart.places {
      return (across(edges[place]), across(edges[place + 1]))
    }
    let width = (right - left) / Double(chart.places.count)
    return (left + Double(place) * width, left + Double(place + 1) * width)
  }

  private func across(_ value: Double) -> Double { left + x!.position(value) * (right - left) }
  private func height(of value: Double) -> Double { bottom - y.position(value) * (bottom - top) }

  private mutating func drawAxes(hasValues: Bool) {
    for (value, label) in zip(y.ticks, y.labels) where hasValues {
      canvas.line("grid", left, height(of: value), right, height(of: value))
      canvas.text(label, x: left - 8, y: height(of: value) + 4, anchor: "end")
    }
    canvas.line("axis", left, bottom, right, bottom)
    if let x {
      for (value, label) in zip(x.ticks, x.labels) {
        canvas.line("axis", across(value), bottom, across(value), bottom + 4)
        canvas.text(label, x: across(value), y: bottom + 18, anchor: "middle")
      }
    } else if case .names(let names) = chart.places, !names.isEmpty {
      // As many as there is room for.
      let widest = names.map { estimatedWidth($0) * Canvas.fontSize }.max()! + 8
      let width = (right - left) / Double(names.count)
      let every = max(1, Int((min(widest, right - left) / width).rounded(.up)))
      for place in stride(from: 0, to: names.count, by: every) {
        canvas.text(
          names[place], x: (Double(place) + 0.5) * width + left, y: bottom + 18, anchor: "middle",
          width: right - left)
      }
    }
  }

  private mutating func drawBars() {
    let descriptions = chart.places.descriptions
    for (number, series) in chart.series.enumerated() {
      for (place, value) in series.values.enumerated() where value > 0 {
        let (from, to) = span(of: place)
        let gap = min(2, (to - from) / 8) / 2 + Double(number) * (to - from) / 5
        let (start, end) = (from + gap, max(to - gap, from + gap + 0.5))
        let name = series.name.isEmpty ? "" : "\(series.name): "
        canvas.add(
          #"<rect class="\#(type(of: number))" x="\#(pixels(start))" "#
            + #"y="\#(pixels(height(of: value)))" width="\#(pixels(end - start))" "#
            + #"height="\#(pixels(bottom - height(of: value)))">"#
            + "<title>\(escaped(descriptions[place])): \(escaped(name))\(shortNumber(value))"
            + "</title></rect>")
      }
    }
  }

  /// Those that others stand before are pale.
  private func type(of number: Int) -> String {
    let color = "t\(number % Palette.seriesCount)"
    return number < chart.series.count - 1 ? "bar pale \(color)" : "bar \(color)"
  }

  private mutating func drawReferenceLines() {
    guard let x else { return }
    for reference in chart.lines {
      guard reference.direction == .vertical, Axis.canDraw(reference.value, on: x.scale),
        x.low <= reference.value, reference.value <= x.high
      else { continue }
      let place = across(reference.value)
      canvas.line("reference", place, top, place, bottom)
      let isLeft = place < (left + right) / 2
      canvas.text(
        reference.label, "halo", x: place + (isLeft ? 5 : -5), y: top + 11,
        anchor: isLeft ? "start" : "end", width: (right - left) / 2)
    }
  }

  /// The names of the series, from the right; returns where they begin.
  private mutating func drawLegend() -> Double {
    var end = right
    for (number, series) in chart.series.enumerated().reversed() where !series.name.isEmpty {
      let width = min(estimatedWidth(series.name) * Canvas.fontSize, (right - left) / 3)
      canvas.text(
        series.name, "name", x: end - width, y: top - 16, width: (right - left) / 3)
      canvas.add(
        #"<rect class="\#(type(of: number))" x="\#(pixels(end - width - 15))" "#
          + #"y="\#(pixels(top - 26))" width="11" height="11"/>"#)
      end -= width + 30
    }
    return end
  }
}
