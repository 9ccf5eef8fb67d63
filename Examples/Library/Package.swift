// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Library",
  dependencies: [.package(name: "Highland", path: "../..")],
  targets: [
    .executableTarget(
      name: "grouping",
      dependencies: [
        .product(name: "Evaluation", package: "Highland"),
        .product(name: "HierarchicalClustering", package: "Highland"),
        .product(name: "MPICommunication", package: "Highland"),
        .product(name: "NeighborSearch", package: "Highland"),
        .product(name: "Training", package: "Highland"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
      ])
  ]
)
