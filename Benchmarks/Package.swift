// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "Highland", path: "..")],
  targets: [
    .executableTarget(
      name: "partitions",
      dependencies: [.product(name: "GraphPartitioning", package: "Highland")],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .strictMemorySafety(),
      ]),
    .executableTarget(
      name: "kernels",
      dependencies: [
        .product(name: "LinearAlgebra", package: "Highland"),
        .product(name: "Parallelism", package: "Highland"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .strictMemorySafety(),
      ]),
  ]
)
