import LinearAlgebra

extension Matrix {
  /// Distinguishes −0 from 0, which == does not.
  var bits: [UInt32] { elements.map(\.bitPattern) }
}
