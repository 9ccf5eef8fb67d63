internal import CKernels
internal import Glibc

/// The instruction set that the kernels use: the best of the processor, or a lower one if the environment
/// variable `HIGHLAND_KERNEL` says so. All give the same bits.
public enum KernelLevel: String, CaseIterable, Sendable {
  case portable, avx2, avx512

  private static let variable = "HIGHLAND_KERNEL"

  /// The best that the processor has.
  public static var ofProcessor: KernelLevel { KernelLevel(highland_supported_simd_level()) }

  /// The one that is used.
  public static var current: KernelLevel { KernelLevel(highland_simd_level()) }

  private init(_ level: Int32) {
    self = Self.allCases.first { unsafe highland_named_simd_level($0.rawValue) == level }!
  }

  /// Throws if the variable names none, or one that the processor does not have.
  public static func check() throws(KernelLevelError) {
    guard let value = unsafe getenv(variable) else { return }
    let name = unsafe String(cString: value)
    let level = unsafe highland_named_simd_level(value)
    if level < 0 {
      throw KernelLevelError(reason: "\(variable) is not portable, avx2 or avx512: \(name)")
    }
    if level > highland_supported_simd_level() {
      throw KernelLevelError(
        reason: "\(variable) is \(name), but the processor has only \(ofProcessor)")
    }
  }
}

/// A level of kernels that there is not.
public struct KernelLevelError: Error, Equatable, CustomStringConvertible {
  public var reason: String

  public var description: String { reason }
}
