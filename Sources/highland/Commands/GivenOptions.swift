/// The names of the options that stand on the command line, as they stand there: `--tau` of
/// `--tau 0.5` and of `--tau=0.5`.
///
/// A value tells whether it is the default, but not whether somebody asked for it; and what is asked
/// for and cannot act is refused, also where it asks for the default.
struct GivenOptions {
  private let names: Set<String>

  /// - Parameter arguments: Without the name of the program.
  init(_ arguments: some Sequence<String>) {
    // No value begins with a hyphen: the parser takes it for an option, or for a negative number,
    // which has the name of its option before it.
    names = Set(
      arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("-") }.map {
        String($0.prefix { $0 != "=" })
      })
  }

  /// Of this process.
  static var ofProcess: GivenOptions { GivenOptions(CommandLine.arguments.dropFirst()) }

  func contains(_ name: String) -> Bool { names.contains(name) }

  /// The first of some options that is given.
  func first(of candidates: [String]) -> String? { candidates.first(where: names.contains) }
}
