internal import Communication

extension Communicator {
  /// Sends every question to its rank and returns the answers in the order of the questions.
  ///
  /// > Collective: three rounds: the counts, the questions, the answers.
  ///
  /// - Parameter answer: From the questions that arrived, by the rank that asked and in its order, to
  ///   an answer for each.
  func answers<Question: Message, Answer: Message>(
    to questions: [Question], at owners: [Rank],
    _ answer: ([Question]) -> [Answer]
  ) throws -> [Answer] {
    precondition(questions.count == owners.count, "an owner per question")
    let (order, places) = Buckets.sorting(Array(questions.indices), into: size) { owners[$0] }
    let outgoing = order.map { questions[$0] }
    let asked = try allToAll(outgoing)
    let answers = try exchange(
      Buckets(values: answer(asked.values), counts: asked.counts), receiving: outgoing.counts)
    return places.map { answers.values[$0] }
  }

  /// The sums over ranks, element by element.
  ///
  /// > Collective: one round, all values to every rank, as long as these are few bytes; else two, as
  /// > ``Communication/Communicator/sums(_:)-([Int64])``.
  ///
  /// - Parameter values: The same number on every rank.
  func integerSums(_ values: [Int64]) throws -> [Int64] {
    guard values.count * size <= 1 << 13 else { return try sums(values) }
    let all = try allGather(values)
    return values.indices.map { place in
      ranks.reduce(0) { $0 + all.values[all.offsets[$1.index] + place] }
    }
  }
}
