// The functions of highland.h, which says what they do.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CHighland
internal import Communication
internal import Datasets
internal import DistributedGraphs
internal import Evaluation
internal import FoundationEssentials
internal import Glibc
internal import GraphNetworks
internal import HierarchicalClustering
internal import LinearAlgebra
internal import NeighborSearch
internal import Parallelism
internal import Program
internal import Training

public typealias Message = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

private let version = FixedArray(HIGHLAND_VERSION.utf8CString.map { $0 })

@c @implementation
public func highland_version() -> UnsafePointer<CChar>! { unsafe UnsafePointer(version.base) }

@c @implementation
public func highland_main(
  _ argc: Int32, _ argv: UnsafePointer<UnsafeMutablePointer<CChar>?>!
) {
  runProgram(
    (1..<max(1, Int(argc))).compactMap { place in
      unsafe argv[place].map { unsafe String(cString: $0) }
    })
}

@c @implementation
public func highland_free(_ memory: UnsafeMutableRawPointer!) { unsafe free(memory) }

// Clustering.

@c @implementation
public func highland_cluster(
  _ matrix: UnsafePointer<highland_matrix>!, _ options: UnsafePointer<highland_options>!,
  _ result: UnsafeMutablePointer<OpaquePointer?>!, _ message: Message!
) -> highland_status {
  unsafe answer(message) {
    guard let result = unsafe result else { throw invalidArgument("result: NULL") }
    let clustering = unsafe try FinishedClustering(
      features(matrix), options?.pointee ?? highland_options())
    unsafe result.pointee = OpaquePointer(Unmanaged.passRetained(clustering).toOpaque())
  }
}

@c @implementation
public func highland_cluster_over(
  _ comm: Int, _ matrix: UnsafePointer<highland_matrix>!,
  _ options: UnsafePointer<highland_options>!, _ result: UnsafeMutablePointer<OpaquePointer?>!,
  _ message: Message!
) -> highland_status {
  unsafe answer(message) {
    let clustering = try withRanks(of: comm) { ranks in
      let own = try ranks.agreeWithStatus {
        guard unsafe result != nil else { throw invalidArgument("result: NULL") }
        return unsafe try features(matrix)
      }
      return unsafe try FinishedClustering(own, options?.pointee ?? highland_options(), on: ranks)
    }
    unsafe result.pointee = OpaquePointer(Unmanaged.passRetained(clustering).toOpaque())
  }
}

@c @implementation
public func highland_clustering_free(_ clustering: OpaquePointer!) {
  guard let clustering = unsafe clustering else { return }
  unsafe Unmanaged<FinishedClustering>.fromOpaque(UnsafeRawPointer(clustering)).release()
}

private func finished(_ clustering: OpaquePointer) -> FinishedClustering {
  unsafe Unmanaged<FinishedClustering>.fromOpaque(UnsafeRawPointer(clustering))
    .takeUnretainedValue()
}

@c @implementation
public func highland_clustering_row_count(_ clustering: OpaquePointer!) -> Int64 {
  unsafe Int64(finished(clustering).rowCount)
}

@c @implementation
public func highland_clustering_cluster_count(_ clustering: OpaquePointer!) -> Int64 {
  unsafe Int64(finished(clustering).clusterCount)
}

@c @implementation
public func highland_clustering_labels(_ clustering: OpaquePointer!) -> UnsafePointer<Int64>! {
  unsafe UnsafePointer(finished(clustering).labels.base)
}

@c @implementation
public func highland_clustering_level_count(_ clustering: OpaquePointer!) -> Int32 {
  unsafe Int32(finished(clustering).levels.count)
}

@c @implementation
public func highland_clustering_level_labels(
  _ clustering: OpaquePointer!, _ level: Int32
) -> UnsafePointer<Int64>! {
  let levels = unsafe finished(clustering).levels
  guard levels.indices.contains(Int(level)) else { return nil }
  return unsafe UnsafePointer(levels[Int(level)].base)
}

@c @implementation
public func highland_clustering_strengths(_ clustering: OpaquePointer!) -> UnsafePointer<Float>! {
  unsafe finished(clustering).strengths.map { unsafe UnsafePointer($0.base) }
}

@c @implementation
public func highland_clustering_report(_ clustering: OpaquePointer!) -> UnsafePointer<CChar>! {
  unsafe UnsafePointer(finished(clustering).report.base)
}

@c @implementation
public func highland_clustering_model(
  _ clustering: OpaquePointer!, _ size: UnsafeMutablePointer<Int>!
) -> UnsafeRawPointer! {
  let model = unsafe finished(clustering).model
  unsafe size?.pointee = model?.count ?? 0
  return unsafe model.map { unsafe UnsafeRawPointer($0.base) }
}

// New rows.

@c @implementation
public func highland_fit(
  _ matrix: UnsafePointer<highland_matrix>!, _ labels: UnsafePointer<Int64>!,
  _ report: UnsafePointer<CChar>!, _ options: UnsafePointer<highland_options>!,
  _ result: UnsafeMutablePointer<OpaquePointer?>!, _ message: Message!
) -> highland_status {
  unsafe answer(message) {
    guard let result = unsafe result, let report = unsafe report else {
      throw invalidArgument("report or result: NULL")
    }
    let source = unsafe try features(matrix)
    guard unsafe source.rowCount == 0 || labels != nil else {
      throw invalidArgument("labels: NULL")
    }
    let fitted = unsafe try Fitted(
      source, labels: Array(UnsafeBufferPointer(start: labels, count: source.rowCount)),
      report: String(cString: report), options?.pointee ?? highland_options())
    unsafe result.pointee = OpaquePointer(Unmanaged.passRetained(fitted).toOpaque())
  }
}

@c @implementation
public func highland_fitted_free(_ fitted: OpaquePointer!) {
  guard let fitted = unsafe fitted else { return }
  unsafe Unmanaged<Fitted>.fromOpaque(UnsafeRawPointer(fitted)).release()
}

@c @implementation
public func highland_assign(
  _ fitted: OpaquePointer!, _ matrix: UnsafePointer<highland_matrix>!,
  _ options: UnsafePointer<highland_options>!, _ labels: UnsafeMutablePointer<Int64>!,
  _ message: Message!
) -> highland_status {
  unsafe answer(message) {
    guard let fitted = unsafe fitted else { throw invalidArgument("fitted: NULL") }
    let source = unsafe try features(matrix)
    guard unsafe labels != nil || source.rowCount == 0 else {
      throw invalidArgument("labels: NULL")
    }
    let found = unsafe try Unmanaged<Fitted>.fromOpaque(UnsafeRawPointer(fitted))
      .takeUnretainedValue().labels(of: source, options?.pointee ?? highland_options())
    unsafe labels?.update(from: found, count: found.count)
  }
}

// Neighbours.

@c @implementation
public func highland_knn(
  _ matrix: UnsafePointer<highland_matrix>!, _ k: Int64,
  _ options: UnsafePointer<highland_options>!, _ indices: UnsafeMutablePointer<Int64>!,
  _ similarities: UnsafeMutablePointer<Float>!, _ message: Message!
) -> highland_status {
  unsafe answer(message) {
    let options = unsafe options?.pointee ?? highland_options()
    let source = unsafe try features(matrix)
    guard let k = try count(k, as: "k", from: 2) else {
      throw invalidArgument("k = 0: expected 2 or more")
    }
    guard let indices = unsafe indices, let similarities = unsafe similarities else {
      throw invalidArgument("indices or similarities: NULL")
    }
    let rank = unsafe InterruptibleRank(Progress(options.progress, options.context))
    let lists = unsafe try neighbors(of: source, listLength: k - 1, options, on: rank)
    for row in 0..<source.rowCount {
      unsafe indices[row * k] = Int64(row)
      unsafe similarities[row * k] = 1
      for place in 1..<k {
        let found = row * (k - 1) + place - 1
        unsafe indices[row * k + place] = lists.neighbors[found].index
        unsafe similarities[row * k + place] = lists.similarities[found]
      }
    }
  }
}

private func neighbors(
  of source: ArrayInMemory, listLength: Int, _ options: highland_options,
  on rank: InterruptibleRank
) throws -> NeighborLists {
  let workers = unsafe try CInterface.workers(options.threads)
  let invalidRows: InvalidRowPolicy =
    unsafe try word(options.invalid_rows, as: "invalid_rows") ?? .error
  let need = SearchMemory(
    rowCount: source.rowCount, nodeCount: source.rowCount, columnCount: source.columnCount,
    element: source.element, listLength: listLength, rankCount: 1)
  var search = unsafe try searchOptions(options)
  search.division = try leastDivision(
    for: "\(listLength) neighbours of [\(source.rowCount) × \(source.columnCount)] points"
  ) {
    search.division = $0
    return need.bytes(by: search)
  }
  let nodes = NodePartition(sharing: source.rowCount, among: 1)
  let rows = try source.unitRows(
    0..<source.rowCount, invalid: invalidRows, using: workers, on: rank)
  return try nearestNeighbors(
    of: rows, listLength: listLength, by: search, in: nodes, using: workers, on: rank
  ) { try rank.progress.show("neighbors", isDone: $0) }.lists
}

// Evaluation.

@c @implementation
public func highland_evaluate(
  _ truth: UnsafePointer<Int64>!, _ predicted: UnsafePointer<Int64>!, _ count: Int64,
  _ json: Message!, _ message: Message!
) -> highland_status {
  unsafe answer(message) {
    guard count >= 0 else { throw invalidArgument("count = \(count): expected 0 or more") }
    guard unsafe json != nil, unsafe count == 0 || truth != nil && predicted != nil else {
      throw invalidArgument("truth, predicted or json: NULL")
    }
    let metrics = try compareLabels(
      truth: unsafe Array(UnsafeBufferPointer(start: truth, count: Int(count))),
      predicted: unsafe Array(UnsafeBufferPointer(start: predicted, count: Int(count))),
      on: SingleRank())
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let text = String(decoding: try encoder.encode(metrics), as: UTF8.self)
    unsafe json.pointee = copy(of: text)
  }
}

// Training.

@c @implementation
public func highland_train(
  _ matrix: UnsafePointer<highland_matrix>!, _ labels: UnsafePointer<Int64>!,
  _ options: UnsafePointer<highland_training_options>!,
  _ model: UnsafeMutablePointer<UnsafeMutableRawPointer?>!, _ size: UnsafeMutablePointer<Int>!,
  _ message: Message!
) -> highland_status {
  unsafe answer(message) {
    let given = unsafe options?.pointee ?? highland_training_options()
    let source = unsafe try features(matrix)
    guard unsafe model != nil, unsafe size != nil, unsafe source.rowCount == 0 || labels != nil
    else { throw invalidArgument("labels, model or size: NULL") }
    let options = unsafe try trainingOptions(given)
    let rank = unsafe InterruptibleRank(Progress(given.progress, given.context))
    // Said before anything is made of the rows, by their places.
    _ = try source.unitRows(
      0..<source.rowCount, invalid: .error, using: options.workers, on: rank)
    let data = LabelledEmbeddings(
      source,
      labels: unsafe Array(UnsafeBufferPointer(start: labels, count: source.rowCount)))
    let training = try trainStructureNetwork(
      on: [data], options: options, observer: rank.progress, over: rank)
    let contents = try TensorFile.contents(
      training.tensors,
      metadata: training.metadata(
        options, pointCount: source.rowCount, from: nil, version: HIGHLAND_VERSION))
    unsafe model.pointee = copy(of: contents)
    unsafe size.pointee = contents.count
  }
}

private func trainingOptions(
  _ given: highland_training_options
) throws -> StructureTrainingOptions {
  let usual = StructureTrainingOptions()
  func within(_ number: Int32, _ name: String, _ largest: Int, orElse usual: Int) throws -> Int {
    let number = try count(number, as: name) ?? usual
    guard number <= largest else {
      throw invalidArgument("\(name) = \(number): expected 1 ... \(largest)")
    }
    return number
  }
  let k = unsafe given.k
  guard k == 0 || (2...1000).contains(k) else {
    throw invalidArgument("k = \(k): expected 0, or 2 ... 1000")
  }
  return unsafe try StructureTrainingOptions(
    shape: StructureShape(
      width: within(given.width, "width", 4096, orElse: usual.shape.width)),
    settings: k == 0 ? usual.settings : StructureNetwork.Settings(neighborCount: Int(k)),
    neighborCounts: k == 0 ? LengthChoice.candidates : [],
    triesTransforms: given.no_transform == 0,
    graphCount: within(given.graphs, "graphs", 10_000, orElse: usual.graphCount),
    epochCount: within(given.epochs, "epochs", 1_000_000, orElse: usual.epochCount),
    seed: given.seed, workers: workers(given.threads))
}
