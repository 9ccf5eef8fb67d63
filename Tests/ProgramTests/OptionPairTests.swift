import Foundation
import Subprocess
import Synchronization
import Testing

/// The options of every command, as the program itself lists them.
private struct Help: Decodable {
  struct Command: Decodable {
    let commandName: String
    let arguments: [Argument]?
    let subcommands: [Command]?

    /// Commands that run, by the words that lead to them.
    func leaves(after words: [String] = []) -> [[String]: [Argument]] {
      let own = subcommands.map { $0.isEmpty } ?? true
      guard !own else { return [words: arguments ?? []] }
      return subcommands!.filter { $0.commandName != "help" }.reduce(into: [:]) {
        $0.merge($1.leaves(after: words + [$1.commandName])) { first, _ in first }
      }
    }
  }

  struct Argument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String

      var text: String { (kind == "long" ? "--" : "-") + name }
    }

    let kind: String
    let names: [Name]?

    /// Neither a positional argument, nor an option that every command has.
    var isOwnOption: Bool {
      kind != "positional"
        && Set((names ?? []).map(\.text)).isDisjoint(with: ["--help", "--version"])
    }
  }

  let command: Command
}

extension Inputs {
  /// No option is ignored, alone or beside another: it acts, or it is refused with its name.
  @Suite struct OptionPairs {
    /// An option that no table uses is one that nobody has tried with the others.
    @Test func tablesUseEveryOptionOfEveryCommand() async throws {
      let outcome = try await run("highland", ["--experimental-dump-help"])
      let help = try JSONDecoder().decode(Help.self, from: Data(outcome.output.utf8))
      let commands = help.command.leaves()
      #expect(commands.count > 12)
      for (words, arguments) in commands where arguments.contains(where: \.isOwnOption) {
        let tables = OptionTable.all.filter { $0.command == words }
        #expect(!tables.isEmpty, "no table of options for highland \(words.joined(separator: " "))")
        for table in tables {
          for argument in arguments where argument.isOwnOption {
            let names = (argument.names ?? []).map(\.text)
            #expect(
              !table.names.isDisjoint(with: names), "\(names) is not in the table of \(table.title)"
            )
          }
          let known = Set(arguments.flatMap { ($0.names ?? []).map(\.text) })
          #expect(table.names.subtracting(known).isEmpty, "\(table.title)")
        }
      }
    }

    /// What no pair of a table shows: options without what they are for.
    @Test(arguments: [
      ("cluster a.npy --overwrite", "--overwrite replaces outputs that exist"),
      ("components a.npy --overwrite", "--overwrite replaces outputs that exist"),
      ("report levels --json --overwrite", "--overwrite replaces outputs that exist"),
      ("graphs train g --overwrite", "--overwrite replaces outputs that exist"),
      ("info --dimensions 3", "--dimensions are those of a file of features"),
      (
        "convert a.npy b.fbin --element-type float64",
        "--element-type float64 is for features in .npy"
      ),
      ("convert a.txt b.npy --element-type float32", "--element-type is for features"),
      ("convert a.npy b.txt --dimensions 1", "--dimensions is for features"),
      (
        "train a.npy b.npy -o m --checkpoint-interval 60",
        "--checkpoint-interval goes with --checkpoint"
      ),
      (
        "knn a.npy --neighbors n --similarities s --resume newest",
        "--resume goes with --checkpoint"
      ),
      (
        "train a.npy b.npy -o m --from default --width 48",
        "--width and --from: expected one of them"
      ),
      (
        "train coordinates a.npy b.npy -o m --validation-fraction 0 --patience 1",
        "--patience and --validation-fraction 0: expected one of them"
      ),
      (
        "train coordinates a.npy b.npy -o m --validation-fraction 0 --validate-every 5",
        "--validate-every and --validation-fraction 0: expected one of them"
      ),
      (
        "train coordinates a.npy b.npy -o m --levels 1,1,1 --true-links",
        "--true-links makes the levels after the first"
      ),
    ])
    func anOptionWithoutWhatItIsForIsRefused(words: String, message: String) async throws {
      let outcome = try await run("highland", words.split(separator: " ").map(String.init))
      #expect(outcome.exitCode == 64, "\(outcome)")
      #expect(outcome.errors.contains("Error: \(message)"), "\(outcome)")
    }

    @Test(arguments: OptionTable.all.flatMap(\.parts))
    func everyOptionActsBesideEveryOther(part: OptionTablePart) async throws {
      let inputs = try await OptionInputs.shared.value
      let traces = try await withThrowingTaskGroup(of: (PlannedRun, Traces).self) { group in
        var found: [PlannedRun: Traces] = [:]
        for (index, run) in part.runs.enumerated() {
          if index >= 3, let (run, traces) = try await group.next() { found[run] = traces }
          group.addTask { (run, try await inputs.traces(of: run)) }
        }
        for try await (run, traces) in group { found[run] = traces }
        return found
      }
      for fault in part.faults(in: traces) { Issue.record("\(part.table.title): \(fault)") }
    }
  }
}

extension OptionInputs {
  /// What a run leaves behind; each is made once.
  func traces(of run: PlannedRun) async throws -> Traces {
    if let known = known.withLock({ $0[run] }) { return known }
    let traces = try await makeTraces(of: run)
    known.withLock { $0[run] = traces }
    return traces
  }

  /// Runs the program in a directory of its own.
  private func makeTraces(of run: PlannedRun) async throws -> Traces {
    let scratch = try Scratch()
    let session = try Scratch()
    for name in run.existing {
      let parts = name.split(separator: "/")
      if parts.count > 1 {
        try FileManager.default.createDirectory(
          atPath: scratch(String(parts[0])), withIntermediateDirectories: true)
      }
      try scratch.write(OptionUse.oldContents, as: name)
    }
    // Neither a daemon nor a network for one rank: half the time.
    let settings = [
      "OMPI_MCA_ess_singleton_isolated=1", "OMPI_MCA_btl=self", "OMPI_MCA_pml=ob1",
      "OMPI_MCA_coll=self,basic,libnbc", "OMPI_MCA_orte_tmpdir_base=\(session.path)",
    ]
    let outcome = try await ProgramTests.run(
      .name("env"),
      ["-C", scratch.path] + settings + ["highland"]
        + run.words.map { path(of: $0, run.variants) })
    var files: [String: [UInt8]] = [:]
    for name in try scratch.names {
      var isDirectory: ObjCBool = false
      guard unsafe FileManager.default.fileExists(atPath: scratch(name), isDirectory: &isDirectory),
        !isDirectory.boolValue
      else { continue }
      files[name] = try bytes(of: scratch(name))
    }
    return Traces(
      exitCode: outcome.exitCode, output: outcome.output, errors: outcome.errors, files: files)
  }
}
