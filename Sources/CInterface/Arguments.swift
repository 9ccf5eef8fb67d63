internal import CHighland
internal import Datasets
internal import DistributedGraphs
internal import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism

/// The matrix that a caller describes, where it is.
///
/// - Throws: ``Failure`` for a description that no matrix has.
func features(_ matrix: UnsafePointer<highland_matrix>?) throws -> ArrayInMemory {
  guard let matrix = unsafe matrix?.pointee else { throw invalidArgument("features: NULL") }
  guard let element = ElementType(dtype: unsafe matrix.dtype) else {
    throw invalidArgument("features: dtype \(unsafe matrix.dtype); expected a highland_dtype")
  }
  let (rows, columns) = unsafe (Int(matrix.rows), Int(matrix.columns))
  // Any address will do for what is not read.
  let base = unsafe matrix.data ?? UnsafeRawPointer(bitPattern: element.byteCount)!
  guard unsafe rows <= 0 || matrix.data != nil else {
    throw invalidArgument("features: \(rows) rows at NULL")
  }
  let columnStride =
    unsafe matrix.column_stride == 0 ? element.byteCount : Int(matrix.column_stride)
  let (rowBytes, overflow) = columns.multipliedReportingOverflow(by: element.byteCount)
  do {
    return unsafe try ArrayInMemory(
      at: base, of: element, rows: rows, columns: columns,
      rowStride: matrix.row_stride == 0 && !overflow ? rowBytes : Int(matrix.row_stride),
      columnStride: columnStride)
  } catch let error as DataError {
    throw invalidArgument("\(error)")
  }
}

extension ElementType {
  fileprivate init?(dtype: Int32) {
    let types: [ElementType] = [
      .float32, .float16, .float64, .int8, .uint8, .bool, .int16, .uint16, .int32, .uint32, .int64,
      .uint64,
    ]
    guard types.indices.contains(Int(dtype)) else { return nil }
    self = types[Int(dtype)]
  }
}

/// One of several words, as C's text; nil for none.
///
/// - Throws: ``Failure`` that lists the words.
func word<Word: CaseIterable & RawRepresentable<String>>(
  _ text: UnsafePointer<CChar>?, as name: String
) throws -> Word? {
  guard let text = unsafe text else { return nil }
  let given = unsafe String(cString: text)
  if let word = Word(rawValue: given) { return word }
  let words = Word.allCases.map(\.rawValue)
  throw invalidArgument(
    "\(name) '\(given)': expected \(words.dropLast().joined(separator: ", ")) or \(words.last!)")
}

/// A number of at least `lowest`, below 2³¹; nil for 0, which leaves the choice.
func count(_ number: some BinaryInteger, as name: String, from lowest: Int = 1) throws -> Int? {
  guard number != 0 else { return nil }
  guard number >= lowest else {
    throw invalidArgument("\(name) = \(number): expected \(lowest) or more")
  }
  guard number < 1 << 31 else {
    throw invalidArgument("\(name) = \(number): expected less than 2³¹")
  }
  return Int(number)
}

/// Which points may merge with which, where the options say so. Numbers of clusters without groups are those of one
/// group of all.
func pointGroups(_ options: highland_options, count: Int) throws -> PointGroups? {
  guard let groups = unsafe options.groups else {
    guard unsafe try clusterCounts(options) != nil else { return nil }
    return PointGroups(firstPoint: Array(repeating: GlobalNode(0), count: count))
  }
  var rows = FirstRows<Int64>()
  return PointGroups(
    firstPoint: (0..<count).map { unsafe GlobalNode(rows.row(of: groups[$0], at: $0)) })
}

/// What the groups of rows are called, where the options say so.
func groupNames(_ options: highland_options, count: Int) -> [GroupName]? {
  guard let groups = unsafe options.groups else { return nil }
  return (0..<count).map { unsafe GroupName(String(groups[$0]).utf8) }
}

/// How many clusters every group is to have, where the options say so.
func clusterCounts(_ options: highland_options) throws -> ClosedRange<Int>? {
  let (fewest, most) = unsafe (options.min_clusters, options.max_clusters)
  guard fewest != 0 || most != 0 else { return nil }
  guard fewest >= 1, most >= fewest else {
    throw invalidArgument(
      "min_clusters = \(fewest), max_clusters = \(most): expected 1 or more, and no less at most than at least"
    )
  }
  return Int(fewest)...Int(most)
}

/// As many threads as are asked for; nil for 0: of all processors that this process may use.
func workers(_ threads: Int32) throws -> Workers {
  guard threads != 0 else { return Workers(AvailableProcessors.count) }
  guard (1...4096).contains(threads) else {
    throw invalidArgument("threads = \(threads): expected 1 ... 4096")
  }
  return Workers(Int(threads))
}

/// How neighbours are to be searched.
func searchOptions(_ options: highland_options) throws -> SearchOptions {
  let method: SearchMethod? = unsafe try word(options.search, as: "search")
  guard unsafe method != .exact || options.recall == 0 else {
    throw invalidArgument("recall is of approximate searches; not with search 'exact'")
  }
  let recall = unsafe options.recall == 0 ? SearchOptions.usualRecall : options.recall
  guard recall > 0, recall <= 1 else {
    throw invalidArgument("recall = \(recall): expected more than 0, 1 at most")
  }
  return SearchOptions(method ?? .auto, recall: recall)
}

/// A probability, where there is one.
func probability(_ value: UnsafePointer<Double>?, as name: String) throws -> Double? {
  guard let value = unsafe value?.pointee else { return nil }
  guard (0...1).contains(value) else {
    throw invalidArgument("\(name) = \(value): expected 0 ... 1")
  }
  return value
}

/// The model that the options name.
///
/// - Throws: ``Failure`` for one that cannot be read, or does not fit the features.
func model(_ options: highland_options, dimensions: Int) throws -> TrainedModel {
  do {
    guard let data = unsafe options.model_data else {
      let path = unsafe options.model_path.map { unsafe String(cString: $0) }
      return try TrainedModel(path: path, dimensions: dimensions)
    }
    guard unsafe options.model_path == nil else {
      throw invalidArgument("model_path and model_data: expected one of them")
    }
    let bytes = unsafe UnsafeRawBufferPointer(start: data, count: options.model_size)
    return try TrainedModel(contents: unsafe Array(bytes), dimensions: dimensions)
  } catch let error as DataError {
    throw Failure(HIGHLAND_INVALID_MODEL, "\(error)")
  }
}
