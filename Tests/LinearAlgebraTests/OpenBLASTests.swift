import Glibc
import LinearAlgebra
import RandomInputs
import Testing

/// Each load happens in a process of its own: within one, a second load shares the first.
@Suite("OpenBLAS", .timeLimit(.minutes(1)))
struct OpenBLASTests {
  @Test("The core in use is not below the processor, as the library comes")
  func usesTheProcessor() async {
    await #expect(processExitsWith: .success) {
      Environment["OPENBLAS_CORETYPE"] = nil
      let report = try OpenBLAS.shared.report
      try #require(!report.isBelowProcessor, "\(report)")
    }
  }

  @Test(
    "A library that takes the processor for an old one is repaired",
    .enabled(if: InstructionSet.ofProcessor != nil, "names of cores are those of x86-64"),
    arguments: ["Prescott", "Nehalem", "Sandybridge", "Haswell"])
  func repairsMistakes(core: String) async {
    await #expect(processExitsWith: .success) { [core] in
      // Another test may have been loading the library when this process inherited the environment.
      Environment["OPENBLAS_CORETYPE"] = nil
      Environment["OPENBLAS_NUM_THREADS"] = nil
      let mistaken = try OpenBLAS(files: openBLASFiles, repairs: false, choosing: core).report
      // The mistake is real: the library computes with the kernels of that core.
      try #require(mistaken.core == core && !mistaken.isRepaired, "\(mistaken)")

      let library = try OpenBLAS(files: openBLASFiles, choosing: core)
      let report = library.report
      try #require(report.chosenCore == core, "\(report)")
      try #require(!report.isBelowProcessor, "\(report)")
      try #require(report.isRepaired == mistaken.isBelowProcessor, "\(report)")
      try #require(report.configuration.contains(report.core), "\(report)")
      try #require(Environment["OPENBLAS_CORETYPE"] == nil)
      try #require(Environment["OPENBLAS_NUM_THREADS"] == nil)
      try requireAgreement(of: library)
    }
  }

  @Test(
    "A stale OPENBLAS_CORETYPE is repaired too, and left in the environment",
    .enabled(if: InstructionSet.ofProcessor != nil, "names of cores are those of x86-64"))
  func repairsStaleEnvironment() async {
    await #expect(processExitsWith: .success) {
      Environment["OPENBLAS_CORETYPE"] = "Prescott"
      let report = try OpenBLAS.shared.report
      try #require(report.chosenCore == "Prescott" && !report.isBelowProcessor, "\(report)")
      try #require(Environment["OPENBLAS_CORETYPE"] == "Prescott")
    }
  }

  @Test(
    "A core that the user insists on is obeyed",
    .enabled(if: InstructionSet.ofProcessor != nil, "names of cores are those of x86-64"))
  func obeysTheUser() async {
    await #expect(processExitsWith: .success) {
      Environment["HIGHLAND_OPENBLAS_CORETYPE"] = "Prescott"
      let report = try OpenBLAS.shared.report
      try #require(
        report.core == "Prescott" && report.isUsersChoice && !report.isRepaired, "\(report)")
    }
  }

  @Test("One thread, unless the user wants more")
  func countsThreads() async {
    await #expect(processExitsWith: .success) {
      Environment["OPENBLAS_NUM_THREADS"] = nil
      try #require(try OpenBLAS().report.threadCount == 1)
      Environment["OPENBLAS_NUM_THREADS"] = "2"
      try #require(
        try OpenBLAS().report.threadCount == min(2, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    }
  }

  @Test("A library that is not there is an error with its name")
  func reportsMissingLibrary() {
    let error = #expect(throws: OpenBLASError.self) {
      _ = try OpenBLAS(files: ["libnot-there.so.7", "libm.so.6"])
    }
    #expect(error?.description.contains("libnot-there.so.7") == true)
    #expect(error?.description.contains("libm.so.6: it lacks functions") == true)
  }

  @Test("Products agree with the plain chain, also from several threads")
  func agreesWithTwin() async throws {
    let library = try OpenBLAS.shared
    try requireAgreement(of: library)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { try requireAgreement(of: library) } }
      try await group.waitForAll()
    }
  }

  @Test("The report names version, core, repair and threads")
  func describesItself() {
    var report = OpenBLAS.Report(
      configuration: "OpenBLAS 0.3.21 DYNAMIC_ARCH SkylakeX", chosenCore: "SkylakeX",
      core: "SkylakeX", threadCount: 2)
    #expect(report.description == "OpenBLAS 0.3.21, core SkylakeX, 2 threads")
    report.chosenCore = "Haswell"
    report.threadCount = 1
    #expect(report.description == "OpenBLAS 0.3.21, core SkylakeX instead of Haswell, 1 thread")
    report.chosenCore = "Prescott"
    report.core = "Prescott"
    report.isUsersChoice = true
    let warning = InstructionSet.ofProcessor == nil ? "" : " (below the processor)"
    #expect(
      report.description
        == "OpenBLAS 0.3.21, core Prescott by HIGHLAND_OPENBLAS_CORETYPE\(warning), 1 thread")
  }

  @Test("Cores are ranked by the instructions of their kernels")
  func ranksCores() throws {
    let ranked = ["Prescott", "Nehalem", "Sandybridge", "Haswell", "SkylakeX"]
    let sets = try ranked.map { try #require(InstructionSet(core: $0)) }
    #expect(sets == sets.sorted() && Set(sets).count == sets.count)
    #expect(InstructionSet(core: "Zen") == .avx2)
    #expect(InstructionSet(core: "SapphireRapids") == InstructionSet(core: "Cooperlake"))
    #expect(InstructionSet(core: "NeoverseN1") == nil)
  }
}

private let openBLASFiles = ["libopenblas.so.0", "libopenblas.so"]

/// The variables of a test's own process.
private enum Environment {
  static subscript(name: String) -> String? {
    get { unsafe getenv(name).map { unsafe String(cString: $0) } }
    set {
      if let newValue { unsafe setenv(name, newValue, 1) } else { unsafe unsetenv(name) }
    }
  }
}

/// Within the error bound of sums in any order, 2 · depth² · ε for elements of magnitude below 1.
private func requireAgreement(of library: OpenBLAS) throws {
  for (m, n, k) in [(1, 1, 1), (0, 3, 2), (3, 0, 2), (3, 2, 0), (33, 40, 100), (100, 130, 300)] {
    let a = randomMatrix(m, k, seed: 1)
    let b = randomMatrix(n, k, seed: 2)
    var columns = Matrix(rows: k, columns: n)
    for i in 0..<n { for j in 0..<k { columns[j, i] = b[i, j] } }
    let expected = referenceProduct(a, b).elements
    var (found, alike) = (randomMatrix(m, n, seed: 3), Matrix(rows: m, columns: n))
    library.multiply(a, b, transposingB: true, into: &found)
    library.multiply(a, columns, into: &alike)
    let bound = 2 * Float(k * k) * Float.ulpOfOne
    for product in [found.elements, alike.elements] {
      try #require(zip(product, expected).allSatisfy { abs($0 - $1) <= bound })
    }
  }
}
