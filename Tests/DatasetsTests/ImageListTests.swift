import Datasets
import Foundation
import Testing

@Suite struct ImageListTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private static let png: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  private func list(_ lines: [String]) throws -> ImageList {
    let text = lines.map { "\($0)\n" }.joined()
    return try ImageList(path: scratch.file("paths.txt", Array(text.utf8)), pointCount: lines.count)
  }

  @Test func formatsAreToldByTheirBytesAndBlankLinesHaveNoImage() throws {
    let formats: [(type: String, bytes: [UInt8])] = [
      ("image/png", Self.png + [1, 2]), ("image/jpeg", [0xff, 0xd8, 0xff, 0xdb, 3]),
      ("image/gif", Array("GIF87a.".utf8)), ("image/gif", Array("GIF89a".utf8)),
      ("image/webp", Array("RIFF\0\0\0\0WEBPVP8 ".utf8)),
    ]
    for (place, format) in formats.enumerated() { _ = try scratch.file("\(place)", format.bytes) }
    let list = try list(["0", " 1\t", "", scratch("2"), "./3\r", " ", "4"])
    let images = try list.images(of: 0..<7)
    #expect(images.keys.sorted() == [0, 1, 3, 4, 6])
    for (point, place) in [(0, 0), (1, 1), (3, 2), (4, 3), (6, 4)] {
      #expect(images[point]?.mediaType == formats[place].type)
      #expect(images[point]?.bytes == formats[place].bytes)
    }
    #expect(try list.images(of: [3, 3]).count == 1)
  }

  @Test func onlyWhatIsAskedForIsRead() throws {
    _ = try scratch.file("there", Self.png)
    let list = try list((0..<5000).map { $0 == 4321 ? "there" : "missing" })
    #expect(try list.images(of: [4321]).count == 1)
    #expect(
      problem { _ = try list.images(of: [4322, 4321]) }
        == "line 4323: \(scratch("missing")): cannot open: No such file or directory")
  }

  @Test(
    arguments: [
      ([0x42, 0x4d, 0, 1], "no PNG, JPEG, GIF or WebP image"),
      (Array("<svg/>".utf8), "no PNG, JPEG, GIF or WebP image; it is an XML text"),
      (Array("RIFF\0\0\0\0WAVE".utf8), "no PNG, JPEG, GIF or WebP image"),
      ([], "no PNG, JPEG, GIF or WebP image; it is empty"),
      (
        png + Array(repeating: 0, count: (1 << 18) - 7),
        "262145 bytes; expected an image of 262144 at most, such as a thumbnail"
      ),
    ] as [([UInt8], String)])
  func otherFilesAreRefused(bytes: [UInt8], message: String) throws {
    let path = try scratch.file("image", bytes)
    let list = try list(["", "image"])
    #expect(problem { _ = try list.images(of: 0..<2) } == "line 2: \(path): \(message)")
  }

  @Test func allTogetherHaveALimit() throws {
    let image = Self.png + Array(repeating: 0, count: ImageList.limit - 8)
    _ = try scratch.file("image", image)
    let count = ImageList.totalLimit / ImageList.limit
    let list = try list(Array(repeating: "image", count: count + 1))
    #expect(try list.images(of: 0..<count).count == count)
    #expect(
      problem { _ = try list.images(of: 0...count) }
        == "the images to be shown have more than 33554432 bytes; expected smaller ones, or fewer")
  }

  @Test func thereIsOneForEachPoint() throws {
    let text = try scratch.file("paths.txt", Array("a\nb\n".utf8))
    #expect(
      problem { _ = try ImageList(path: text, pointCount: 3) }
        == "2 lines; expected 3, one per point")
    let array = try scratch.file("a.npy", npy("|u1", shape: "(2, 1, 1)", [0, 1]))
    #expect(
      problem { _ = try ImageList(path: array, pointCount: 3) }
        == "2 images; expected 3, one per point")
  }

  /// What is in a PNG whose bytes stand in it as they are, by another reading of the format.
  private func pixels(of png: [UInt8]) throws -> (width: Int, height: Int, color: UInt8, [UInt8]) {
    func number(_ place: Int) -> Int { png[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
    try #require(Array(png.prefix(8)) == Self.png)
    var chunks: [String: Range<Int>] = [:]
    var place = 8
    while place < png.count {
      let length = number(place)
      chunks[String(decoding: png[place + 4..<place + 8], as: UTF8.self)] =
        place + 8..<place + 8 + length
      place += length + 12
    }
    let header = try #require(chunks["IHDR"])
    let data = try #require(chunks["IDAT"])
    let (width, height) = (number(header.lowerBound), number(header.lowerBound + 4))
    var lines: [UInt8] = []
    var block = data.lowerBound + 2
    var isLast = false
    while !isLast {
      isLast = png[block] == 1
      let length = Int(png[block + 1]) | Int(png[block + 2]) << 8
      lines += png[block + 5..<block + 5 + length]
      block += 5 + length
    }
    #expect(block + 4 == data.upperBound)
    let lineLength = lines.count / height
    return (
      width, height, png[header.lowerBound + 9],
      lines.enumerated().filter { !$0.offset.isMultiple(of: lineLength) }.map(\.element)
    )
  }

  @Test(
    arguments: [("", 1, 0), (", 1", 1, 0), (", 3", 3, 2), (", 4", 4, 6)], [(3, 2), (300, 200)])
  func pixelsBecomePNG(channels: (text: String, count: Int, color: UInt8), size: (Int, Int)) throws
  {
    let (height, width) = size
    let count = height * width * channels.count
    let values = (0..<2 * count).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
    let array = try scratch.file(
      "a.npy", npy("|u1", shape: "(2, \(height), \(width)\(channels.text))", values))
    let list = try ImageList(path: array, pointCount: 2)
    let images = try list.images(of: [0, 1])
    for point in 0..<2 {
      let image = try #require(images[point])
      #expect(image.mediaType == "image/png")
      let found = try pixels(of: image.bytes)
      #expect((found.width, found.height, found.color) == (width, height, channels.color))
      #expect(found.3 == Array(values[count * point..<count * (point + 1)]))
    }
  }

  /// As Python's zlib.compress(b"\0\x05\x07", 0), zlib.crc32 and Pillow have it.
  @Test func aPNGHasTheBytesThatOthersMake() throws {
    let array = try scratch.file("a.npy", npy("|u1", shape: "(1, 1, 2)", [5, 7]))
    let image = try #require(try ImageList(path: array, pointCount: 1).images(of: [0])[0])
    let hexadecimal = image.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    #expect(hexadecimal == Self.smallPNG)
  }

  @Test(arguments: [
    ("<f4", "(1, 1, 1)", "False", 4, "float32 of shape (1, 1, 1); \(expectedShape)"),
    ("|u1", "(1, 1)", "False", 1, "uint8 of shape (1, 1); \(expectedShape)"),
    ("|u1", "(1, 1, 1, 2)", "False", 2, "uint8 of shape (1, 1, 1, 2); \(expectedShape)"),
    ("|u1", "(1, 0, 1)", "False", 0, "uint8 of shape (1, 0, 1); \(expectedShape)"),
    (
      "|u1", "(1, 2, 2)", "True", 4,
      "Fortran order; expected C order, as numpy.ascontiguousarray makes"
    ),
    (
      "|u1", "(0, 4000000000, 4000000000)", "False", 0,
      "images of (4000000000, 4000000000); expected 262144 bytes at most, such as thumbnails"
    ),
    (
      "|u1", "(1, 513, 512)", "False", 513 * 512,
      "images of (513, 512); expected 262144 bytes at most, such as thumbnails"
    ),
  ])
  func otherArraysAreRefused(
    type: String, shape: String, order: String, byteCount: Int, message: String
  ) throws {
    let bytes = Array(repeating: UInt8(0), count: byteCount)
    let array = try scratch.file("a.npy", npy(type, shape: shape, order: order, bytes))
    #expect(problem { _ = try ImageList(path: array, pointCount: 1) } == message)
  }

  private static let smallPNG =
    "89504e470d0a1a0a0000000d4948445200000002000000010800000000d14920560000000e4944415478010103"
    + "00fcff0005070014000d583551830000000049454e44ae426082"

  private static let expectedShape =
    "expected uint8 of shape (points, height, width) or (points, height, width, 3)"
}
