internal import CMPI
internal import Communication

extension MPICommunicator {
  /// The MPI that this program uses, such as `Open MPI v4.1.4, …` or `MPICH Version: 4.0.2`; for one rank alone,
  /// that which it would use under `mpirun`, or `none`.
  public static var libraryVersion: String {
    let lines = MPILibrary.version?.split(separator: "\n")
    return lines?.first?.split(whereSeparator: \.isWhitespace).joined(separator: " ") ?? "none"
  }

  /// How many ranks share memory on this host, including this one.
  ///
  /// > Collective: a few rounds of some bytes per rank.
  public func rankCountOnHost() throws -> Int {
    var count: Int32 = 0
    try check("MPI_Comm_split_type", unsafe CMPI_Comm_shared_size(handle, &count))
    return Int(count)
  }

  /// The name of this rank's host.
  public static var hostName: String {
    text { unsafe CMPI_Get_processor_name($0) } ?? "unknown"
  }
}
