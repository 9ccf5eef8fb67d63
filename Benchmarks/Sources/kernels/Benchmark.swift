import Glibc

/// The same task done in several ways.
struct Benchmark {
  /// The kernel and the size of its input.
  let name: String
  /// How much the task is, in `unit`s: billions of floating-point operations, of bytes, of edges.
  let amount: Double
  let unit: String
  /// Whether the time that passes is measured in place of the thread's CPU time: for tasks of several threads.
  var isElapsed = false
  /// Makes the inputs and returns the ways to do the task.
  let variants: () throws -> [Variant]

  struct Variant {
    let name: String
    /// Makes what only this variant needs; it is released before the next variant begins.
    let prepare: () throws -> Task
  }

  struct Task {
    /// Does the task once.
    let run: () -> Void
    /// Whether the result of the last run is right; asked once, after the measurement.
    var isRight: () -> Bool = { true }
  }

  /// Measures one variant after the other and prints a line for each.
  func run(minimumSeconds: Double = 0.5, minimumRepetitions: Int = 5) throws {
    var first: Double?
    for variant in try variants() {
      let task = try variant.prepare()
      task.run()  // warm-up
      var best = Double.infinity
      var spent = 0.0
      var repetitions = 0
      while repetitions < minimumRepetitions || spent < minimumSeconds {
        let start = seconds()
        task.run()
        let duration = seconds() - start
        best = min(best, duration)
        spent += duration
        repetitions += 1
      }
      first = first ?? best
      print(
        """
        {"benchmark": "\(name)", "variant": "\(variant.name)", "\(isElapsed ? "elapsed" : "cpu")Seconds": \(best), \
        "rate": \(rounded(amount / best)), "unit": "\(unit)/s", \
        "timeRatio": \(rounded(best / (first ?? best))), "repetitions": \(repetitions), \
        "isRight": \(task.isRight())}
        """)
    }
  }

  /// CPU time of the calling thread, or what a clock shows.
  private func seconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(isElapsed ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}

private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

/// A value that the closures of a task share.
final class Shared<Value> {
  var value: Value
  init(_ value: Value) { self.value = value }
}
