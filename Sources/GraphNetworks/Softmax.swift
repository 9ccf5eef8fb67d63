internal import Glibc

/// Replaces some values by their exponentials, divided by the sum of those.
///
/// Exponentials and sum are computed in double precision, in order.
func softmax(_ values: inout [Float], over places: Range<Int>) {
  guard !places.isEmpty else { return }
  let largest = places.reduce(-Float.infinity) { max($0, values[$1]) }
  let sum = places.reduce(0.0) { $0 + exp(Double(values[$1] - largest)) }
  for place in places { values[place] = Float(exp(Double(values[place] - largest)) / sum) }
}

/// The probability of class 0 of two, from the difference z₁ − z₀ of their logits.
func probabilityOfFirst(logitDifference z: Float) -> Float { Float(1 / (1 + exp(Double(z)))) }
