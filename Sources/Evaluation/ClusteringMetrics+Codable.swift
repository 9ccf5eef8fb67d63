// JSON has no NaN: a quotient 0/0 is written as null and read back as NaN.

extension PrecisionRecall: Codable {
  private enum CodingKeys: String, CodingKey { case precision, recall, f }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    precision = try values.decodeNumber(.precision)
    recall = try values.decodeNumber(.recall)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encodeNumber(precision, .precision)
    try values.encodeNumber(recall, .recall)
    try values.encodeNumber(f, .f)
  }
}

extension SizeQuantiles: Codable {
  private enum CodingKeys: String, CodingKey {
    case minimum, q25, median, q75, q90, maximum, mean
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    minimum = try values.decode(Int.self, forKey: .minimum)
    q25 = try values.decodeNumber(.q25)
    median = try values.decodeNumber(.median)
    q75 = try values.decodeNumber(.q75)
    q90 = try values.decodeNumber(.q90)
    maximum = try values.decode(Int.self, forKey: .maximum)
    mean = try values.decodeNumber(.mean)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(minimum, forKey: .minimum)
    try values.encodeNumber(q25, .q25)
    try values.encodeNumber(median, .median)
    try values.encodeNumber(q75, .q75)
    try values.encodeNumber(q90, .q90)
    try values.encode(maximum, forKey: .maximum)
    try values.encodeNumber(mean, .mean)
  }
}

extension KeyedDecodingContainer {
  fileprivate func decodeNumber(_ key: Key) throws -> Double {
    try decode(Double?.self, forKey: key) ?? .nan
  }
}

extension KeyedEncodingContainer {
  fileprivate mutating func encodeNumber(_ number: Double, _ key: Key) throws {
    try encode(number.isNaN ? nil : number, forKey: key)
  }
}
