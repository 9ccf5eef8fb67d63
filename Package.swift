// swift-tools-version: 6.2
import PackageDescription

/// Set by Scripts/check; warnings of dependencies stay warnings.
let areWarningsErrors = Context.environment["WARNINGS_AS_ERRORS"] != nil

/// The MPI that is linked: `mpich`, or the name by which pkg-config knows another. If nothing is said, or `openmpi`, none
/// is: Open MPI is found at run time. Ranks must be started by the `mpirun` of the same one.
let linkedMPI = Context.environment["HIGHLAND_MPI"].flatMap { $0 == "openmpi" ? nil : $0 }

let strict: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
  ] + (areWarningsErrors ? [.treatAllWarnings(as: .error)] : [])

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

/// A module of the library; each imports only from modules above it in the list below.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The unit tests of one module.
func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.target(name: name), "TestTags"] + dependencies,
    swiftSettings: strict)
}

let package = Package(
  name: "Highland",
  products: [
    .executable(name: "highland", targets: ["highland"]),
    // For programs that cluster, search, train and evaluate by themselves: Examples/Library. Each with the
    // modules whose types it takes and returns.
    .library(
      name: "HierarchicalClustering",
      targets: [
        "HierarchicalClustering", "Communication", "Datasets", "DefaultModel",
        "DiscriminantTransforms", "DistributedGraphs", "Evaluation", "GraphNetworks",
        "LinearAlgebra", "Parallelism",
      ]),
    .library(
      name: "NeighborSearch",
      targets: [
        "NeighborSearch", "Communication", "DistributedGraphs", "LinearAlgebra", "Parallelism",
      ]),
    .library(
      name: "Training",
      targets: [
        "Training", "Communication", "Datasets", "Differentiation", "DiscriminantTransforms",
        "DistributedGraphs", "GraphNetworks", "HierarchicalClustering", "LinearAlgebra",
        "Optimization", "Parallelism",
        "SimilarityStructure",
      ]),
    .library(name: "Evaluation", targets: ["Evaluation", "Communication", "SpeakerTurns"]),
    .library(
      name: "GraphPartitioning",
      targets: [
        "GraphPartitioning", "Communication", "Datasets", "DistributedGraphs", "LinearAlgebra",
      ]),
    .library(name: "MPICommunication", targets: ["MPICommunication", "Communication"]),
    .library(name: "LinearAlgebra", targets: ["LinearAlgebra"]),
    .library(name: "Parallelism", targets: ["Parallelism"]),
    // libHighland.so, for C and Python. Scripts/build-wheel makes libhighland.so of it, which needs no Swift.
    .library(name: "Highland", type: .dynamic, targets: ["CInterface"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // What Swift cannot import from the C headers, and the C kernels.
    .target(
      name: "CMPI", dependencies: linkedMPI == nil ? [] : ["CSystemMPI"],
      cSettings: linkedMPI == nil ? [] : [.define("CMPI_LINKED")],
      linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "COpenBLAS", linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CFiles"),
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),

    // The library.
    module("Communication", []),
    module("MPICommunication", ["CMPI", "Communication"]),
    module("MPIPrograms", ["Communication", "MPICommunication"]),
    module("Parallelism", []),
    module("RandomNumbers", []),
    module("LinearAlgebra", ["CKernels", "COpenBLAS", "Parallelism"]),
    module("DistributedGraphs", ["Communication", "LinearAlgebra"]),
    module(
      "Differentiation",
      ["CKernels", "Communication", "DistributedGraphs", "LinearAlgebra", "Parallelism"]),
    module("Optimization", ["CKernels", "Communication", "Differentiation", "LinearAlgebra"]),
    module("SpeakerTurns", ["LinearAlgebra"]),
    module("Datasets", ["CFiles", "Communication", "LinearAlgebra", "SpeakerTurns"]),
    module("SyntheticData", ["LinearAlgebra", "RandomNumbers"]),
    module("GraphCollections", ["Datasets", "LinearAlgebra", "RandomNumbers"]),
    module(
      "GraphClassification",
      [
        "Communication", "Datasets", "Differentiation", "GraphCollections", "LinearAlgebra",
        "Optimization", "Parallelism", "RandomNumbers",
      ]),
    module(
      "NeighborSearch",
      [
        "CKernels", "Communication", "DistributedGraphs", "LinearAlgebra", "Parallelism",
        "RandomNumbers",
      ]),
    module("GraphPartitioning", ["Communication", "DistributedGraphs", "RandomNumbers"]),
    module(
      "SimilarityStructure",
      ["Communication", "DistributedGraphs", "LinearAlgebra", "Parallelism"]),
    module(
      "GraphNetworks",
      [
        "CKernels", "Communication", "Datasets", "DistributedGraphs", "LinearAlgebra",
        "Parallelism", "SimilarityStructure",
      ]),
    module(
      "FlowClustering", ["Communication", "DistributedGraphs", "Parallelism", "RandomNumbers"]),
    module(
      "HierarchicalClustering",
      [
        "CKernels", "Communication", "Datasets", "DefaultModel", "DiscriminantTransforms",
        "DistributedGraphs", "Evaluation", "FlowClustering", "GraphNetworks", "GraphPartitioning",
        "LinearAlgebra", "NeighborSearch",
        "Parallelism", "RandomNumbers", "SimilarityStructure",
      ]),
    module(
      "GraphBaselines",
      [
        "Communication", "DistributedGraphs", "HierarchicalClustering", "LinearAlgebra",
        "NeighborSearch", "Parallelism",
      ]),
    module("PrincipalComponents", ["Communication", "LinearAlgebra", "Parallelism"]),
    module(
      "DiscriminantTransforms",
      ["Communication", "Datasets", "LinearAlgebra", "Parallelism", "PrincipalComponents"]),
    module("Evaluation", ["Communication", "DistributedGraphs", "RandomNumbers", "SpeakerTurns"]),
    .target(
      name: "DefaultModel", resources: [.embedInCode("default.safetensors")],
      swiftSettings: strict),
    module("Charts", []),
    module(
      "HierarchyReports",
      [
        "Charts", "Communication", "Datasets", "DistributedGraphs", "Evaluation", "GraphNetworks",
        "HierarchicalClustering", "LinearAlgebra",
      ]),
    module(
      "Training",
      [
        "Communication", "Datasets", "Differentiation", "DiscriminantTransforms",
        "DistributedGraphs", "Evaluation", "GraphNetworks", "HierarchicalClustering",
        "LinearAlgebra", "NeighborSearch",
        "Optimization", "Parallelism", "RandomNumbers", "SimilarityStructure",
      ]),

    // The program.
    .target(name: "CHighland"),
    module(
      "Program",
      [
        "CHighland", "Charts", "Communication", "Datasets", "DefaultModel", "Differentiation",
        "DiscriminantTransforms", "DistributedGraphs", "Evaluation", "GraphBaselines",
        "GraphClassification", "GraphCollections",
        "GraphNetworks", "HierarchicalClustering", "HierarchyReports", "LinearAlgebra",
        "MPICommunication", "MPIPrograms", "NeighborSearch", "Optimization", "Parallelism",
        "PrincipalComponents", "SimilarityStructure", "SpeakerTurns", "SyntheticData", "Training",
        argumentParser, logging,
      ]),
    .executableTarget(name: "highland", dependencies: ["Program"], swiftSettings: strict),

    // The C interface, which has the program, too: a package carries one library for both.
    module(
      "CInterface",
      [
        "CHighland", "Communication", "Datasets", "DistributedGraphs", "Evaluation",
        "GraphNetworks", "HierarchicalClustering", "HierarchyReports", "LinearAlgebra",
        "MPICommunication", "NeighborSearch", "Parallelism", "Program", "Training",
      ]),

    // Tests.
    .target(name: "TestTags", path: "Tests/TestTags", swiftSettings: strict),
    module("CommunicationTesting", ["Communication", "RandomNumbers"]),
    .target(
      name: "RandomInputs",
      dependencies: ["DistributedGraphs", "GraphNetworks", "LinearAlgebra", "SimilarityStructure"],
      path: "Tests/RandomInputs", swiftSettings: strict),
    .target(
      name: "ClusteringChecks",
      dependencies: [
        "Communication", "GraphNetworks", "HierarchicalClustering", "LinearAlgebra", "Parallelism",
        "RandomInputs",
      ],
      path: "Tests/ClusteringChecks", swiftSettings: strict),
    .target(
      name: "FileMutations",
      dependencies: [
        "Communication", "Datasets", "DefaultModel", "DistributedGraphs", "GraphCollections",
        "HierarchicalClustering", "LinearAlgebra", "NeighborSearch", "Optimization", "Training",
      ],
      path: "Tests/FileMutations", swiftSettings: strict),
    .testTarget(
      name: "FileMutationTests", dependencies: ["FileMutations", "RandomInputs"],
      swiftSettings: strict),
    tests(of: "Communication", ["CommunicationTesting", "Parallelism"]),
    tests(of: "RandomNumbers"),
    tests(of: "LinearAlgebra", ["CKernels", "Parallelism", "RandomInputs"]),
    tests(of: "SpeakerTurns", ["LinearAlgebra", "RandomInputs"]),
    tests(of: "Datasets", ["Communication", "LinearAlgebra", "SpeakerTurns"]),
    tests(of: "SyntheticData", ["LinearAlgebra"]),
    tests(
      of: "GraphCollections", ["Datasets", "LinearAlgebra", "RandomInputs", "RandomNumbers"]),
    tests(of: "Evaluation", ["Communication", "RandomInputs", "SpeakerTurns"]),
    tests(
      of: "HierarchyReports", ["Communication", "Datasets", "Evaluation", "LinearAlgebra"]),
    tests(
      of: "PrincipalComponents",
      ["Communication", "LinearAlgebra", "Parallelism", "RandomInputs"]),
    tests(
      of: "DiscriminantTransforms",
      ["Communication", "Datasets", "LinearAlgebra", "Parallelism", "RandomInputs"]),
    tests(of: "Charts"),
    tests(of: "DistributedGraphs", ["Communication", "LinearAlgebra", "RandomInputs"]),
    tests(
      of: "Differentiation",
      [
        "Communication", "CommunicationTesting", "DistributedGraphs", "LinearAlgebra",
        "Parallelism", "RandomInputs",
      ]),
    tests(
      of: "GraphClassification",
      [
        "Communication", "CommunicationTesting", "Datasets", "Differentiation",
        "GraphCollections", "LinearAlgebra", "Optimization", "Parallelism", "RandomInputs",
      ]),
    tests(of: "Optimization", ["Communication", "Differentiation", "LinearAlgebra"]),
    tests(
      of: "NeighborSearch",
      [
        "CKernels", "Communication", "DistributedGraphs", "LinearAlgebra", "Parallelism",
        "RandomInputs",
      ]),
    tests(
      of: "GraphPartitioning",
      [
        "Communication", "DistributedGraphs", "LinearAlgebra", "NeighborSearch", "RandomInputs",
        "RandomNumbers",
      ]),
    tests(
      of: "FlowClustering", ["Communication", "DistributedGraphs", "Parallelism", "RandomInputs"]),
    tests(
      of: "SimilarityStructure",
      [
        "Communication", "DistributedGraphs", "LinearAlgebra", "NeighborSearch", "Parallelism",
        "RandomInputs",
      ]),
    tests(
      of: "GraphNetworks",
      [
        "Communication", "Datasets", "DistributedGraphs", "LinearAlgebra", "Parallelism",
        "RandomInputs", "SimilarityStructure",
      ]),
    tests(
      of: "HierarchicalClustering",
      [
        "ClusteringChecks", "Communication", "Datasets", "DistributedGraphs", "Evaluation",
        "GraphNetworks", "LinearAlgebra", "NeighborSearch", "Parallelism", "RandomInputs",
        "RandomNumbers", "SyntheticData",
      ]),
    tests(
      of: "GraphBaselines",
      [
        "Communication", "DistributedGraphs", "LinearAlgebra", "NeighborSearch", "Parallelism",
        "RandomInputs",
      ]),
    tests(
      of: "Training",
      [
        "Communication", "Datasets", "Differentiation", "DiscriminantTransforms",
        "DistributedGraphs", "Evaluation", "GraphNetworks", "HierarchicalClustering",
        "LinearAlgebra", "NeighborSearch",
        "Optimization", "Parallelism", "RandomInputs", "RandomNumbers", "SimilarityStructure",
        "SyntheticData",
      ]),
    .executableTarget(
      name: "MPIChecks",
      dependencies: [
        "ClusteringChecks", "Communication", "CommunicationTesting", "DistributedGraphs",
        "LinearAlgebra", "MPICommunication", "MPIPrograms", "NeighborSearch", "Parallelism",
        "RandomInputs",
      ],
      path: "Tests/MPIChecks", swiftSettings: strict),
    .testTarget(
      name: "ProgramTests",
      dependencies: [
        "highland", "MPIChecks", "Communication", "Datasets", "Evaluation",
        "HierarchicalClustering", "HierarchyReports", "LinearAlgebra", "RandomInputs", subprocess,
      ],
      swiftSettings: strict),
  ]
)

if let linkedMPI {
  package.targets.append(
    .systemLibrary(
      name: "CSystemMPI", pkgConfig: linkedMPI, providers: [.apt(["libmpich-dev", "mpich"])]))
}

// Scripts/fuzz: its main program is that of libFuzzer.
if Context.environment["HIGHLAND_FUZZER"] != nil {
  package.targets.append(
    .executableTarget(
      name: "FuzzReaders", dependencies: ["FileMutations"], path: "Tests/FuzzReaders",
      swiftSettings: strict))
}

// Scripts/check threads: the modules that have tests of its tag.
if let tested = Context.environment["HIGHLAND_TESTED"]?.split(separator: " ") {
  package.targets.removeAll { target in
    target.type == .test && !tested.contains { target.name == "\($0)Tests" }
  }
}
