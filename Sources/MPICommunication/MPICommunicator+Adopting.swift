internal import CMPI
internal import Communication

extension MPICommunicator {
  /// A communicator of the caller, as a handle of MPI's C interface.
  public struct Handle: Sendable {
    let comm: CMPI_Comm

    /// `MPI_COMM_WORLD`: all processes of the job.
    public static var world: Handle {
      // Whoever uses it hears of an error.
      try? MPILibrary.find()
      return Handle(comm: CMPI_COMM_WORLD_())
    }

    private init(comm: CMPI_Comm) { self.comm = comm }

    /// An `MPI_Comm` of the MPI that this process has loaded: in C, `(intptr_t)comm`.
    public init(raw: Int) { self.init(comm: CMPI_Comm(raw: raw)) }

    /// An `MPI_Comm` of Open MPI, or of another MPI whose handles are pointers, as Swift imports it.
    public init(_ comm: OpaquePointer) { self.init(raw: Int(bitPattern: comm)) }

    /// An `MPI_Comm` of MPICH, or of another MPI whose handles are integers, as Swift imports it.
    public init(_ comm: Int32) { self.init(raw: Int(comm)) }
  }

  /// Whether a caller may have a communicator: this process has loaded the MPI that this package uses.
  package static var isLoaded: Bool {
    try? MPILibrary.find()
    return CMPI_is_alone() == 0
  }

  /// Runs `body` with a duplicate of a communicator that the caller has made.
  ///
  /// Messages in `body` do not mix with the caller's own, and the caller's communicator does not change,
  /// nor does its error handling; with MPICH, errors of single messages go to the handler of
  /// `MPI_COMM_WORLD`, which is the caller's. The duplicate is freed after `body`. If all ranks throw an
  /// ``AgreedFailure``, it ends properly. After any other error ranks may still wait for each other in it,
  /// and the caller should end the job.
  ///
  /// > Collective: over the caller's communicator, `MPI_Comm_dup` and `MPI_Comm_free`; over the
  /// > duplicate one round of 8 bytes per rank, and what `body` does.
  ///
  /// - Parameters:
  ///   - handle: A communicator within one group of ranks. MPI must be initialised, with
  ///     `MPI_THREAD_FUNNELED` or more.
  ///   - transport: Replicated.
  public static func withDuplicate<R>(
    of handle: Handle = .world, transport: Transport = Transport(),
    _ body: (MPICommunicator) throws -> R
  ) throws -> R {
    try withDuplicateUnchecked(of: handle, transport: transport) { communicator in
      try AssertionLevel.check(on: communicator)
      return try body(communicator)
    }
  }

  /// Runs `body` on all ranks of the job, under `mpirun` or alone.
  ///
  /// Started by `mpirun` or the like, this process finds its MPI now; alone, it needs none.
  /// Initialises MPI before and finalises it afterwards, unless it was already initialised. A process can
  /// do this only once. After an error other than ``AgreedFailure`` MPI is not finalised, because that
  /// would wait for ever for ranks that wait for this one.
  ///
  /// - Throws: ``MPINotFound`` if this process was started as one of several, and there is no MPI.
  ///
  /// > Collective: as ``withDuplicate(of:transport:_:)`` of all ranks.
  public static func withAllRanks<R>(
    transport: Transport = Transport(), _ body: (MPICommunicator) throws -> R
  ) throws -> R {
    try withAllRanksUnchecked(transport: transport) { communicator in
      try AssertionLevel.check(on: communicator)
      return try body(communicator)
    }
  }

  /// Ends all ranks of the job at once.
  package static func abortJob(exitCode: Int32) { _ = CMPI_Abort(CMPI_COMM_WORLD_(), exitCode) }

  package static func withAllRanksUnchecked<R>(
    transport: Transport, _ body: (MPICommunicator) throws -> R
  ) throws -> R {
    try MPILibrary.find()
    let isInitialized = try isInitialized()
    if !isInitialized {
      var isProvided: Int32 = 0
      try check("MPI_Init_thread", unsafe CMPI_Init_thread_funneled(&isProvided))
      // MPICH takes errors of requests to these.
      for comm in [CMPI_COMM_WORLD_(), CMPI_COMM_SELF_()] {
        try check("MPI_Comm_set_errhandler", CMPI_Comm_set_errors_return(comm))
      }
    }
    func finalize() throws {
      if !isInitialized { try check("MPI_Finalize", CMPI_Finalize()) }
    }
    do {
      let result = try withDuplicateUnchecked(of: .world, transport: transport, body)
      try finalize()
      return result
    } catch let failure as AgreedFailure {
      try finalize()
      throw failure
    }
  }

  /// Whether MPI can be used: it was initialised.
  ///
  /// - Throws: ``MPIError`` if it was finalised already, as it can be initialised only once.
  private static func isInitialized() throws -> Bool {
    var answer: Int32 = 0
    try check("MPI_Finalized", unsafe CMPI_Finalized(&answer))
    guard answer == 0 else {
      throw MPIError(call: "MPI_Init_thread", reason: "MPI was finalised already")
    }
    try check("MPI_Initialized", unsafe CMPI_Initialized(&answer))
    return answer != 0
  }

  private static func withDuplicateUnchecked<R>(
    of handle: Handle, transport: Transport, _ body: (MPICommunicator) throws -> R
  ) throws -> R {
    try MPILibrary.find()
    guard try isInitialized() else {
      throw MPIError(call: "MPI_Comm_dup", reason: "MPI is not initialised")
    }
    var isProvided: Int32 = 0
    try check("MPI_Query_thread", unsafe CMPI_Query_thread_funneled(&isProvided))
    guard isProvided != 0 else {
      throw MPIError(call: "MPI_Query_thread", reason: "no MPI_THREAD_FUNNELED")
    }
    var duplicate = handle.comm
    try check("MPI_Comm_dup", unsafe CMPI_Comm_dup(handle.comm, &duplicate))
    return try MPICommunicator(duplicate, transport: transport).thenFreed(body)
  }
}
