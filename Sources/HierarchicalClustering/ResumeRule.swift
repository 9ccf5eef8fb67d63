/// Which of the states that were kept a run goes on from.
public enum ResumeRule: String, CaseIterable, Sendable {
  /// The newest one that is as it was written. Others are named and passed over; where none is left, the run starts
  /// anew.
  case whole
  /// The newest one. If it is not as it was written, the run ends with an error that names it.
  case newest
}

extension ResumeRule {
  /// What is wrong with a state that only ``whole`` passes over.
  public static func refusal(of problem: String) -> String {
    "\(problem); --resume whole passes over it"
  }
}
