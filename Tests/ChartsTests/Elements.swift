import Charts
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// An element of a parsed document.
struct Element {
  var name: String
  var attributes: [String: String]
  /// What stands in it directly.
  var text = ""

  subscript(name: String) -> String { attributes[name] ?? "" }

  /// The corners of a path of straight lines.
  var places: [(x: Double, y: Double)] {
    self["d"].split { "ML".contains($0) }.map {
      let numbers = $0.split(separator: " ").compactMap { Double($0) }
      return (numbers[0], numbers[1])
    }
  }
}

/// A page with nothing else on it.
func pageHolding(_ block: Page.Block) -> Page {
  Page(title: "", sections: [.init(heading: "", body: [block])])
}

/// All elements of a well-formed document, in the order in which they begin.
func elements(of document: String) throws -> [Element] {
  let collector = Collector()
  let parser = XMLParser(data: Data(document.utf8))
  parser.delegate = collector
  let isWellFormed = parser.parse()
  try #require(
    isWellFormed, "line \(parser.lineNumber): \(String(describing: parser.parserError))")
  return collector.elements
}

private final class Collector: NSObject, XMLParserDelegate {
  var elements: [Element] = []
  private var open: [Int] = []

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    open.append(elements.count)
    elements.append(Element(name: name, attributes: attributes))
  }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    open.removeLast()
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) {
    if let last = open.last { elements[last].text += text }
  }
}
