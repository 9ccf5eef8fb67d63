/// The types of the elements of an array in a file.
public enum ElementType: String, CaseIterable, Sendable {
  case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, float32, float64

  /// Bytes per element.
  public var byteCount: Int {
    switch self {
    case .bool, .int8, .uint8: 1
    case .int16, .uint16, .float16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  public var isFloatingPoint: Bool { self == .float16 || self == .float32 || self == .float64 }

  /// NumPy's letter for the kind, without byte order and size.
  private var kind: String {
    switch self {
    case .bool: "b"
    case .int8, .int16, .int32, .int64: "i"
    case .uint8, .uint16, .uint32, .uint64: "u"
    case .float16, .float32, .float64: "f"
    }
  }

  /// NumPy's name with the byte order: `<f4`, `|u1`.
  var descriptor: String { "\(byteCount == 1 ? "|" : "<")\(kind)\(byteCount)" }

  /// The type by a name that NumPy takes, without the byte order: `f4`, `u1`, `float32`, `double`,
  /// `d`. C's `long` has 64 bits, as on Linux.
  init?(numpyName: some StringProtocol) {
    let name = String(numpyName)
    guard
      let type = Self.allCases.first(where: { $0.descriptor.dropFirst() == name })
        ?? ElementType(rawValue: name) ?? Self.otherNames[name]
    else { return nil }
    self = type
  }

  private static let otherNames: [String: ElementType] = [
    "?": .bool, "bool_": .bool, "b": .int8, "byte": .int8, "B": .uint8, "ubyte": .uint8,
    "h": .int16, "short": .int16, "H": .uint16, "ushort": .uint16, "i": .int32, "intc": .int32,
    "I": .uint32, "uintc": .uint32, "l": .int64, "q": .int64, "p": .int64, "n": .int64,
    "int": .int64, "int_": .int64, "intp": .int64, "long": .int64, "longlong": .int64,
    "L": .uint64, "Q": .uint64, "P": .uint64, "N": .uint64, "uint": .uint64, "uintp": .uint64,
    "ulong": .uint64, "ulonglong": .uint64, "e": .float16, "half": .float16, "f": .float32,
    "single": .float32, "d": .float64, "double": .float64, "float": .float64, "float_": .float64,
  ]
}

/// The size of an array in bytes; nil if no file could hold it.
///
/// - Precondition: No length is negative.
func byteCount(ofShape shape: [Int], elementByteCount: Int) -> Int? {
  // A length of zero makes the array empty, whatever the others are.
  if shape.contains(0) { return 0 }
  var byteCount = elementByteCount
  for length in shape {
    let (product, overflow) = byteCount.multipliedReportingOverflow(by: length)
    // A quarter of the range leaves room for adding headers.
    guard !overflow, product <= Int.max / 4 else { return nil }
    byteCount = product
  }
  return byteCount
}

/// A number that an array in a file may consist of.
///
/// Its bytes in memory are those in the file: the machine is taken to be little endian.
public protocol ArrayElement: AdditiveArithmetic, BitwiseCopyable, Sendable {
  static var elementType: ElementType { get }
}

extension Int8: ArrayElement { public static var elementType: ElementType { .int8 } }
extension Int16: ArrayElement { public static var elementType: ElementType { .int16 } }
extension Int32: ArrayElement { public static var elementType: ElementType { .int32 } }
extension Int64: ArrayElement { public static var elementType: ElementType { .int64 } }
extension UInt8: ArrayElement { public static var elementType: ElementType { .uint8 } }
extension UInt16: ArrayElement { public static var elementType: ElementType { .uint16 } }
extension UInt32: ArrayElement { public static var elementType: ElementType { .uint32 } }
extension UInt64: ArrayElement { public static var elementType: ElementType { .uint64 } }
extension Float16: ArrayElement { public static var elementType: ElementType { .float16 } }
extension Float: ArrayElement { public static var elementType: ElementType { .float32 } }
extension Double: ArrayElement { public static var elementType: ElementType { .float64 } }
