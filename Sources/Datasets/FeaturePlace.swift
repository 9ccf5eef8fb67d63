/// Where features are: a file, and of one that holds several arrays perhaps the name of one.
///
/// `faces.npz:embeddings` is the array `embeddings` in `faces.npz`.
struct FeaturePlace: Equatable {
  let file: String
  /// Nil if the name says none.
  let member: String?

  /// Formats of files that hold several arrays.
  static let formats: [FeatureFormat] = [.npz, .safetensors]

  init(_ name: String) {
    // In bytes, where letters have either case and one byte each.
    let bytes = Array(name.utf8)
    let lowercased = bytes.map { (65...90).contains($0) ? $0 + 32 : $0 }
    let ends = Self.formats.compactMap { format in
      let suffix = Array(".\(format.rawValue):".utf8)
      return lowercased.indices.first { lowercased[$0...].starts(with: suffix) }
        .map { $0 + suffix.count }
    }
    guard let end = ends.min(), end < bytes.count else {
      (file, member) = (name, nil)
      return
    }
    file = String(decoding: bytes[..<(end - 1)], as: UTF8.self)
    member = String(decoding: bytes[end...], as: UTF8.self)
  }

  private init(file: String, member: String?) { (self.file, self.member) = (file, member) }

  /// The same array in another file.
  func inFile(_ path: String) -> FeaturePlace { FeaturePlace(file: path, member: member) }

  /// As a person writes it.
  var name: String { member.map { "\(file):\($0)" } ?? file }
}
