/// Images of one size as pixels, in a `.npy` of `uint8`.
struct PixelArray: Sendable {
  let count: Int
  private let height: Int
  private let width: Int
  /// 1, 3 or 4.
  private let channels: Int
  private let file: InputFile
  private let dataOffset: Int

  /// - Throws: ``DataError`` if the file cannot be opened, is no such array, or its images are larger than
  ///   ``ImageList/limit``.
  init(path: String) throws {
    file = try InputFile(path: path)
    let header = try ArrayHeader(file)
    let shape = header.shape
    guard header.elementType == .uint8, shape.count == 3 || shape.count == 4,
      shape[1] > 0, shape[2] > 0, let colors = shape.count == 3 ? 1 : shape.last,
      Self.colorTypes[colors] != nil
    else {
      throw DataError(
        path: path,
        problem:
          "\(header.elementType) of shape \(ArrayHeader.text(shape)); expected uint8 of shape "
          + "(points, height, width) or (points, height, width, 3)")
    }
    guard !header.isFortranOrder else {
      throw DataError(
        path: path, problem: "Fortran order; expected C order, as numpy.ascontiguousarray makes")
    }
    let size = byteCount(ofShape: Array(shape.dropFirst()), elementByteCount: 1)
    guard let size, size <= ImageList.limit else {
      throw DataError(
        path: path,
        problem:
          "images of \(ArrayHeader.text(Array(shape.dropFirst()))); expected \(ImageList.limit) bytes at most, "
          + "such as thumbnails")
    }
    (count, height, width, channels) = (shape[0], shape[1], shape[2], colors)
    dataOffset = header.dataOffset
  }

  /// One of the images.
  ///
  /// - Throws: ``DataError`` if reading fails.
  /// - Precondition: The image is in `0 ..< count`.
  func image(_ place: Int) throws -> EncodedImage {
    precondition((0..<count).contains(place), "image \(place) of \(count) in \(file.path)")
    let size = height * width * channels
    let pixels = try file.bytes(at: dataOffset + place * size, count: size)
    return EncodedImage(mediaType: "image/png", bytes: encoded(pixels))
  }
}

// PNG of 8 bits per channel, which is not compressed.      [PNG, W3C 2025; RFC 1950; RFC 1951]
extension PixelArray {
  static let magic: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  /// By the number of channels.
  private static let colorTypes: [Int: UInt8] = [1: 0, 3: 2, 4: 6]

  private func encoded(_ pixels: [UInt8]) -> [UInt8] {
    let lineLength = width * channels
    var lines: [UInt8] = []
    lines.reserveCapacity(height * (lineLength + 1))
    for start in stride(from: 0, to: pixels.count, by: lineLength) {
      lines.append(0)  // The line is as it is, not its difference to another.
      lines += pixels[start..<start + lineLength]
    }
    let format: [UInt8] = [8, Self.colorTypes[channels]!, 0, 0, 0]
    return Self.magic + chunk("IHDR", bigEndian(width) + bigEndian(height) + format)
      + chunk("IDAT", storedStream(lines)) + chunk("IEND", [])
  }
}

private func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
  let body = Array(type.utf8) + data
  return bigEndian(data.count) + body + bigEndian(Int(checksum(body)))
}

/// A zlib stream of blocks that are not compressed.
private func storedStream(_ data: [UInt8]) -> [UInt8] {
  var stream: [UInt8] = [0x78, 0x01]
  var start = 0
  repeat {
    let end = min(start + Int(UInt16.max), data.count)
    let length = [0, 8].map { UInt8(truncatingIfNeeded: (end - start) >> $0) }
    stream.append(end == data.count ? 1 : 0)
    stream += length + length.map { ~$0 } + data[start..<end]
    start = end
  } while start < data.count
  var sums = (low: 1, high: 0)
  for byte in data {
    sums.low = (sums.low + Int(byte)) % 65_521
    sums.high = (sums.high + sums.low) % 65_521
  }
  return stream + bigEndian(sums.high << 16 | sums.low)
}

/// CRC-32, lowest bit first.
private func checksum(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { $0 >> 8 ^ remainders[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
}

private let remainders: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0xedb8_8320 : rest >> 1 }
}

private func bigEndian(_ number: Int) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}
