/// Images of the points, of which a few are read: a text with a path on each line, or an array of pixels.
///
/// * A text has a line for each point, with the path of a PNG, JPEG, GIF or WebP file. Relative paths are from the
///   directory of the text; a point whose line is blank has no image.
/// * An array is a `.npy` of `uint8` of shape `[points, height, width]`, or `[points, height, width, channels]` with 1, 3
///   or 4 channels: grey, red, green and blue, and these with opacity.
public struct ImageList: Sendable {
  public let path: String
  private let source: Source

  private enum Source: Sendable {
    case paths(TextLines)
    case pixels(PixelArray)
  }

  /// The most bytes of an image, as they are in its file or array.
  public static let limit = 1 << 18
  /// The most bytes of all images that are read together.
  public static let totalLimit = 1 << 25

  /// - Throws: ``DataError`` if the file cannot be opened or read, is neither, or has no line or image for each point.
  /// - Complexity: O(bytes) in time for a text, a few bytes per thousand lines in memory; an array's header is read.
  public init(path: String, pointCount: Int) throws {
    self.path = path
    let (count, items): (Int, String)
    if path.lowercased().hasSuffix(".npy") {
      let pixels = try PixelArray(path: path)
      source = .pixels(pixels)
      (count, items) = (pixels.count, "images")
    } else {
      let lines = try TextLines(InputFile(path: path))
      source = .paths(lines)
      (count, items) = (lines.count, "lines")
    }
    guard count == pointCount else {
      throw DataError(
        path: path, problem: "\(count) \(items); expected \(pointCount), one per point")
    }
  }

  /// The images of some points; none for a point that has none.
  ///
  /// - Throws: ``DataError`` if an image cannot be read, is of another format, or has more than ``limit`` bytes, and if all
  ///   together have more than ``totalLimit``. It names the line.
  /// - Complexity: O(points · bytes of some thousand lines), and the bytes of the images.
  /// - Precondition: The points are below the number of points that the list is of.
  public func images(of points: some Sequence<Int>) throws -> [Int: EncodedImage] {
    var images: [Int: EncodedImage] = [:]
    var total = 0
    for point in Set(points).sorted() {
      guard let image = try image(of: point) else { continue }
      total += image.bytes.count
      guard total <= Self.totalLimit else {
        throw DataError(
          path: path,
          problem:
            "the images to be shown have more than \(Self.totalLimit) bytes; expected smaller ones, or fewer"
        )
      }
      images[point] = image
    }
    return images
  }

  private func image(of point: Int) throws -> EncodedImage? {
    switch source {
    case .pixels(let array): return try array.image(point)
    case .paths(let lines):
      var image: EncodedImage?
      try lines.forEachPath(point..<point + 1) { line, path in
        guard let path else { return }
        do {
          image = try EncodedImage(path: path, limit: Self.limit)
        } catch let error as DataError {
          throw DataError(path: self.path, problem: "line \(line + 1): \(error)")
        }
      }
      return image
    }
  }
}

/// The bytes of an image file, and what browsers call its format.
public struct EncodedImage: Equatable, Sendable {
  /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
  public let mediaType: String
  public let bytes: [UInt8]

  /// - Precondition: The bytes are an image of that type.
  init(mediaType: String, bytes: [UInt8]) {
    self.mediaType = mediaType
    self.bytes = bytes
  }

  /// Reads a file, whatever its name says.
  ///
  /// - Parameter limit: The most bytes.
  /// - Throws: ``DataError`` if it cannot be read, has more bytes, or does not begin as one of the formats.
  init(path: String, limit: Int) throws {
    let file = try InputFile(path: path)
    guard file.byteCount <= limit else {
      throw DataError(
        path: path,
        problem:
          "\(file.byteCount) bytes; expected an image of \(limit) at most, such as a thumbnail")
    }
    bytes = try file.bytes(at: 0, count: file.byteCount)
    guard let type = Self.mediaType(of: bytes) else {
      throw DataError(path: path, problem: "no PNG, JPEG, GIF or WebP image" + file.whatItIs())
    }
    mediaType = type
  }

  private static func mediaType(of bytes: [UInt8]) -> String? {
    if bytes.starts(with: PixelArray.magic) { return "image/png" }
    if bytes.starts(with: [0xff, 0xd8, 0xff]) { return "image/jpeg" }
    if bytes.starts(with: "GIF87a".utf8) || bytes.starts(with: "GIF89a".utf8) { return "image/gif" }
    let isWebP = bytes.starts(with: "RIFF".utf8) && bytes.dropFirst(8).starts(with: "WEBP".utf8)
    return isWebP ? "image/webp" : nil
  }
}
