internal import DistributedGraphs
internal import Parallelism

/// One place of a list of nearest neighbours, as it travels.
struct ListEntry: BitwiseCopyable, Sendable {
  var node: GlobalNode
  /// z of the neighbour.
  var closeness: Float
  /// 0 for the nearest.
  var place: Int32
}

/// Lists sorted by node, so that two of them are compared in one pass.
///
/// Memory: 14 bytes per place, and 12 of these are those of the lists that they were made of.
struct SortedLists: Sendable {
  private let length: Int
  /// Of every list ascending, then ``none``. Shape `[count × length]`.
  let nodes: [GlobalNode]
  /// z of each neighbour. Shape `[count × length]`.
  let closeness: [Float]
  /// The place of each neighbour before lists were sorted, 0 for the nearest: of short or of long lists.
  /// Shape `[count × length]`.
  private let shortPlaces: [UInt16]
  private let longPlaces: [Int32]
  /// Neighbours in every list. Shape `[count]`.
  let counts: [Int32]
  /// z_K: z of the last neighbour of every list; 0 for an empty one. Shape `[count]`.
  private(set) var farthest: [Float] = []

  /// What fills short lists. It sorts after all nodes.
  static let none = GlobalNode(Int64.max)

  /// Sorts lists in their own memory, unless somebody else keeps them.
  ///
  /// - Parameter lists: Places of no positive similarity count as empty.
  init(_ lists: consuming NeighborLists, scales: ClosenessScales, using workers: Workers) {
    let (length, count) = (lists.listLength, lists.count)
    self.length = length
    let isShort = length <= Int(UInt16.max)
    counts = (0..<count).map { Int32(lists.edgeCount(of: $0)) }
    shortPlaces = isShort ? lists.placesByNode(counts, using: workers) : []
    longPlaces = isShort ? [] : lists.placesByNode(counts, using: workers)
    var (nodes, closeness) = (consume lists).takeArrays()
    let tiles = (0..<count).tiles(of: 256)
    let places = tiles.map { $0.lowerBound * length..<$0.upperBound * length }
    let (counts, short, long) = (counts, shortPlaces, longPlaces)
    @Sendable func source(_ place: Int) -> Int { isShort ? Int(short[place]) : Int(long[place]) }
    nodes.forEachTile(places, using: workers) { tile, nodes in
      for list in tiles[tile] {
        let first = (list - tiles[tile].lowerBound) * length
        let unsorted = (first..<first + length).map { nodes[$0] }
        for place in 0..<length {
          nodes[first + place] =
            place < counts[list] ? unsorted[source(list * length + place)] : Self.none
        }
      }
    }
    closeness.forEachTile(places, using: workers) { tile, closeness in
      for list in tiles[tile] {
        let first = (list - tiles[tile].lowerBound) * length
        let unsorted = (first..<first + length).map { closeness[$0] }
        for place in 0..<length {
          closeness[first + place] =
            place < counts[list]
            ? scales[list].closeness(unsorted[source(list * length + place)]) : 0
        }
      }
    }
    self.nodes = nodes
    self.closeness = closeness
    farthest = measuredFarthest(using: workers)
  }

  /// Lists as they travelled.
  init(_ entries: [ListEntry], length: Int, using workers: Workers) {
    let count = length == 0 ? 0 : entries.count / length
    let isShort = length <= Int(UInt16.max)
    self.length = length
    nodes = entries.map(\.node)
    closeness = entries.map(\.closeness)
    shortPlaces = isShort ? entries.map { UInt16($0.place) } : []
    longPlaces = isShort ? [] : entries.map(\.place)
    counts = (0..<count).map { list in
      Int32(entries[list * length..<(list + 1) * length].count { $0.node != Self.none })
    }
    farthest = measuredFarthest(using: workers)
  }

  func place(at index: Int) -> Int {
    longPlaces.isEmpty ? Int(shortPlaces[index]) : Int(longPlaces[index])
  }

  func entry(at index: Int) -> ListEntry {
    ListEntry(node: nodes[index], closeness: closeness[index], place: Int32(place(at: index)))
  }

  /// z of the neighbours of a list, nearest first.
  func closeness(of list: Int) -> [Float] {
    var values = Array(repeating: Float(0), count: Int(counts[list]))
    for index in list * length..<list * length + values.count {
      values[place(at: index)] = closeness[index]
    }
    return values
  }

  private func measuredFarthest(using workers: Workers) -> [Float] {
    [Float](count: counts.count, tilesOf: 256, using: workers, filledWith: 0) { lists, farthest in
      for list in lists {
        let last = Int(counts[list]) - 1
        for index in list * length..<list * length + last + 1 where place(at: index) == last {
          farthest[list - lists.lowerBound] = closeness[index]
        }
      }
    }
  }
}

extension NeighborLists {
  /// For each place of a list that is sorted by node the place where its neighbour is now.
  ///
  /// - Parameter counts: Neighbours in every list; the places after them stay.
  fileprivate func placesByNode<Place: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _ counts: [Int32], using workers: Workers
  ) -> [Place] {
    [Place](
      count: neighbors.count, tilesOf: max(256 * listLength, 1), using: workers, filledWith: 0
    ) { places, order in
      for first in stride(from: 0, to: places.count, by: listLength) {
        let list = (places.lowerBound + first) / listLength
        for place in 0..<listLength { order[first + place] = Place(place) }
        order.sort(first..<first + Int(counts[list])) {
          neighbors[list * listLength + Int($0)] < neighbors[list * listLength + Int($1)]
        }
      }
    }
  }
}
