internal import Glibc

/// One direction of a chart: the numbers that it spans and where its ticks stand.
///
/// Ticks are 1, 2 or 5 times a power of ten apart; on a logarithmic axis they are 1, 2 and 5 times
/// powers of ten, or powers of ten alone if it spans more than three of them.
struct Axis {
  let scale: LineChart.Scale
  /// The numbers at both ends, the first below the second.
  private(set) var low: Double
  private(set) var high: Double
  private(set) var ticks: [Double] = []
  /// One per tick.
  private(set) var labels: [String] = []

  /// An axis on which all `values` that can be drawn have a place.
  ///
  /// - Parameters:
  ///   - tickCount: About how many ticks there is room for.
  ///   - isHorizontal: Such an axis ends where the values end, and has no ticks between whole
  ///     numbers if all of them are: epochs. A vertical one ends at ticks.
  init(_ values: [Double], scale: LineChart.Scale, tickCount: Int, isHorizontal: Bool) {
    self.scale = scale
    let drawn = values.filter { Self.canDraw($0, on: scale) }
    low = drawn.min() ?? (scale == .linear ? 0 : 1)
    high = drawn.max() ?? (scale == .linear ? 1 : 10)
    let isWhole = isHorizontal && !drawn.isEmpty && drawn.allSatisfy { $0 == $0.rounded() }
    spread(isWhole: isWhole)
    // Within a factor of three, 1, 2 and 5 would leave one tick or none.
    if scale == .logarithmic, high / low > 3 {
      setLogarithmicTicks(count: tickCount, reachesTicks: !isHorizontal)
    } else {
      setEvenTicks(count: tickCount, isWhole: isWhole, reachesTicks: !isHorizontal)
    }
  }

  /// Whether a number has a place; beyond 1e100 the arithmetic of ticks would overflow.
  static func canDraw(_ value: Double, on scale: LineChart.Scale) -> Bool {
    abs(value) < 1e100 && (scale == .linear || value > 1e-100)
  }

  /// How far along the axis a number lies: 0 at `low`, 1 at `high`.
  func position(_ value: Double) -> Double {
    switch scale {
    case .linear: (value - low) / (high - low)
    case .logarithmic: log(value / low) / log(high / low)
    }
  }

  /// Makes room round a single number, which would leave an axis of length 0.
  private mutating func spread(isWhole: Bool) {
    let size = max(abs(low), abs(high))
    guard high - low <= max(1e-12 * size, 1e-100) else { return }
    let margin = isWhole || size < 1e-100 ? 1 : size / 10
    if scale == .linear {
      (low, high) = (low - margin, high + margin)
    } else {
      (low, high) = (low / 1.5, high * 1.5)
    }
  }

  private mutating func setEvenTicks(count: Int, isWhole: Bool, reachesTicks: Bool) {
    var step = Self.step(atLeast: (high - low) / Double(count))
    if isWhole { step = max(1, step) }
    // A place within a billionth of a step of a tick is the tick.
    var first = (low / step + 1e-9).rounded(.down)
    var last = (high / step - 1e-9).rounded(.up)
    if reachesTicks && (scale == .linear || first > 0) {
      (low, high) = (first * step, last * step)
    } else {
      first = (low / step - 1e-9).rounded(.up)
      last = (high / step + 1e-9).rounded(.down)
    }
    ticks = stride(from: first, through: last, by: 1).map { $0 * step }
    let largest = max(abs(low), abs(high))
    labels = ticks.map { tickLabel($0, step: step, largest: largest) }
  }

  private mutating func setLogarithmicTicks(count: Int, reachesTicks: Bool) {
    let first = Int(log10(low).rounded(.down))
    let last = Int(log10(high).rounded(.up))
    let isLong = last - first > 3
    // Every `stride` powers of ten, including 1.
    let stride = isLong ? (last - first + count - 1) / count : 1
    let lowest = Int((Double(first) / Double(stride)).rounded(.down)) * stride
    let candidates = Swift.stride(from: lowest, through: last + stride, by: stride).flatMap {
      exponent in (isLong ? [1] : [1, 2, 5]).map { $0 * powerOfTen(exponent) }
    }
    let margin = 1 + 1e-9
    if reachesTicks {
      low = candidates.last { $0 <= low * margin } ?? low
      high = candidates.first { $0 >= high / margin } ?? high
    }
    ticks = candidates.filter { low <= $0 * margin && $0 <= high * margin }
    let hasPowers = isLong && (low < 0.9e-4 || high > 1.1e6)
    labels = ticks.map {
      hasPowers ? powerLabel($0) : tickLabel($0, step: $0, largest: high < 1e7 ? high : $0)
    }
  }

  /// The least of 1, 2, 5, 10, … times a power of ten that is not below `value`.
  private static func step(atLeast value: Double) -> Double {
    let power = powerOfTen(Int(log10(value).rounded(.down)))
    return [1, 2, 5, 10].first { $0 * power >= value * (1 - 1e-9) }! * power
  }
}

/// 10ⁿ, rounded once for −22 ≤ n ≤ 22: `pow` may miss 0.1.
func powerOfTen(_ exponent: Int) -> Double {
  exponent >= 0 ? pow(10, Double(exponent)) : 1 / pow(10, Double(-exponent))
}
