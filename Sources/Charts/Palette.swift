/// The colours and letters of charts and pages, in light and in dark surroundings.
enum Palette {
  /// Told apart with all common kinds of colour vision, by lightness too; at least 3 : 1 against
  /// the paper.
  static let light = Colors(
    paper: "#ffffff", ink: "#1b242c", muted: "#56636d", axis: "#98a4ad", grid: "#e6eaed",
    series: [
      "#1769aa", "#d4572a", "#1f8a66", "#8a4fa3", "#a67c00", "#c23b6e", "#3d7f8c", "#6b5b4d",
    ])
  static let dark = Colors(
    paper: "#12171c", ink: "#e8edf1", muted: "#a0acb6", axis: "#5f6b75", grid: "#262f37",
    series: [
      "#6cb4ee", "#f4956c", "#5fcfa5", "#c79be0", "#e0bb4a", "#f08bb0", "#7fc4d1", "#c2b2a3",
    ])
  static let fonts =
    "system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,'Liberation Sans','DejaVu Sans',"
    + "sans-serif"

  struct Colors {
    var paper, ink, muted, axis, grid: String
    /// Shown by the classes s0, s1, … of curves and t0, t1, … of their names.
    var series: [String]
  }

  static let seriesCount = light.series.count

  /// The rules of everything inside `svg.chart`. Printed pages are light.
  static var chartStyle: String {
    """
    .chart text{font-family:\(fonts);font-size:12px;font-variant-numeric:tabular-nums}
    .chart .title{font-size:15px;font-weight:600}
    .chart .name{font-weight:500}
    .chart path,.chart line{fill:none;stroke-linejoin:round;stroke-linecap:round}
    .chart .curve{stroke-width:2}
    .chart .dashed{stroke-dasharray:5 5}
    .chart .faint{stroke-width:1;opacity:.55}
    .chart .pale{opacity:.4}
    .chart .leader{stroke-width:1;opacity:.45}
    .chart .reference{stroke-width:1.2;stroke-dasharray:1 4}
    .chart .halo{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}
    .chart .ring{stroke-width:2}
    \(rules(light))
    @media screen and (prefers-color-scheme:dark){
    \(rules(dark))
    }
    """
  }

  private static func rules(_ colors: Colors) -> String {
    let series = colors.series.enumerated().map {
      ".chart .s\($0){stroke:\($1)}.chart .t\($0){fill:\($1)}"
    }
    return """
      .chart .paper{fill:\(colors.paper)}
      .chart text{fill:\(colors.muted)}
      .chart .title,.chart .mark{fill:\(colors.ink)}
      .chart .halo{stroke:\(colors.paper)}
      .chart .grid{stroke:\(colors.grid)}
      .chart .axis{stroke:\(colors.axis)}
      .chart .reference,.chart .faint{stroke:\(colors.muted)}
      .chart circle.faint{fill:\(colors.muted)}
      .chart .ring{stroke:\(colors.ink);fill:\(colors.paper)}
      \(series.joined(separator: "\n"))
      """
  }
}
