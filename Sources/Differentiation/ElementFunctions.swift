internal import LinearAlgebra

// Functions of elements as types: a loop over a matrix is compiled for each of them, and takes several
// elements at a time. A closure in generic code would be called for every element.

/// A function of one element.
protocol ElementFunction<Scalar>: Sendable {
  associatedtype Scalar
  func callAsFunction(_ x: Scalar) -> Scalar
}

/// A function of two elements of the same place.
protocol ElementPairFunction<Scalar>: Sendable {
  associatedtype Scalar
  func callAsFunction(_ x: Scalar, _ y: Scalar) -> Scalar
}

/// x + y.
struct Sum<Scalar: MatrixScalar>: ElementPairFunction {
  @inline(__always)
  func callAsFunction(_ x: Scalar, _ y: Scalar) -> Scalar { x + y }
}

/// x − y.
struct Difference<Scalar: MatrixScalar>: ElementPairFunction {
  @inline(__always)
  func callAsFunction(_ x: Scalar, _ y: Scalar) -> Scalar { x - y }
}

/// x · y.
struct Product<Scalar: MatrixScalar>: ElementPairFunction {
  @inline(__always)
  func callAsFunction(_ x: Scalar, _ y: Scalar) -> Scalar { x * y }
}

/// x · y / n.
struct ProductShare<Scalar: MatrixScalar>: ElementPairFunction {
  let count: Scalar
  @inline(__always)
  func callAsFunction(_ x: Scalar, _ y: Scalar) -> Scalar { x * y / count }
}

/// x − y / n.
struct DifferenceFromShare<Scalar: MatrixScalar>: ElementPairFunction {
  let count: Scalar
  @inline(__always)
  func callAsFunction(_ x: Scalar, _ y: Scalar) -> Scalar { x - y / count }
}

/// x > 0 ? x : y · x.
struct RectificationBySlope<Scalar: MatrixScalar>: ElementPairFunction {
  @inline(__always)
  func callAsFunction(_ x: Scalar, _ y: Scalar) -> Scalar { x > 0 ? x : y * x }
}

/// −x.
struct Negative<Scalar: MatrixScalar>: ElementFunction {
  @inline(__always)
  func callAsFunction(_ x: Scalar) -> Scalar { -x }
}

/// c · x.
struct Multiple<Scalar: MatrixScalar>: ElementFunction {
  let factor: Scalar
  @inline(__always)
  func callAsFunction(_ x: Scalar) -> Scalar { factor * x }
}

/// max(0, x), or −0; NaN stays, and −∞ becomes NaN.
///
/// A product and no choice: where a choice leaves x as it is, compilers branch around the store, and processors
/// cannot predict that.
struct PositivePart<Scalar: MatrixScalar>: ElementFunction {
  @inline(__always)
  func callAsFunction(_ x: Scalar) -> Scalar { x * (x > 0 ? 1 : 0) }
}

/// x > 0 ? x : leak · x.
struct Rectification<Scalar: MatrixScalar>: ElementFunction {
  let leak: Scalar
  @inline(__always)
  func callAsFunction(_ x: Scalar) -> Scalar { x > 0 ? x : leak * x }
}

/// x where y is positive, otherwise 0 or −0, or NaN if x is not finite; a product, as in ``PositivePart``.
struct WherePositive<Scalar: MatrixScalar>: ElementPairFunction {
  @inline(__always)
  func callAsFunction(_ x: Scalar, _ y: Scalar) -> Scalar { x * (y > 0 ? 1 : 0) }
}

/// x where y is positive, otherwise leak · x.
struct WherePositiveOrLess<Scalar: MatrixScalar>: ElementPairFunction {
  let leak: Scalar
  @inline(__always)
  func callAsFunction(_ x: Scalar, _ y: Scalar) -> Scalar { y > 0 ? x : leak * x }
}
