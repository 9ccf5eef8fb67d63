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
    let block = mapped(1 << 20)
    #expect(unsafe memory.take(1 << 20) == nil)
    #expect(unsafe memory.keep(block, 1 << 20))
    #expect(unsafe memory.take(2 << 20) == nil)
    #expect(unsafe memory.take(1 << 20) == block)
    #expect(unsafe memory.take(1 << 20) == nil)
    unsafe munmap(block, 1 << 20)
    withExtendedLifetime(recycling) {}
  }

  @Test("Sizes that nobody asks for any more make room for those of now")
  func givesBackStale() {
    let recycling = MemoryRecycling()
    var memory = MappedMemory()
    // 64 MiB are kept: as many blocks of an earlier size as there is room for, and then others.
    for _ in 0..<8 { unsafe _ = memory.take(8 << 20) }
    for _ in 0..<8 { #expect(unsafe memory.keep(mapped(8 << 20), 8 << 20)) }
    unsafe _ = memory.take(12 << 20)
    let block = mapped(12 << 20)
    #expect(unsafe memory.keep(block, 12 << 20))
    #expect(unsafe memory.take(12 << 20) == block)
    #expect(memory.freeBytes == 48 << 20)
    unsafe munmap(block, 12 << 20)
    for _ in 0..<6 { unsafe munmap(memory.take(8 << 20), 8 << 20) }
    #expect(unsafe memory.take(8 << 20) == nil)
    // Nothing is left of the stalest size, and there must be room made all the same.
    for _ in 0..<4 { unsafe _ = memory.take(16 << 20) }
    for _ in 0..<4 { #expect(unsafe memory.keep(mapped(16 << 20), 16 << 20)) }
    #expect(memory.freeBytes == 64 << 20)
    #expect(unsafe memory.keep(mapped(32 << 20), 32 << 20))
    unsafe munmap(memory.take(32 << 20), 32 << 20)
    while let rest = unsafe memory.take(16 << 20) { unsafe munmap(rest, 16 << 20) }
    #expect(memory.freeBytes == 0)
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
    for rows in [300, 290, 310] {
      var matrix = Matrix(rows: rows, columns: 128)
      #expect(matrix.elements.allSatisfy { $0 == 0 })
      matrix = Matrix(rows: rows, columns: 128, elements: Array(repeating: 7, count: rows * 128))
    }
    withExtendedLifetime(recycling) {}
  }
}
