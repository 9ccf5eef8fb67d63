internal import FoundationEssentials

extension Page {
  /// Columns of numbers stand to the right.
  public struct Table: Sendable {
    public var caption: String
    public var header: [String]
    /// Each as long as the header.
    public var rows: [[Cell]]

    /// Cells of plain text.
    public init(caption: String = "", header: [String], rows: [[String]]) {
      self.init(caption: caption, header: header, cells: rows.map { $0.map { Cell($0) } })
    }

    public init(caption: String = "", header: [String], cells rows: [[Cell]]) {
      for row in rows {
        precondition(row.count == header.count, "a row of \(row.count) below \(header.count) names")
      }
      self.caption = caption
      self.header = header
      self.rows = rows
    }
  }

  /// What stands in a cell of a table.
  public struct Cell: Sendable {
    /// Plain texts. If one has an image all stand side by side, each below its own; otherwise semicolons are between
    /// them.
    public var items: [(text: String, image: Image?)]

    public init(_ text: String) { items = [(text, nil)] }

    public init(_ items: [(text: String, image: Image?)]) { self.items = items }
  }

  /// An image that the page holds, shown as a thumbnail. Pointing at it shows the text that stands below it.
  public struct Image: Sendable {
    /// As `image/png`.
    public var mediaType: String
    public var bytes: [UInt8]

    public init(mediaType: String, bytes: [UInt8]) {
      self.mediaType = mediaType
      self.bytes = bytes
    }
  }
}

extension Page.Table {
  var html: String {
    let types = header.indices.map { column in
      let cells = rows.map { $0[column] }
      if cells.contains(where: { !$0.hasImages && $0.text.count > Self.longCell }) {
        return " class=\"long\""
      }
      let texts = cells.map(\.text)
      let isNumbers =
        texts.contains { $0.contains(where: \.isNumber) } && texts.allSatisfy(Self.isNumber)
      return isNumbers ? " class=\"number\"" : ""
    }
    func row(_ cells: [String], _ name: String) -> String {
      let cells = zip(cells, types).map { "<\(name)\($1)>\($0)</\(name)>" }
      return "<tr>\(cells.joined())</tr>"
    }
    return """
      <table>\(caption.isEmpty ? "" : "<caption>\(escaped(caption))</caption>")
      <thead>\(row(header.map(escaped), "th"))</thead>
      <tbody>\(rows.map { row($0.map(\.html), "td") }.joined(separator: "\n"))</tbody>
      </table>
      """
  }

  /// Cells of more characters are broken into lines, and so are all of their column.
  private static let longCell = 36

  /// Whether a cell is a number with what belongs to it (sign, unit, spread), or says that there is
  /// none.
  private static func isNumber(_ cell: String) -> Bool {
    cell.isEmpty || cell == "–" || cell.first!.isNumber
      || "+-−±.∞".contains(cell.first!) && cell.dropFirst().first?.isNumber ?? (cell == "∞")
  }
}

extension Page.Cell {
  fileprivate var text: String { items.map(\.text).joined(separator: "; ") }

  fileprivate var hasImages: Bool { items.contains { $0.image != nil } }

  fileprivate var html: String {
    guard hasImages else { return escaped(text) }
    let figures = items.map { item in
      let text = escaped(item.text)
      return "<span>\(item.image.map { $0.html(title: text) } ?? "")\(text)</span>"
    }
    return "<div class=\"images\">\(figures.joined())</div>"
  }
}

extension Page.Image {
  fileprivate func html(title: String) -> String {
    "<img src=\"data:\(escaped(mediaType));base64,\(Data(bytes).base64EncodedString())\" "
      + "alt=\"\" title=\"\(title)\"/>"
  }
}
