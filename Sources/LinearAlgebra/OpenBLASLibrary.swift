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

  /// C [m × n] = A [m × k] · op(B); the shapes are the caller's to check.
  func multiply(
    _ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>, transposingB: Bool,
    into c: UnsafeMutableBufferPointer<Float>, k: Int, n: Int
  ) {
    guard !c.isEmpty else { return }
    guard k > 0 else {
      unsafe c.update(repeating: 0)
      return
    }
    let m = Self.size(c.count / n)
    unsafe withUnsafePointer(to: functions) { functions in
      unsafe copenblas_sgemm(
        functions, transposingB ? 1 : 0, m, Self.size(n), Self.size(k), a.baseAddress,
        Self.size(k), b.baseAddress, Self.size(transposingB ? k : n), c.baseAddress, Self.size(n))
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
