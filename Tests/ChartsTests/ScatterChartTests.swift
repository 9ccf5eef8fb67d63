import Charts
import Testing

@Suite struct ScatterChartTests {
  private func points(_ places: [(Double, Double)], _ title: String) -> [ScatterChart.Point] {
    places.map { .init(x: $0, y: $1, title: title) }
  }

  @Test func everyPointHasItsPlaceColourAndTitle() throws {
    let chart = ScatterChart(
      title: "<map>", xLabel: "first", yLabel: "second",
      series: [
        .init(name: "others", points: points([(0, 0), (.nan, 1)], ""), isFaint: true),
        .init(name: "a", points: points([(10, 10)], "row <1>")),
        .init(name: "b", points: points([(10, 0), (5, 5)], "row 2")),
      ])
    let elements = try elements(of: chart.svg(width: 500, height: 400))
    let circles = elements.filter { $0.name == "circle" }
    #expect(circles.map { $0["class"] } == ["faint", "t0", "t1", "t1"])
    let across = circles.map { Double($0["cx"])! }
    let down = circles.map { Double($0["cy"])! }
    #expect(across[0] < across[3] && across[3] < across[1] && across[1] == across[2])
    #expect(down[1] < down[3] && down[3] < down[0] && down[0] == down[2])
    #expect(across.allSatisfy { $0 > 0 && $0 < 500 } && down.allSatisfy { $0 > 0 && $0 < 400 })
    #expect(elements.filter { $0.name == "title" }.map(\.text) == ["row <1>", "row 2", "row 2"])
    #expect(
      ["others", "a", "b", "<map>"].allSatisfy { name in elements.contains { $0.text == name } })
  }

  /// One place, or none, has no width to divide by.
  @Test(arguments: [0, 1, 2]) func pointsOfOnePlaceAreInTheMiddle(count: Int) throws {
    let chart = ScatterChart(
      title: "", xLabel: "", yLabel: "",
      series: [.init(name: "", points: points(Array(repeating: (3, 3), count: count), ""))])
    let elements = try elements(of: chart.svg())
    #expect(elements.count { $0.name == "circle" } == count)
    #expect(elements.contains { $0.text == "no data" } == (count == 0))
  }
}
