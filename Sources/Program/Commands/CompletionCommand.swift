import ArgumentParser

struct CompletionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completion",
    abstract: "Print a script by which a shell completes commands and options.",
    discussion: """
        source <(highland completion bash)

      bash: source <(highland completion bash), in ~/.bashrc. zsh: write it to a file _highland in a directory of \
      fpath. fish: write it to ~/.config/fish/completions/highland.fish.
      """)

  enum Shell: String, CaseIterable, ExpressibleByArgument {
    case bash, zsh, fish
  }

  @Argument(help: "The shell: bash, zsh or fish.")
  var shell: Shell

  func run() throws {
    let known: CompletionShell =
      switch shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    throw CleanExit.message(Highland.completionScript(for: known))
  }
}
