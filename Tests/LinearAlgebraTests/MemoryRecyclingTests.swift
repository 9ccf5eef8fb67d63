import Glibc
import LinearAlgebra
import Testing

/// Blocks as a step of training takes and gives them back.
struct MemoryRecyclingTests {
  private func mapped(_ byteCount: Int) -> UnsafeMutableRawPointer {
    unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  }

  @Test("A block that was given back is taken again")
  func takesAgain() {
    let recycling = MemoryRecycling()
    var memory = MappedMemory()
    let block = unsafe mapped(1 << 20)
    #expect(unsafe memory.take(1 << 20) == nil)
    #expect(unsafe memory.keep(block, 1 << 20))
    #expect(unsafe memory.take(2 << 20) == nil)
    #expect(unsafe memory.take(1 << 20) == block)
    #expect(unsafe memory.take(1 << 20) == nil)
    unsafe munmap(block, 1 << 20)
    withExtendedLifetime(recycling) {}
  }

  /// Asks for blocks that are not there, and gives back as many.
  private func use(_ count: Int, of byteCount: Int, in memory: inout MappedMemory) {
    for _ in 0..<count { #expect(unsafe memory.take(byteCount) == nil) }
    for _ in 0..<count { #expect(unsafe memory.keep(mapped(byteCount), byteCount)) }
  }

  private func drain(_ byteCount: Int, of memory: inout MappedMemory) -> Int {
    var count = 0
    while let block = unsafe memory.take(byteCount) {
      unsafe munmap(block, byteCount)
      count += 1
    }
    return count
  }

  @Test("Sizes that nobody asks for any more make room for those of now")
  func givesBackStale() {
    let recycling = MemoryRecycling()
    var memory = MappedMemory()
    use(8, of: 8 << 20, in: &memory)
    #expect(memory.freeBytes == 64 << 20)
    // 64 MiB are kept: all of the former size go, and then two of the next.
    use(4, of: 16 << 20, in: &memory)
    #expect(memory.freeBytes == 64 << 20)
    use(1, of: 32 << 20, in: &memory)
    #expect(memory.freeBytes == 64 << 20)
    #expect(drain(8 << 20, of: &memory) == 0)
    #expect(drain(16 << 20, of: &memory) == 2)
    #expect(drain(32 << 20, of: &memory) == 1)
    #expect(memory.freeBytes == 0)
    withExtendedLifetime(recycling) {}
  }

  @Test("More than was in use at once, and sizes that nobody asked for, are not kept")
  func keepsNoMore() {
    let recycling = MemoryRecycling()
    var memory = MappedMemory()
    let block = unsafe mapped(1 << 20)
    #expect(unsafe !memory.keep(block, 1 << 20))
    unsafe munmap(block, 1 << 20)
    // Three in use at once, of 96 MiB together.
    use(3, of: 32 << 20, in: &memory)
    #expect(memory.freeBytes == 96 << 20)
    use(1, of: 48 << 20, in: &memory)
    #expect(memory.freeBytes == 80 << 20)
    #expect(drain(32 << 20, of: &memory) == 1)
    #expect(drain(48 << 20, of: &memory) == 1)
    withExtendedLifetime(recycling) {}
  }

  @Test("Matrices of about the same size use each other's memory", arguments: [1 << 16, 3 << 20])
  func roundsUp(byteCount: Int) {
    let rounded = MappedMemory.roundedUp(byteCount + 1)
    #expect(rounded > byteCount && rounded <= byteCount * 3 / 2)
    #expect(MappedMemory.roundedUp(rounded) == rounded)
    #expect(MappedMemory.roundedUp(rounded - 4096) == rounded)
  }

  @Test("New matrices are zero, whatever their memory held before")
  func zeroes() {
    let recycling = MemoryRecycling()
    func address(_ matrix: Matrix) -> Int {
      unsafe matrix.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
    }
    // Other tests may take the block in between.
    var isUsedAgain = false
    for attempt in 0..<1000 where !isUsedAgain {
      let former = address(
        Matrix(rows: 300, columns: 128, elements: Array(repeating: 7, count: 300 * 128)))
      let matrix = Matrix(rows: 290 + attempt % 20, columns: 128)
      isUsedAgain = address(matrix) == former
      #expect(matrix.elements.allSatisfy { $0 == 0 })
    }
    #expect(isUsedAgain)
    withExtendedLifetime(recycling) {}
  }
}
