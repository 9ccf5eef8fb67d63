internal import Glibc

/// The learning rate of every step: from a first value, after a warm-up, down half a cosine to a last.
///
///     ηₜ = η_last + (η₀ − η_last) (1 + cos(π t / T)) / 2,   t = 0 ... T
/// [Loshchilov and Hutter 2017, arXiv:1608.03983]
public struct CosineSchedule: Equatable, Sendable {
  public let first: Double
  public let last: Double
  /// T: steps in all.
  public let stepCount: Int
  /// Steps in which the rate rises from 0 in equal parts, on top of the cosine.
  public let warmUpCount: Int

  public init(from first: Double, to last: Double = 1e-5, over stepCount: Int, warmUp: Int = 0) {
    self.first = first
    self.last = min(last, first)
    self.stepCount = stepCount
    warmUpCount = warmUp
  }

  /// - Parameter step: From 0.
  public func rate(ofStep step: Int) -> Double {
    let share = stepCount > 0 ? Double(min(step, stepCount)) / Double(stepCount) : 0
    let rate = last + (first - last) * (1 + cos(.pi * share)) / 2
    return step < warmUpCount ? rate * Double(step + 1) / Double(warmUpCount) : rate
  }
}
