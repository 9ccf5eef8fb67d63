import Charts
import Foundation
import Testing

@Suite struct PageTests {
  private let chart = LineChart(
    title: "Loss", xLabel: "epoch", yLabel: "",
    series: [
      .init(name: "train", values: [0.5, 0.25]),
      .init(name: "validation", points: [.init(x: 2, y: 0.123456), .init(x: 4, y: .nan)]),
    ])

  @Test func aPageIsOneWellFormedFileWithoutLinksOrScripts() throws {
    let nasty = "<b>&\"'</td>"
    let page = Page(
      title: nasty, summary: nasty,
      sections: [
        .init(
          heading: nasty,
          body: [
            .text(nasty), .chart(chart),
            .table(.init(caption: nasty, header: [nasty], rows: [[nasty]])),
          ]),
        .init(heading: "empty", body: []),
      ])
    #expect(page.html.hasPrefix("<!DOCTYPE html>\n"))
    let elements = try elements(of: page.html)
    #expect(!elements.contains { ["script", "link", "img", "b"].contains($0.name) })
    #expect(!elements.contains { $0["href"] != "" || $0["src"] != "" })
    #expect(!page.html.contains("url(") && !page.html.contains("@import"))
    #expect(elements.count { $0.text == nasty } == 8)
    #expect(elements.count { $0.name == "svg" } == 1)
    // The page has the rules; the chart brings none of its own.
    #expect(elements.count { $0.name == "style" } == 1)
  }

  @Test func columnsOfNumbersStandToTheRight() throws {
    let table = Page.Table(
      header: ["set", "F", "spread", "none"],
      rows: [["omniglot", "74.3 ± 1.1", "−0.2", "–"], ["glyphs", "90.5", "+1", ""]])
    let cells = try cells(of: pageHolding(.table(table)))
    #expect(cells.prefix(4).map { $0["class"] } == ["", "number", "number", ""])
    #expect(cells.map(\.text).prefix(8).suffix(4) == ["omniglot", "74.3 ± 1.1", "−0.2", "–"])
  }

  @Test func aChartsNumbersAreInThePage() throws {
    let cells = try cells(of: pageHolding(.chart(chart)))
    #expect(
      cells.map(\.text) == [
        "epoch", "train", "validation",
        "1", "0.50000", "",
        "2", "0.25000", "0.12346",
        "4", "", "–",
      ])
  }

  @Test func imagesAreInThePageAndStandAboveTheirTexts() throws {
    let bytes = Array(UInt8.min...UInt8.max)
    let nasty = "<b>&\"'</td>"
    let image = Page.Image(mediaType: "image/png", bytes: bytes)
    let page = pageHolding(
      .table(
        .init(
          header: ["rows", "p"],
          cells: [
            [Page.Cell([(nasty, image), ("none", nil)]), Page.Cell("0.5")],
            [Page.Cell([("#1", nil), ("#2", nil)]), Page.Cell([("0.25", nil)])],
          ])))
    let elements = try elements(of: page.html)
    let images = elements.filter { $0.name == "img" }
    #expect(images.count == 1 && images[0]["title"] == nasty)
    let data = images[0]["src"].split(separator: ",")
    #expect(data.count == 2 && data[0] == "data:image/png;base64")
    #expect(Data(base64Encoded: String(data[1])) == Data(bytes))
    #expect(elements.filter { $0.name == "span" }.map(\.text) == [nasty, "none"])
    let cells = try cells(of: page)
    #expect(cells.map(\.text) == ["rows", "p", "", "0.5", "#1; #2", "0.25"])
    #expect(cells.map { $0["class"] } == ["", "number", "", "number", "", "number"])
  }

  private func cells(of page: Page) throws -> [Element] {
    try elements(of: page.html).filter { $0.name == "td" || $0.name == "th" }
  }
}
