internal import COpenBLAS
internal import Glibc

/// One load of the shared library.
// @unchecked: changed by `unload` only, after which nobody calls; OpenBLAS itself takes calls from
// several threads.
@safe final class OpenBLASLibrary: @unchecked Sendable {
  private var functions = unsafe copenblas_library()

  /// Loads the first of the files that can be, with one thread unless the user's
  /// `OPENBLAS_NUM_THREADS` says otherwise.
  ///
  /// - Parameter core: Which core the library must choose; nil for its own choice.
  init(anyOf files: [String], core: String?) throws(OpenBLASError) {
    // Asked for while it loads, so that it starts no threads that would then idle.
    let threadCount = unsafe getenv("OPENBLAS_NUM_THREADS") == nil ? "1" : nil
    var reasons: [String] = []
    for file in files {
      let problem = unsafe Self.withOptionalCString(core) { core in
        unsafe Self.withOptionalCString(threadCount) { threadCount in
          unsafe copenblas_load(&functions, file, core, threadCount)
            .map { unsafe String(cString: $0) }
        }
      }
      guard let problem else {
        // One that counts threads by another variable, as the OpenMP variant does.
        if threadCount != nil { unsafe copenblas_set_thread_count(&functions, 1) }
        return
      }
      reasons.append(problem.contains(file) ? problem : "\(file): \(problem)")
    }
    throw OpenBLASError(reasons: reasons)
  }

  func unload() { unsafe copenblas_unload(&functions) }

  var configuration: String {
    unsafe String(cString: copenblas_config(&functions))
      .split(separator: " ").joined(separator: " ")
  }

  var core: String { unsafe String(cString: copenblas_core(&functions)) }

  var threadCount: Int { Int(unsafe copenblas_thread_count(&functions)) }

  /// C [m × n] = op(A) · op(B) over a depth of k; the shapes are the caller's to check.
  ///
  /// The rows of A and B lie `aStride` and `bStride` elements apart.
  func multiply(
    _ a: UnsafePointer<Float>, stride aStride: Int, transposingA: Bool,
    _ b: UnsafePointer<Float>, stride bStride: Int, transposingB: Bool,
    into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int
  ) {
    guard m > 0, n > 0 else { return }
    guard k > 0 else { return unsafe c.update(repeating: 0, count: m * n) }
    unsafe withUnsafePointer(to: functions) { functions in
      unsafe copenblas_sgemm(
        functions, transposingA ? 1 : 0, transposingB ? 1 : 0, Self.size(m), Self.size(n),
        Self.size(k), a, Self.size(aStride), b, Self.size(bStride), c, Self.size(n))
    }
  }

  var hasLAPACK: Bool { unsafe copenblas_has_lapack(&functions) != 0 }

  /// Eigenvalues and eigenvectors of a symmetric matrix, which is overwritten by the latter, in its rows.
  ///
  /// - Returns: What LAPACK says: 0 if all is well.
  func solve(
    _ matrix: UnsafeMutableBufferPointer<Double>, values: UnsafeMutableBufferPointer<Double>
  ) -> Int {
    unsafe withUnsafePointer(to: functions) { functions in
      Int(
        unsafe copenblas_dsyevd(
          functions, Self.size(values.count), matrix.baseAddress, values.baseAddress))
    }
  }

  static func isOutOfMemory(_ problem: Int) -> Bool { problem == Int(copenblas_no_memory) }

  func useThreads(_ count: Int) {
    unsafe withUnsafePointer(to: functions) {
      unsafe copenblas_set_thread_count($0, Self.size(count))
    }
  }

  private static func size(_ value: Int) -> Int32 {
    guard let size = Int32(exactly: value) else {
      preconditionFailure("OpenBLAS counts by 32 bits; \(value) rows or columns")
    }
    return size
  }

  private static func withOptionalCString<R>(
    _ string: String?, _ body: (UnsafePointer<CChar>?) -> R
  ) -> R {
    guard let string else { return body(nil) }
    return unsafe string.withCString { unsafe body($0) }
  }
}
