/// One HTML file of text, tables and charts that needs no other file: no scripts, no fonts, no
/// images from elsewhere. It is light or dark as its reader prefers, and light on paper.
public struct Page: Sendable {
  public var title: String
  /// Stands below the title; may be empty.
  public var summary: String
  public var sections: [Section]

  public init(title: String, summary: String = "", sections: [Section]) {
    self.title = title
    self.summary = summary
    self.sections = sections
  }

  public struct Section: Sendable {
    public var heading: String
    public var body: [Block]

    public init(heading: String, body: [Block]) {
      self.heading = heading
      self.body = body
    }
  }

  public enum Block: Sendable {
    /// A paragraph of plain text.
    case text(String)
    case table(Table)
    /// Charts that follow each other stand side by side where there is room. The numbers of each
    /// can be unfolded below it.
    case chart(LineChart)
    /// As ``chart(_:)``.
    case bars(BarChart)
    /// As ``chart(_:)``, and as high as wide. The numbers are how many points each group has.
    case points(ScatterChart)
  }

  /// The file. It is well-formed XML too.
  public var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <title>\(escaped(title))</title>
    <style>
    \(Self.style)
    \(Palette.chartStyle)
    </style>
    </head>
    <body>
    <main>
    <h1>\(escaped(title))</h1>
    \(summary.isEmpty ? "" : "<p class=\"summary\">\(escaped(summary))</p>")
    \(sections.map(\.html).joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }
}

extension Page.Section {
  fileprivate var html: String {
    """
    <section>
    <h2>\(escaped(heading))</h2>
    \(body.map(\.html).joined(separator: "\n"))
    </section>
    """
  }
}

extension Page.Block {
  fileprivate var html: String {
    switch self {
    case .text(let text): "<p>\(escaped(text))</p>"
    case .table(let table): "<div class=\"wide\">\(table.html)</div>"
    case .chart(let chart):
      figure(chart.markup(width: width, height: height, style: ""), chart.numbers)
    case .bars(let chart):
      figure(chart.markup(width: width, height: height, style: ""), chart.numbers)
    case .points(let chart):
      figure(chart.markup(width: 600, height: 520, style: ""), chart.numbers)
    }
  }

  /// So few that letters can be read where a chart shrinks to the width of a phone.
  private var width: Int { 480 }
  private var height: Int { 296 }

  private func figure(_ drawing: String, _ numbers: Page.Table) -> String {
    """
    <figure>
    \(drawing)
    <details><summary>Numbers</summary>\(numbers.html)</details>
    </figure>
    """
  }
}

extension LineChart {
  /// All points of all curves: a row for each x, ascending, a column for each curve.
  fileprivate var numbers: Page.Table {
    var rows: [Double: [String]] = [:]
    for (column, curve) in series.enumerated() {
      for point in curve.points where !point.x.isNaN {
        rows[point.x, default: Array(repeating: "", count: series.count)][column] =
          shortNumber(point.y)
      }
    }
    return Page.Table(
      header: [xLabel] + series.map(\.name),
      rows: rows.keys.sorted().map { [shortNumber($0)] + rows[$0]! })
  }
}

extension BarChart {
  /// A row for each place, a column for each series.
  fileprivate var numbers: Page.Table {
    Page.Table(
      header: [xLabel] + series.map { $0.name.isEmpty ? yLabel : $0.name },
      rows: zip(places.descriptions.indices, places.descriptions).map { place, description in
        [description] + series.map { shortNumber($0.values[place]) }
      })
  }
}

extension ScatterChart {
  /// How many points each series has.
  fileprivate var numbers: Page.Table {
    Page.Table(header: ["", "points"], rows: series.map { [$0.name, "\($0.points.count)"] })
  }
}

extension Page {
  private static var style: String {
    """
    :root{color-scheme:light dark}
    body{margin:0;font-family:\(Palette.fonts);font-size:16px;line-height:1.55;\(colors(Palette.light))}
    main{max-width:74rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}
    h1{font-size:1.9rem;line-height:1.2;overflow-wrap:anywhere;letter-spacing:-.015em;margin:0 0 .6rem}
    h2{font-size:1.25rem;margin:2.6rem 0 .2rem;grid-column:1/-1}
    p{max-width:44rem;margin:.2rem 0;grid-column:1/-1}
    .summary{font-size:1.08rem}
    section{display:grid;gap:1rem 2rem;align-items:start;\
    grid-template-columns:repeat(auto-fit,minmax(min(100%,28rem),1fr))}
    .wide{grid-column:1/-1;overflow-x:auto}
    figure{margin:0;min-width:0;max-width:40rem}
    svg.chart{display:block;width:100%;height:auto}
    table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
    caption{text-align:left;padding:0 0 .4rem}
    th,td{text-align:left;padding:.28rem 1.2rem .28rem 0;border-bottom:1px solid;white-space:nowrap}
    th{font-weight:600;vertical-align:bottom}
    .number{text-align:right;padding:.28rem .2rem .28rem 1.1rem}
    td{vertical-align:top}
    .long{white-space:normal;min-width:13rem;max-width:32rem;overflow-wrap:anywhere}
    .number+:not(.number){padding-left:1.4rem}
    .images{display:flex;gap:.8rem}
    .images span{width:6.5rem;white-space:normal;overflow-wrap:anywhere;font-size:.85rem;line-height:1.3}
    .images img{display:block;height:64px;max-width:100%;object-fit:contain;object-position:left}
    @media (max-width:36rem){main{padding:1.2rem 1rem 3rem}h1{font-size:1.45rem}\
    table{font-size:.85rem}.long{min-width:11rem}.number,.number+:not(.number){padding-left:.8rem}}
    details{font-size:.85rem;overflow:auto;max-height:24rem}
    summary{cursor:pointer}
    \(rules(Palette.light))
    @media screen and (prefers-color-scheme:dark){
    body{\(colors(Palette.dark))}
    \(rules(Palette.dark))
    }
    @media print{details{display:none}figure,table{break-inside:avoid}}
    """
  }

  private static func colors(_ colors: Palette.Colors) -> String {
    "background:\(colors.paper);color:\(colors.ink)"
  }

  private static func rules(_ colors: Palette.Colors) -> String {
    """
    .summary,caption,summary{color:\(colors.muted)}
    th,td{border-color:\(colors.grid)}
    thead th{border-color:\(colors.axis)}
    """
  }
}
