// highland_report of highland.h, which says what it does.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CHighland
internal import Datasets
internal import HierarchyReports

@c @implementation
public func highland_report(
  _ hierarchy: UnsafePointer<CChar>!, _ options: UnsafePointer<highland_report_options>!,
  _ html: Message!, _ message: Message!
) -> highland_status {
  unsafe answer(message) {
    guard let hierarchy = unsafe hierarchy, unsafe html != nil else {
      throw invalidArgument("hierarchy or html: NULL")
    }
    let page = unsafe try page(
      of: String(cString: hierarchy), options?.pointee ?? highland_report_options())
    unsafe html.pointee = copy(of: page)
  }
}

private func page(of hierarchy: String, _ options: highland_report_options) throws -> String {
  let top = unsafe options.top == 0 ? 10 : Int(options.top)
  guard (1...1000).contains(top) else { throw invalidArgument("top = \(top): expected 1 ... 1000") }
  let stored = try StoredHierarchy(path: hierarchy)
  let count = stored.summary.pointCount
  let truthCount = unsafe Int(options.truth_count)
  let truth: [Int64]? = unsafe options.truth.map {
    unsafe Array(UnsafeBufferPointer(start: $0, count: max(truthCount, 0)))
  }
  guard truth.map({ $0.count == count }) ?? (truthCount == 0) else {
    throw invalidArgument("truth: \(truthCount) labels; expected \(count), one per point")
  }
  func path(_ text: UnsafePointer<CChar>?) -> String? {
    unsafe text.map { unsafe String(cString: $0) }
  }
  let names = unsafe try path(options.names).map { try NameFile(path: $0, pointCount: count) }
  let images = unsafe try path(options.images).map { try ImageList(path: $0, pointCount: count) }
  let report = try HierarchyReport(of: stored, truth: truth, names: names, top: top)
  return report.page(images: try images?.images(of: report.listedRows) ?? [:])
}
