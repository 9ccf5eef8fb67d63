extension DiarizationError: Encodable {
  private enum CodingKeys: String, CodingKey {
    case rate, missed, falseAlarm, confusion, purity, coverage
    case truthSeconds, predictedSeconds, missedSeconds, falseAlarmSeconds, confusedSeconds
    case trueSpeakers, predictedSpeakers
  }

  /// The rate and its parts as shares of the truth, and the seconds; null where the truth is silent.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    func encode(share: Double, _ key: CodingKeys) throws {
      try values.encode(share.isFinite ? share : nil, forKey: key)
    }
    try encode(share: rate, .rate)
    try encode(share: missedSeconds / truthSeconds, .missed)
    try encode(share: falseAlarmSeconds / truthSeconds, .falseAlarm)
    try encode(share: confusedSeconds / truthSeconds, .confusion)
    try encode(share: purity, .purity)
    try encode(share: coverage, .coverage)
    try values.encode(truthSeconds, forKey: .truthSeconds)
    try values.encode(predictedSeconds, forKey: .predictedSeconds)
    try values.encode(missedSeconds, forKey: .missedSeconds)
    try values.encode(falseAlarmSeconds, forKey: .falseAlarmSeconds)
    try values.encode(confusedSeconds, forKey: .confusedSeconds)
    try values.encode(trueSpeakers, forKey: .trueSpeakers)
    try values.encode(predictedSpeakers, forKey: .predictedSpeakers)
  }
}
