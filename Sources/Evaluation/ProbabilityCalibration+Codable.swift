// Quotients of no edges are left out.

extension ProbabilityCalibration: Codable {
  private enum CodingKeys: String, CodingKey {
    case edges, shareTrue, meanProbability, expectedCalibrationError, bins
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let bins = try values.decode([Bin].self, forKey: .bins)
    guard bins.count == Self.binCount else {
      throw DecodingError.dataCorruptedError(
        forKey: .bins, in: values, debugDescription: "\(bins.count) bins, not \(Self.binCount)")
    }
    self.init(bins: bins)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(edgeCount, forKey: .edges)
    try values.encodeIfPresent(shareTrue, forKey: .shareTrue)
    try values.encodeIfPresent(meanProbability, forKey: .meanProbability)
    try values.encodeIfPresent(expectedCalibrationError, forKey: .expectedCalibrationError)
    try values.encode(bins, forKey: .bins)
  }
}

extension ProbabilityCalibration.Bin: Codable {
  private enum CodingKeys: String, CodingKey { case edges, trueEdges, meanProbability }

  /// The sum of p is that of its mean: the same up to 2²⁸ edges.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    edgeCount = try values.decode(Int.self, forKey: .edges)
    trueCount = try values.decode(Int.self, forKey: .trueEdges)
    let mean = try values.decodeIfPresent(Double.self, forKey: .meanProbability) ?? 0
    guard edgeCount >= 0, (0...max(edgeCount, 0)).contains(trueCount), (0...1).contains(mean) else {
      throw DecodingError.dataCorruptedError(
        forKey: .edges, in: values,
        debugDescription: "\(trueCount) of \(edgeCount) edges true, mean probability \(mean)")
    }
    sum = Int64((mean * Double(edgeCount) * Self.one).rounded())
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(edgeCount, forKey: .edges)
    try values.encode(trueCount, forKey: .trueEdges)
    try values.encodeIfPresent(meanProbability, forKey: .meanProbability)
  }
}
