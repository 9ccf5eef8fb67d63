internal import CMPI
internal import Communication
@unsafe @preconcurrency internal import Glibc

extension MPICommunicator {
  /// Returns once rank 0 has called it. A rank that waits looks for the message ever more rarely, at last every
  /// ten milliseconds, and sleeps in between: it comes late by an eighth of its wait, or less, and hardly
  /// takes time of its processor.
  ///
  /// > Collective: one round; an empty message from rank 0 to every other.
  public func waitForFirstRank() throws {
    let none = CMPI_REQUEST_NULL_()
    // Of empty messages, which no exchange sends.
    let tag: Int32 = 1
    var request = none
    guard rank != Rank(0) else {
      for other in ranks.dropFirst() {
        try check(
          "MPI_Isend",
          unsafe CMPI_Isend_bytes(nil, 0, Int32(other.index), tag, handle, &request))
        try check("MPI_Wait", unsafe CMPI_Wait(&request))
      }
      return
    }
    try check("MPI_Irecv", unsafe CMPI_Irecv_bytes(nil, 0, 0, tag, handle, &request))
    let start = ContinuousClock.now
    try check("MPI_Test", unsafe CMPI_Test(&request))
    while request.raw != none.raw {
      let waited = start.duration(to: .now) / .microseconds(1)
      // Who comes a little later is met at once.
      if waited > 200 { usleep(UInt32(min(waited / 8, 10_000))) }
      try check("MPI_Test", unsafe CMPI_Test(&request))
    }
  }
}
