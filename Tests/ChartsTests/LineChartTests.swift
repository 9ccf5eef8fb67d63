import Charts
import Foundation
import Testing

@Suite struct LineChartTests {
  @Test func everyCurveIsNamedAndDrawnInItsOwnColor() throws {
    let svg = try elements(
      of: chart([.init(name: "loss", values: [3, 2, 1]), .init(name: "F", values: [0, 1, 2])])
        .svg())
    let curves = svg.filter { $0.name == "path" }
    #expect(curves.map { $0["class"] } == ["curve s0", "curve s1"])
    let names = svg.filter { $0["class"].hasPrefix("name") }
    // Where they end: F at the top.
    #expect(names.map(\.text) == ["F", "loss"])
    #expect(names.map { $0["class"] } == ["name t1", "name t0"])
  }

  @Test func aPointStandsWhereTheTicksSayThatItIs() throws {
    for (scale, y, between) in [
      (LineChart.Scale.linear, 75.0, (60.0, 80.0)), (.logarithmic, 20, (10, 100)),
    ] {
      let values = scale == .linear ? [0, y, 100] : [1, y, 10_000]
      let svg = try elements(
        of: chart([.init(name: "", values: values)], yScale: scale).svg(width: 600, height: 400))
      let path = try #require(svg.first { $0.name == "path" })
      let middle = try #require(path.places.dropFirst().first)
      func height(_ tick: Double) throws -> Double {
        let label = try #require(svg.first { $0.text == "\(Int(tick))" }, "no tick \(tick)")
        return try #require(Double(label["y"])) - 4
      }
      let (low, high) = (try height(between.0), try height(between.1))
      let part =
        scale == .linear
        ? (y - between.0) / (between.1 - between.0)
        : log(y / between.0) / log(between.1 / between.0)
      #expect(abs(middle.y - (low + part * (high - low))) < 0.2)
    }
  }

  @Test(arguments: [
    ([0.0, 1], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ([0.412, 0.688], ["0.40", "0.45", "0.50", "0.55", "0.60", "0.65", "0.70"]),
    ([-3, 4], ["−4", "−2", "0", "2", "4"]),
    ([5, 5], ["4.4", "4.6", "4.8", "5.0", "5.2", "5.4", "5.6"]),
    ([0, 48_000], ["0", "10,000", "20,000", "30,000", "40,000", "50,000"]),
    ([0, 4e-7], ["0", "10⁻⁷", "2·10⁻⁷", "3·10⁻⁷", "4·10⁻⁷"]),
    ([0, 3e9], ["0", "0.5·10⁹", "1.0·10⁹", "1.5·10⁹", "2.0·10⁹", "2.5·10⁹", "3.0·10⁹"]),
    ([2.5, 2.5], ["2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8"]),
  ])
  func ticksAreRoundAndEncloseTheValues(values: [Double], expected: [String]) throws {
    #expect(try yTicks(values, .linear) == expected)
  }

  @Test(arguments: [
    ([0.03, 4], ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5"]),
    ([0.001, 10], ["0.001", "0.01", "0.1", "1", "10"]),
    ([1, 10_000], ["1", "10", "100", "1,000", "10,000"]),
    ([3e-8, 0.4], ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "10⁰"]),
    ([0.45, 0.58], ["0.45", "0.50", "0.55", "0.60"]),
    ([1, 1], ["0.6", "0.8", "1.0", "1.2", "1.4", "1.6"]),
  ])
  func logarithmicTicksAreRoundAndEncloseTheValues(values: [Double], expected: [String]) throws {
    #expect(try yTicks(values, .logarithmic) == expected)
  }

  @Test func epochsHaveNoTicksBetweenThem() throws {
    let svg = try elements(of: chart([.init(name: "", values: [0.1, 0.2, 0.4])]).svg())
    #expect(ticks(svg, anchor: "middle") == ["1", "2", "3"])
  }

  @Test func whatCannotBeDrawnLeavesAGap() throws {
    let nan = chart([.init(name: "", values: [1, 2, .nan, 4, 5, .infinity, 7])])
    let svg = try elements(of: nan.svg())
    // Two runs of two points, and a point alone.
    #expect(svg.filter { $0.name == "path" }.map(\.places.count) == [2, 2])
    #expect(svg.count { $0.name == "circle" } == 1)
    let zero = chart([.init(name: "", values: [1, 2, 0, 4, 5])], yScale: .logarithmic)
    #expect(
      try elements(of: zero.svg()).filter { $0.name == "path" }.map(\.places.count) == [2, 2])
  }

  @Test func chartsWithoutDataSayIt() throws {
    for points in [[], [LineChart.Point(x: .nan, y: 1), .init(x: 1, y: -.infinity)]] {
      for scale in [LineChart.Scale.linear, .logarithmic] {
        let empty = chart([.init(name: "loss", points: points)], yScale: scale)
        let svg = try elements(of: empty.svg())
        #expect(svg.contains { $0.text == "no data" })
        #expect(svg.contains { $0.text == "loss (no data)" })
      }
    }
    #expect(try elements(of: chart([]).svg()).contains { $0.text == "no data" })
  }

  @Test func marksAndReferenceLinesHaveRoomOnTheAxes() throws {
    var chart = chart([.init(name: "", values: [1, 2])])
    chart.marks = [.init(at: .init(x: 10, y: 3), label: "best"), .init(at: .init(x: .nan, y: 0))]
    chart.lines = [
      .horizontal(at: -20, label: "theirs"), .vertical(at: 40, label: "decay"),
      .horizontal(at: .nan, label: "nowhere"),
    ]
    let svg = try elements(of: chart.svg())
    #expect(svg.count { $0["class"] == "ring" } == 1)
    #expect(svg.count { $0["class"] == "reference" } == 2)
    #expect(svg.contains { $0.text == "best" } && svg.contains { $0.text == "theirs" })
    #expect(!svg.contains { $0.text == "nowhere" })
    try expectInside(svg, width: 600, height: 370)
  }

  @Test(arguments: [2, 9, 40])
  func namesOfCloseCurvesStandApartAndInside(count: Int) throws {
    let series = (0..<count).map {
      LineChart.Series(name: "curve \($0)", values: [1, 2 + Double($0) * 1e-4, 5])
    }
    let svg = try elements(of: chart(series).svg(width: 500, height: 300))
    let heights = svg.filter { $0["class"].hasPrefix("name") }.compactMap { Double($0["y"]) }
    #expect(heights.count == count)
    for (above, below) in zip(heights, heights.dropFirst()) {
      #expect(below - above > (count > 20 ? 4 : 15.8))
    }
    try expectInside(svg, width: 500, height: 300)
  }

  @Test(arguments: [
    [1e300, -1e300], [.greatestFiniteMagnitude, 1], [.leastNonzeroMagnitude, 0], [1e17, 1e17 + 16],
    [0, 0],
    [-1e-90, 1e-90], [1e99, 1e-99], [123_456_789, 123_456_790], [0.1 + 0.2, 0.3],
  ])
  func extremeNumbersAreDrawnOrLeftOut(values: [Double]) throws {
    for scale in [LineChart.Scale.linear, .logarithmic] {
      for isX in [false, true] {
        let points = values.map { LineChart.Point(x: isX ? $0 : 1, y: isX ? 1 : $0) }
        let svg = try elements(
          of: LineChart(
            title: "", xLabel: "", yLabel: "", series: [.init(name: "a", points: points)],
            xScale: isX ? scale : .linear, yScale: isX ? .linear : scale
          ).svg())
        try expectInside(svg, width: 600, height: 370)
      }
    }
  }

  @Test func textCannotBecomeMarkup() throws {
    let nasty = "</text><script>alert(\"1\")</script>&amp;'\u{0}\u{b}"
    var chart = LineChart(
      title: nasty, xLabel: nasty, yLabel: nasty,
      series: [.init(name: nasty, values: [1, 2])])
    chart.marks = [.init(at: .init(x: 1, y: 1), label: nasty)]
    chart.lines = [.horizontal(at: 1, label: nasty), .vertical(at: 1, label: nasty)]
    let svg = try elements(of: chart.svg(width: 3000))
    #expect(!svg.contains { $0.name == "script" })
    let shown = nasty.replacing("\u{0}", with: "\u{fffd}").replacing("\u{b}", with: "\u{fffd}")
    #expect(svg.count { $0.text == shown } == 7)
  }

  @Test func textTooLongIsCutAndWholeInItsTooltip() throws {
    let long = String(repeating: "densities of nodes ", count: 20)
    let svg = try elements(of: chart([.init(name: long, values: [1, 2])], title: long).svg())
    #expect(svg.count { $0.name == "title" && $0.text == long } == 2)
    #expect(svg.contains { $0.name == "text" && $0.text.hasSuffix("…") })
  }

  private func chart(
    _ series: [LineChart.Series], title: String = "", yScale: LineChart.Scale = .linear
  ) -> LineChart {
    LineChart(title: title, xLabel: "epoch", yLabel: "", series: series, yScale: yScale)
  }

  private func yTicks(_ values: [Double], _ scale: LineChart.Scale) throws -> [String] {
    let chart = chart([.init(name: "", values: values)], yScale: scale)
    return ticks(try elements(of: chart.svg()), anchor: "end")
  }

  private func ticks(_ svg: [Element], anchor: String) -> [String] {
    svg.filter { $0.name == "text" && $0["text-anchor"] == anchor && $0.text != "epoch" }
      .map(\.text)
  }

  private func expectInside(_ svg: [Element], width: Double, height: Double) throws {
    for element in svg where element.name != "svg" && element.name != "rect" {
      for (keys, limit) in [
        (["x", "x1", "x2", "cx"], width), (["y", "y1", "y2", "cy"], height),
      ] {
        for value in keys.map({ element[$0] }) where !value.isEmpty {
          let number = try #require(Double(value), "\(value) is no number")
          #expect(0...limit ~= number, "\(element)")
        }
      }
      for place in element.places {
        #expect(0...width ~= place.x && 0...height ~= place.y, "\(element)")
      }
    }
  }
}
