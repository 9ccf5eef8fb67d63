@unsafe @preconcurrency internal import Glibc

/// What started this process, such as `mpirun` or `srun`, as far as the environment tells.
public enum Launcher {
  /// This process's number among those that were started together; nil if it was started alone.
  ///
  /// Known before MPI is initialised, for what needs no MPI.
  public static var rank: Int? { number(of: ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"]) }

  /// How many processes were started together, and the variable that says so; nil if this one was
  /// started alone. Slurm's is that of a step, as the script of a batch job is one process.
  static var size: (count: Int, variable: String)? {
    for name in [
      "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS",
    ] {
      if let count = number(of: [name]) { return (count, name) }
    }
    return nil
  }

  /// Whether anything of the environment is of a launcher, which an MPI may know more about.
  static var isPresent: Bool {
    let others = ["PMIX_NAMESPACE", "PMI_FD", "PMI_PORT", "PMI2_FD"]
    return rank != nil || size != nil
      || others.contains { (name: String) in unsafe getenv(name) != nil }
  }

  /// Whether it speaks as that of MPICH does, and is not that of Open MPI.
  static var isOfMPICH: Bool {
    number(of: ["PMI_RANK"]) != nil && number(of: ["OMPI_COMM_WORLD_RANK"]) == nil
  }

  /// - Parameter size: The number of ranks that MPI knows.
  /// - Throws: ``UnknownRanks`` if this is the only rank that MPI knows, and was started as one of several.
  package static func check(size: Int) throws {
    guard size == 1, let (count, variable) = self.size, count > 1 else { return }
    throw UnknownRanks(count: count, variable: variable)
  }

  private static func number(of names: [String]) -> Int? {
    for name in names {
      if let text = unsafe getenv(name), let number = unsafe Int(String(cString: text)) {
        return number
      }
    }
    return nil
  }
}

/// Several processes were started together, and each is alone in its MPI: each would do all of the work, and
/// write the same files.
struct UnknownRanks: Error, CustomStringConvertible {
  let count: Int
  let variable: String

  var description: String {
    let library = MPICommunicator.libraryVersion.prefix { $0 != "," }
    return "started as one of \(count) processes (\(variable)), but its MPI, "
      + "\(library), knows of no other: expected the mpirun of that MPI, "
      + "or srun --mpi=pmix"
  }
}
