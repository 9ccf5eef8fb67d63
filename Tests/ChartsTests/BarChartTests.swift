import Charts
import Foundation
import Testing

@Suite struct BarChartTests {
  private func chart(
    _ series: [BarChart.Series], edges: [Double] = [0, 1, 2, 3, 4],
    scale: LineChart.Scale = .linear, yScale: LineChart.Scale = .linear,
    lines: [LineChart.ReferenceLine] = []
  ) -> BarChart {
    BarChart(
      title: "title", xLabel: "x", yLabel: "y", places: .bins(edges: edges, scale: scale),
      series: series, lines: lines, yScale: yScale)
  }

  private func number(_ element: Element, _ name: String) throws -> Double {
    try #require(Double(element[name]))
  }

  private func bars(_ svg: [Element], _ type: String) -> [Element] {
    svg.filter { $0["class"] == type && $0["height"] != "11" }
  }

  @Test func barsReachToWhatTheTicksSay() throws {
    for (scale, values) in [
      (LineChart.Scale.linear, [10.0, 20, 30, 40]), (.logarithmic, [1, 100, 1, 100]),
    ] {
      let svg = try elements(of: chart([.init(values: values)], yScale: scale).svg())
      let bars = bars(svg, "bar t0")
      #expect(bars.count == 4)
      for (bar, value) in zip(bars, values) {
        let text = "\(Int(value))"
        let label = try #require(
          svg.first { $0.text == text && $0["text-anchor"] == "end" }, "no tick \(value)")
        #expect(abs(try number(bar, "y") - (try number(label, "y") - 4)) < 0.2)
        // All stand on the axis.
        let axis = try #require(svg.first { $0["class"] == "axis" })
        let foot = try number(bar, "y") + number(bar, "height")
        #expect(abs(foot - (try number(axis, "y1"))) < 0.2)
      }
    }
  }

  @Test func barsStandOverTheirBins() throws {
    for (scale, edges) in [
      (LineChart.Scale.linear, [0.0, 10, 20, 40]), (.logarithmic, [1, 10, 100, 10_000]),
    ] {
      let svg = try elements(
        of: chart([.init(values: [1, 0, 3])], edges: edges, scale: scale).svg())
      let bars = bars(svg, "bar t0")
      // One of 0 is not drawn.
      #expect(bars.count == 2)
      func across(_ tick: String) throws -> Double {
        let label = try #require(svg.first { $0.text == tick && $0["text-anchor"] == "middle" })
        return try number(label, "x")
      }
      let (low, high) = scale == .linear ? ("20", "40") : ("100", "10,000")
      let (from, to) = (try across(low), try across(high))
      let bar = try #require(bars.last)
      #expect(abs(try number(bar, "x") - from) < 1.5)
      #expect(abs(try number(bar, "x") + number(bar, "width") - to) < 1.5)
    }
  }

  @Test func partsStandBeforeTheWhole() throws {
    let svg = try elements(
      of: chart([
        .init(name: "all", values: [4, 4, 4, 4]), .init(name: "some", values: [1, 2, 3, 4]),
      ]).svg())
    let whole = bars(svg, "bar pale t0")
    let part = bars(svg, "bar t1")
    #expect(whole.count == 4 && part.count == 4)
    for (whole, part) in zip(whole, part) {
      #expect(try number(part, "x") > number(whole, "x"))
      #expect(
        try number(part, "x") + number(part, "width")
          < number(whole, "x") + number(whole, "width"))
    }
    #expect(svg.filter { $0["class"] == "name" }.map(\.text) == ["some", "all"])
  }

  @Test func everyBarSaysWhatItCounts() throws {
    let whole = try elements(
      of: chart([.init(values: [5, 6, 0])], edges: [1, 2, 4, 8], scale: .logarithmic).svg())
    #expect(whole.filter { $0.name == "title" }.map(\.text) == ["1: 5", "2–3: 6"])
    let parts = try elements(
      of: chart([.init(name: "<n>", values: [5, 6])], edges: [0, 0.5, 1]).svg())
    #expect(
      parts.filter { $0.name == "title" }.map(\.text) == ["0.0 – 0.5: <n>: 5", "0.5 – 1.0: <n>: 6"])
  }

  @Test func namesAreLeftOutWhereTheyWouldOverlap() throws {
    func names(_ count: Int, width: Int) throws -> [String] {
      let chart = BarChart(
        title: "", xLabel: "", yLabel: "", places: .names((0..<count).map { "\($0)" }),
        series: [.init(values: Array(repeating: 1, count: count))])
      return try elements(of: chart.svg(width: width, height: 200))
        .filter { $0["text-anchor"] == "middle" }.map(\.text)
    }
    #expect(try names(3, width: 400) == ["0", "1", "2"])
    let some = try names(60, width: 400)
    #expect(some.count > 5 && some.count < 25 && some.first == "0" && some[1] != "1")
  }

  @Test func aLineStandsAtItsNumber() throws {
    let svg = try elements(
      of: chart(
        [.init(values: [1, 1, 1, 1])],
        lines: [.vertical(at: 2, label: "tau"), .vertical(at: 9, label: "outside")]
      ).svg())
    let lines = svg.filter { $0["class"] == "reference" }
    #expect(lines.count == 1)
    let tick = try #require(svg.first { $0.text == "2" && $0["text-anchor"] == "middle" })
    #expect(try number(try #require(lines.first), "x1") == number(tick, "x"))
    #expect(svg.contains { $0.text == "tau" } && !svg.contains { $0.text == "outside" })
  }

  @Test(arguments: [LineChart.Scale.linear, .logarithmic])
  func barsOfNothingAreNoData(scale: LineChart.Scale) throws {
    let svg = try elements(of: chart([.init(values: [0, 0, 0, 0])], yScale: scale).svg())
    #expect(svg.contains { $0.text == "no data" })
    #expect(bars(svg, "bar t0").isEmpty)
  }

  @Test func numbersAreInThePage() throws {
    let page = pageHolding(
      .bars(
        chart(
          [.init(name: "a", values: [1, 2]), .init(name: "b", values: [0, 1])],
          edges: [0, 0.5, 1])))
    let cells = try elements(of: page.html).filter { $0.name == "td" || $0.name == "th" }
    #expect(
      cells.map(\.text) == ["x", "a", "b", "0.0 – 0.5", "1", "0", "0.5 – 1.0", "2", "1"])
  }

  @Test func longCellsAreBroken() throws {
    let page = pageHolding(
      .table(
        .init(
          header: ["short", "long"],
          rows: [["1", "2"], ["3", String(repeating: "4", count: 40)]])))
    let cells = try elements(of: page.html).filter { $0.name == "td" }
    #expect(cells.map { $0["class"] } == ["number", "long", "number", "long"])
  }
}
