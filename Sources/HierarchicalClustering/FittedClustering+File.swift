// A clustering to which new points can be assigned, as files.

public import Communication
internal import Datasets
internal import DistributedGraphs
internal import FoundationEssentials
internal import LinearAlgebra

extension FittedClustering {
  /// The file that is written last, and tells the directory from others.
  public static let marker = "clustering.json"

  private static let format = "highland clustering 1"

  private static let modelName = "model.safetensors"

  /// The files that a directory may hold.
  public static func files(in path: String) -> [String] {
    ["labels", "points", "counts", "directions", "neighbors", "similarities", "groups"].map {
      "\(path)/\($0).npy"
    } + ["\(path)/\(modelName)", "\(path)/\(marker)"]
  }

  /// What the directory says of itself.
  private struct Kept: Codable {
    var settings: Settings
    var pointCount: Int
    var nodeCount: Int
    var listLength: Int
    /// Of the arrays, by name.
    var checksums: [String: String]
    /// Of the model, if there is one.
    var model: String?
  }

  /// Writes it as a directory, which appears when it is complete.
  ///
  /// | file | of | contents |
  /// |---|---|---|
  /// | `labels.npy` | points | the cluster of each |
  /// | `points.npy`, `counts.npy` | nodes | the first point of each, and how many it stands for |
  /// | `directions.npy` | nodes | unit rows |
  /// | `neighbors.npy`, `similarities.npy` | nodes | the nearest other nodes |
  /// | `groups.npy` | nodes | a hash of the name of each one's group, if there are groups |
  /// | `model.safetensors` | | the network, if one clustered |
  /// | `clustering.json` | | all else, and the checksums |
  ///
  /// > Collective: over `communicator`. As ``writeDirectory(to:marker:overwrite:on:_:)``, and some 6 rounds for each array;
  /// > rows go from each rank to the files.
  ///
  /// - Parameter overwrite: Replicated. Whether to replace a directory that holds a clustering.
  /// - Throws: ``AgreedFailure`` on every rank if it cannot be written.
  public func write(
    to path: String, overwrite: Bool, on communicator: some Communicator
  ) throws {
    try writeDirectory(
      to: path, marker: Self.marker, overwrite: overwrite, mayLose: false, on: communicator
    ) { temporary in
      var arrays = CheckedArrays(at: "\(temporary)/")
      func write<Element: CheckedElement>(
        _ elements: [Element], as name: String, width: Int = 1, of owners: NodePartition
      ) throws {
        try arrays.write(
          elements, as: name, width: width,
          firstRow: owners.owned(by: communicator.rank).lowerBound, of: owners.nodeCount,
          on: communicator)
      }
      try write(labels, as: "labels", of: points)
      try write(inputPoint.map(\.index), as: "points", of: nodes)
      try write(memberCounts, as: "counts", of: nodes)
      try write(
        rows.unitRows().elements, as: "directions", width: settings.dimensions, of: nodes)
      try write(lists.neighbors.map(\.index), as: "neighbors", width: listLength, of: nodes)
      try write(lists.similarities, as: "similarities", width: listLength, of: nodes)
      if let groups {
        try write(groups.flatMap { [$0.low, $0.high] }, as: "groups", width: 2, of: nodes)
      }
      try communicator.agree {
        guard communicator.rank == Rank(0) else { return }
        if let contents = model?.contents {
          let file = "\(temporary)/\(Self.modelName)"
          do { try Data(contents).write(to: URL(filePath: file)) } catch {
            throw DataError(path: file, problem: "cannot be written")
          }
        }
        let kept = Kept(
          settings: settings, pointCount: points.nodeCount, nodeCount: nodes.nodeCount,
          listLength: listLength, checksums: arrays.checksums,
          model: model?.contents.map { digest(of: $0) })
        try writeText(
          sealedText(kept, format: Self.format), to: "\(temporary)/\(Self.marker)",
          overwrite: false)
      }
    }
  }

  /// A clustering that was written, on this or another number of ranks.
  ///
  /// > Collective: over `communicator`. As ``CheckedArrays/read(_:width:rows:of:on:)``, for each array, and a broadcast of the
  /// > text.
  ///
  /// - Throws: ``AgreedFailure`` on every rank if there is none, or it is damaged or of another version.
  public init(reading path: String, on communicator: some Communicator) throws {
    let file = "\(path)/\(Self.marker)"
    let text = try communicator.agree { () -> [UInt8] in
      guard communicator.rank == Rank(0) else { return [] }
      guard try exists(path) else { throw DataError(path: path, problem: "no such directory") }
      guard try exists(file) else {
        throw DataError(
          path: path,
          problem: "holds no \(Self.marker); expected a directory of highland cluster --save")
      }
      do { return try fileBytes(file) } catch {
        throw DataError(path: file, problem: "cannot be read")
      }
    }
    let bytes = try communicator.broadcast(text)
    let kept: Kept = try communicator.agree {
      try unsealed(bytes, of: file, format: Self.format)
    }
    model = try kept.model.map { digest in
      try TrainedModel(
        contents: Self.modelContents(
          "\(path)/\(Self.modelName)", digest: digest, on: communicator),
        dimensions: kept.settings.dimensions)
    }
    let arrays = CheckedArrays(at: "\(path)/", checksums: kept.checksums)
    func read<Element: CheckedElement>(
      _ name: String, of owners: NodePartition, width: Int = 1
    ) throws -> [Element] {
      try arrays.read(
        name, width: width, rows: owners.owned(by: communicator.rank), of: owners.nodeCount,
        on: communicator)
    }
    settings = kept.settings
    points = NodePartition(sharing: kept.pointCount, among: communicator.size)
    nodes = NodePartition(sharing: kept.nodeCount, among: communicator.size)
    labels = try read("labels", of: points)
    let peaks: [Int64] = try read("points", of: nodes)
    inputPoint = peaks.map { GlobalNode($0) }
    memberCounts = try read("counts", of: nodes)
    rows = StoredRows(
      Matrix(
        rows: nodes.owned(by: communicator.rank).count, columns: settings.dimensions,
        elements: try read("directions", of: nodes, width: settings.dimensions)))
    let neighbors: [Int64] = try read("neighbors", of: nodes, width: kept.listLength)
    lists = NeighborLists(
      listLength: kept.listLength, neighbors: neighbors.map { GlobalNode($0) },
      similarities: try read("similarities", of: nodes, width: kept.listLength))
    if kept.checksums["groups"] != nil {
      let names: [Int64] = try read("groups", of: nodes, width: 2)
      groups = stride(from: 0, to: names.count, by: 2).map {
        GroupName(low: names[$0], high: names[$0 + 1])
      }
    } else {
      groups = nil
    }
  }

  /// The bytes of the model's file, read by rank 0.
  ///
  /// > Collective: over `communicator`. A round of a byte per rank, and a broadcast of the bytes.
  private static func modelContents(
    _ path: String, digest wanted: String, on communicator: some Communicator
  ) throws -> [UInt8] {
    try communicator.broadcast(
      communicator.agree {
        guard communicator.rank == Rank(0) else { return [] }
        guard let bytes = try? fileBytes(path), digest(of: bytes) == wanted else {
          throw DataError(path: path, problem: "damaged: it does not have its checksum")
        }
        return bytes
      })
  }
}
