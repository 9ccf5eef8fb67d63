/// Nodes by what their move gains: a heap with the largest gain first, ties to the lower node. Entries whose
/// gain has changed are skipped.
struct GainQueue {
  private var heap: [(gain: Int64, node: Int)] = []
  private var current: [Int64]

  init(count: Int) { current = Array(repeating: .min, count: count) }

  mutating func set(_ node: Int, _ gain: Int64) {
    guard current[node] != gain else { return }
    current[node] = gain
    heap.append((gain, node))
    var child = heap.count - 1
    while child > 0, Self.precedes(heap[child], heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> (node: Int, gain: Int64)? {
    while let top = heap.first {
      heap.swapAt(0, heap.count - 1)
      heap.removeLast()
      var parent = 0
      while true {
        var child = 2 * parent + 1
        guard child < heap.count else { break }
        if child + 1 < heap.count, Self.precedes(heap[child + 1], heap[child]) { child += 1 }
        guard Self.precedes(heap[child], heap[parent]) else { break }
        heap.swapAt(child, parent)
        parent = child
      }
      guard current[top.node] == top.gain else { continue }
      current[top.node] = .min
      return (top.node, top.gain)
    }
    return nil
  }

  private static func precedes(
    _ a: (gain: Int64, node: Int), _ b: (gain: Int64, node: Int)
  ) -> Bool {
    a.gain != b.gain ? a.gain > b.gain : a.node < b.node
  }
}
