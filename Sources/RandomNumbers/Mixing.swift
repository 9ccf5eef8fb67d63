/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014), a bijection of 64 bits in which every bit of the
/// result depends on every bit of the argument; 0 goes to 0.
@inlinable public func mixed(_ bits: UInt64) -> UInt64 {
  var z = bits
  z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
  return z ^ (z >> 31)
}
