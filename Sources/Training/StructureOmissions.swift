public import SimilarityStructure

/// What to leave out of training a network of structure, to measure what it is worth.
public struct StructureOmissions: Equatable, Sendable {
  /// Features that the network does not see.
  public private(set) var features = FeatureSelection()
  public private(set) var parts: Set<StructureTrainingPart> = []
  /// The given names, in ascending order.
  public let names: [String]

  /// Nothing.
  public init() { names = [] }

  /// - Parameter names: Of ``StructureTrainingPart``s and what a ``FeatureSelection`` knows.
  /// - Throws: ``UnknownOmission``.
  public init(_ names: [String]) throws(UnknownOmission) {
    for name in names {
      if let part = StructureTrainingPart(rawValue: name) {
        parts.insert(part)
      } else if let some = FeatureSelection(named: name) {
        features.formUnion(some)
      } else {
        throw UnknownOmission(name: name)
      }
    }
    self.names = Set(names).sorted()
  }
}

/// A part of training that can be left out.
public enum StructureTrainingPart: String, CaseIterable, Sendable {
  /// All changes of selections, including those below (``augmentedSelection``).
  case augmentation
  /// Identities are moved towards each other.
  case confusion
  /// Some identities are moved onto like ones.
  case overlapping
  /// Edges of large identities weigh less (``RawStructureGraph/weights``).
  case balance
  /// Modules at level 0 are tried (``StructureNetwork/Settings/resolution``).
  case modules
}

/// A name that stands for no feature, group of features or part of training.
public struct UnknownOmission: Error, Equatable, CustomStringConvertible {
  public let name: String

  public var description: String {
    let known = StructureTrainingPart.allCases.map(\.rawValue) + FeatureSelection.names
    return "'\(name)': expected some of " + known.joined(separator: ", ")
  }
}
