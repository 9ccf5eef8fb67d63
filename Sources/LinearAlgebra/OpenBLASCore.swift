internal import CKernels

/// What a core of OpenBLAS computes with: the kinds its sgemm kernels differ by, slowest first.
package enum InstructionSet: Int, Comparable, Sendable {
  case sse3, sse42, avx, avx2, avx512

  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// The one of a core by the name that OpenBLAS gives it; nil for a name that is not of x86-64 or
  /// is younger than this list.
  package init?(core: String) {
    switch core.lowercased() {
    case "katmai", "coppermine", "northwood", "prescott", "banias", "atom", "core2", "athlon",
      "opteron", "opteron_sse3", "nano", "bobcat":
      self = .sse3
    case "penryn", "dunnington", "nehalem", "barcelona": self = .sse42
    case "sandybridge", "bulldozer", "piledriver", "steamroller", "excavator": self = .avx
    case "haswell", "zen": self = .avx2
    case "skylakex", "cooperlake", "sapphirerapids": self = .avx512
    default: return nil
    }
  }

  /// The best that this processor supports, as far as OpenBLAS could miss it; nil elsewhere.
  package static var ofProcessor: InstructionSet? {
    switch Int(highland_supported_simd_level()) {
    case highland_simd_avx512: .avx512
    case highland_simd_avx2: .avx2
    default: nil
    }
  }

  /// The oldest core that uses it, hence one that every library that knows it was built with.
  var oldestCore: String {
    switch self {
    case .sse3: "Prescott"
    case .sse42: "Nehalem"
    case .avx: "Sandybridge"
    case .avx2: "Haswell"
    case .avx512: "SkylakeX"
    }
  }
}
