// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The instruction set is chosen when the package is built: `native` unless LLMBENCH_MARCH names another
// (x86-64-v2, x86-64-v3, x86-64-v4, ...). The numeric kernels are optimised in debug builds too; without this
// the tests would take hours.
let march = ProcessInfo.processInfo.environment["LLMBENCH_MARCH"] ?? "native"

/// Whether the chosen instruction set has fused multiply-add; without it `fma` would be a library call per lane.
let hasFMA: Bool = {
    switch march {
    case "x86-64", "x86-64-v2": return false
    case "native":
        guard let cpu = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
            let flags = cpu.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
        else { return true }
        return flags.split(separator: " ").contains("fma")
    default: return true
    }
}()

let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
let kernels: [SwiftSetting] =
    strict
    // Whole module: kernels are generic over the element's formula, and are specialised across files only then.
    + [.unsafeFlags(["-O", "-disable-batch-mode", "-wmo", "-num-threads", "2", "-Xcc", "-march=\(march)"])]
    + (hasFMA ? [.define("LLMBENCH_FMA")] : [])

// Rank distributions and resampling take minutes in a debug build without this; no instruction set is asked for.
let optimised: [SwiftSetting] = strict + [.unsafeFlags(["-O"])]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")

let package = Package(
    name: "llmbench",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "llmbench", targets: ["llmbench"]),
        .library(name: "TensorRuntime", targets: ["TensorRuntime"]),
        // What generated Swift code is compiled against: one shared library with the runtime inside.
        .library(name: "PipelineKit", type: .dynamic, targets: ["PipelineKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swhitty/FlyingFox", .upToNextMinor(from: "0.27.1")),
    ],
    targets: [
        // The command line.
        .executableTarget(
            name: "llmbench",
            dependencies: [
                "Studies", "Reporting", "Audit", "LabelBudget", "Baselines", "Training", "Capture", "Generation",
                "Diagnosis", "Sandbox", "Drawing", "Polygons", "Prompts",
                "Exchanges", "Endpoints", "ResultStore", "Statistics", "PublishedFigures", "Tables", "Metrics",
                "Datasets", "Files",
                "TensorRuntime", argumentParser,
            ],
            swiftSettings: strict),

        // The parts, from the top of the import order to the bottom.
        .target(
            name: "Studies",
            dependencies: [
                "Baselines", "Training", "Capture", "Generation", "Diagnosis", "Prompts", "Exchanges", "Endpoints",
                "Sandbox", "ResultStore", "Datasets", "Files",
                "Hashing", yams,
            ],
            swiftSettings: strict),
        .target(
            name: "Reporting",
            dependencies: [
                "LabelBudget", "Drawing", "Polygons", "Training", "ResultStore", "TensorRuntime", "Metrics", "Datasets",
                "Files",
                "Statistics", "PublishedFigures", "CXLSXWriter", "CCairo", mustache, flyingFox,
            ],
            resources: ["page.mustache", "style.css", "report.js", "icon.svg"].map {
                .embedInCode("Templates/\($0)")
            },
            swiftSettings: strict),
        .target(
            name: "Audit",
            dependencies: [
                "Drawing", "PublishedFigures", "Tables", "ResultStore", "Statistics", "Datasets", "Files", "Hashing",
            ],
            swiftSettings: strict),
        .target(
            name: "Baselines",
            dependencies: [
                "Training", "NNUNet", "Sandbox", "ResultStore", "TensorRuntime", "Metrics", "Datasets", "Files",
                "Hashing",
            ],
            resources: [.copy("Driver")],
            swiftSettings: strict),
        .target(
            name: "Training",
            dependencies: [
                "Capture", "Diagnosis", "Sandbox", "ResultStore", "TensorRuntime", "Metrics", "Datasets", "Files",
                "Hashing",
            ],
            swiftSettings: strict),
        .target(
            name: "Capture",
            dependencies: ["Sandbox", "Datasets", "Files", "ResultStore", "TensorRuntime", "Hashing"],
            resources: [.copy("Helper")],
            swiftSettings: strict),
        .target(
            name: "Generation",
            dependencies: [
                "Exchanges", "Endpoints", "Prompts", "Sandbox", "Diagnosis", "ResultStore", "Datasets", "Files",
                "Hashing",
            ],
            swiftSettings: strict),
        // What a drawing is worth in labels: networks trained on few, and where they overtake what was drawn.
        .target(
            name: "LabelBudget",
            dependencies: [
                "Drawing", "Polygons", "NNUNet", "TensorRuntime", "ResultStore", "Statistics", "Metrics", "Datasets",
                "Files",
            ],
            swiftSettings: optimised),
        // Drawings asked of a model, or made by a control, scored and stored; it works on pictures pixel by pixel.
        .target(
            name: "Drawing",
            dependencies: [
                "Polygons", "Exchanges", "Endpoints", "Prompts", "ResultStore", "Statistics", "Metrics", "Datasets",
                "Files",
                "Hashing",
            ],
            swiftSettings: optimised),
        // What was asked for money and what came back: files that are whole or not there, and the bill.
        .target(name: "Exchanges", dependencies: ["Endpoints", "ResultStore", "Files"], swiftSettings: strict),
        // The training-free study: what a model draws, read, filled, judged and refined. Pure: no network, no processes.
        .target(name: "Polygons", dependencies: ["Metrics", "Statistics", "Datasets"], swiftSettings: optimised),
        .target(name: "Diagnosis", dependencies: ["Sandbox", "Datasets", "Files", "CZlib"], swiftSettings: strict),
        .target(name: "Sandbox", dependencies: ["CSpawn", "CSeccomp", "Files", "Hashing"], swiftSettings: strict),
        .target(name: "Prompts", dependencies: ["Hashing"], swiftSettings: strict),
        .target(name: "Endpoints", dependencies: ["CCurl", yams, "Hashing"], swiftSettings: strict),
        .target(name: "ResultStore", dependencies: ["Files", grdb], swiftSettings: strict),
        .target(
            name: "PublishedFigures", dependencies: ["Tables"], exclude: ["README.md"],
            resources: [
                "models", "architectures", "run_to_run", "test_dice", "table3", "figure8", "label_budget", "glioma",
                "statements",
            ].map { .embedInCode("Data/\($0).csv") },
            swiftSettings: strict),
        .target(name: "Tables", swiftSettings: strict),
        .target(name: "Statistics", swiftSettings: optimised),
        .target(name: "Metrics", swiftSettings: optimised),
        .target(name: "Datasets", dependencies: ["CPNG", "CZlib", "Files", "Hashing"], swiftSettings: optimised),
        .target(name: "Hashing", dependencies: ["CCrypto"], swiftSettings: strict),
        // The host's files: whole or not there, locked, read with care; failures in the system's own words.
        .target(name: "Files", swiftSettings: strict),
        // What Swift code written by a model may use besides the runtime. No network, no processes.
        .target(
            name: "PipelineKit", dependencies: ["TensorRuntime", "Metrics", "Datasets", "CXLSXWriter", "CCairo"],
            swiftSettings: optimised),
        // nnU-Net's 2d configuration: plan, network, training and inference after its published rules.
        .target(name: "NNUNet", dependencies: ["TensorRuntime"], swiftSettings: optimised),
        .target(name: "TensorRuntime", swiftSettings: kernels),

        // C libraries of the system.
        .target(name: "CCurl", path: "Sources/CLibraries/CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CSpawn", path: "Sources/CLibraries/CSpawn"),
        .target(name: "CPNG", path: "Sources/CLibraries/CPNG", linkerSettings: [.linkedLibrary("png")]),
        .systemLibrary(
            name: "CZlib", path: "Sources/CLibraries/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CCrypto", path: "Sources/CLibraries/CCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CSeccomp", path: "Sources/CLibraries/CSeccomp", pkgConfig: "libseccomp",
            providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(
            name: "CCairo", path: "Sources/CLibraries/CCairo", pkgConfig: "cairo",
            providers: [.apt(["libcairo2-dev"])]),
        .systemLibrary(
            name: "CXLSXWriter", path: "Sources/CLibraries/CXLSXWriter", pkgConfig: "xlsxwriter",
            providers: [.apt(["libxlsxwriter-dev"])]),

        // Tests, and what several of them share: a loopback server, seeded random numbers, mutated replies;
        // a counter of heap allocations.
        .target(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(
            name: "TensorRuntimeTests", dependencies: ["TensorRuntime", "AllocationCounter"],
            swiftSettings: strict),
        .testTarget(
            name: "NNUNetTests", dependencies: ["NNUNet", "TensorRuntime", "Hashing"], exclude: ["Reference"],
            swiftSettings: strict),
        .testTarget(
            name: "PipelineKitTests", dependencies: ["PipelineKit", "TensorRuntime", "Datasets", "Diagnosis"],
            swiftSettings: strict),
        .testTarget(name: "HashingTests", dependencies: ["Hashing"], swiftSettings: strict),
        .testTarget(name: "FilesTests", dependencies: ["Files"], swiftSettings: strict),
        .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "Files", "CZlib"], swiftSettings: strict),
        .testTarget(
            name: "MetricsTests", dependencies: ["Metrics", "Statistics", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "StatisticsTests", dependencies: ["Statistics", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "PolygonsTests", dependencies: ["Polygons", "Metrics", "Statistics", "Datasets", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "LabelBudgetTests",
            dependencies: [
                "LabelBudget", "Polygons", "NNUNet", "TensorRuntime", "ResultStore", "Statistics", "Metrics",
                "Datasets", "Files",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(name: "TablesTests", dependencies: ["Tables"], swiftSettings: strict),
        .testTarget(
            name: "PublishedFiguresTests", dependencies: ["PublishedFigures", "Statistics", "Tables"],
            swiftSettings: strict),
        .testTarget(
            name: "EndpointsTests", dependencies: ["Endpoints", "Prompts", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SandboxTests", dependencies: ["Sandbox", "Diagnosis", "Datasets", "Files"], swiftSettings: strict),
        .testTarget(
            name: "DiagnosisTests", dependencies: ["Diagnosis", "Sandbox", "Datasets", "Files", "CZlib"],
            swiftSettings: strict),
        // The loop in a process of its own, which tests kill, and what it shares with them.
        .target(
            name: "GenerationTestSupport",
            dependencies: ["Generation", "ResultStore", "Endpoints", "Prompts", "Sandbox", "Diagnosis"],
            path: "Tests/GenerationTestSupport", swiftSettings: strict),
        .executableTarget(
            name: "generation-probe", dependencies: ["GenerationTestSupport"], path: "Tests/GenerationProbe",
            swiftSettings: strict),
        .testTarget(
            name: "GenerationTests",
            dependencies: [
                "Generation", "ResultStore", "Files", "TestSupport", "GenerationTestSupport", "generation-probe",
                grdb,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DrawingTests",
            dependencies: [
                "Drawing", "Polygons", "Exchanges", "Endpoints", "Prompts", "ResultStore", "Metrics", "Datasets",
                "Files",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CaptureTests",
            dependencies: ["Capture", "Sandbox", "Datasets", "ResultStore", "TensorRuntime"], swiftSettings: strict),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Training", "Capture", "Generation", "Diagnosis", "Sandbox", "ResultStore", "TensorRuntime", "Datasets",
                "Files",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BaselinesTests", dependencies: ["Baselines", "ResultStore", "Datasets", "Files", "Metrics"],
            swiftSettings: strict),
        .testTarget(
            name: "AuditTests",
            dependencies: [
                "Audit", "PublishedFigures", "Tables", "Statistics", "ResultStore", "Datasets", "Hashing",
                "TestSupport", grdb,
            ],
            swiftSettings: strict),
        // A made-up study in a real store and a real folder, for tests and for timing.
        .target(
            name: "PageTestSupport",
            dependencies: ["Reporting", "Training", "TensorRuntime", "ResultStore", "Datasets", "Hashing"],
            path: "Tests/PageTestSupport", swiftSettings: strict),
        .executableTarget(
            name: "page-study", dependencies: ["PageTestSupport"], path: "Tests/PageStudy", swiftSettings: strict),
        // A study in a process of its own, which tests kill, and what it shares with them.
        .testTarget(
            name: "StudiesTests",
            dependencies: [
                "Studies", "Training", "Generation", "Endpoints", "Prompts", "ResultStore", "Datasets", "Sandbox",
                "TestSupport", "llmbench", grdb,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ReportingTests",
            dependencies: [
                "Reporting", "LabelBudget", "Drawing", "Polygons", "Training", "ResultStore", "TensorRuntime",
                "Metrics",
                "Datasets", "Statistics",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "PageTests",
            dependencies: [
                "PageTestSupport", "TestSupport", "Reporting", "ResultStore", "TensorRuntime", "Datasets", grdb,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["llmbench", "TensorRuntime", "Datasets", "ResultStore", "TestSupport", grdb],
            swiftSettings: strict
        ),
    ]
)
