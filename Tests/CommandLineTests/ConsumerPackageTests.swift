import Foundation
import Testing

/// Another package that wants the tensor runtime alone, by version, as the README says.
@Suite("A package that depends on TensorRuntime", .serialized)
struct ConsumerPackageTests {
    private static let manifest = """
        // swift-tools-version: 6.0
        import PackageDescription

        let package = Package(
            name: "consumer",
            dependencies: [.package(url: "file://CLONE", from: "0.1.0")],
            targets: [
                .executableTarget(
                    name: "consumer", dependencies: [.product(name: "TensorRuntime", package: "llmbench")])
            ])

        """

    private static let main = """
        import TensorRuntime

        let unet = UNetGraph(baseChannels: 2, depth: 1, size: 8)
        let session = try GraphSession(
            train: unet.train, evaluation: unet.evaluation, tensors: unet.initialTensors(seed: 1),
            options: RuntimeOptions(threads: 1, seed: 1))
        let optimizer = try Optimizer(.adam(), parameters: session.parameters)
        let image = try Tensor(shape: [1, 1, 8, 8], values: (0..<64).map { $0 % 8 < 4 ? 1 : 0 })
        var losses: [Float] = []
        for _ in 0..<20 {
            losses.append(try session.step(["image": image, "mask": image]))
            try optimizer.step(session.parameters)
        }
        let probability = try session.predict(["image": image])
        print("shape \\(probability.shape), loss fell: \\(losses[19] < losses[0])")

        """

    private static func git(_ arguments: String..., folder: URL) async throws {
        let outcome = try await Program(executable: URL(filePath: "/usr/bin/env"), folder: folder).run(
            ["git", "-c", "tag.gpgSign=false"] + arguments)
        guard outcome.status == 0 else {
            throw Program.Failure(
                description:
                    "these tests clone the checkout they belong to, \(Checkout.root.path), which must be one of git:\n\(outcome)"
            )
        }
    }

    @Test("of a tagged clone builds it without the rest of llmbench, and trains with it", .timeLimit(.minutes(40)))
    func consumer() async throws {
        let scratch = try Scratch()
        let clone = scratch.url.appending(path: "llmbench")
        // What is committed; tags of the checkout would compete with the one made here.
        try await Self.git("clone", "--quiet", "--no-tags", Checkout.root.path, clone.path, folder: scratch.url)
        try await Self.git("tag", "0.1.0", folder: clone)

        let consumer = scratch.url.appending(path: "consumer")
        let sources = consumer.appending(path: "Sources/consumer")
        try FileManager.default.createDirectory(at: sources, withIntermediateDirectories: true)
        try Self.manifest.replacing("CLONE", with: clone.path).write(
            to: consumer.appending(path: "Package.swift"), atomically: true, encoding: .utf8)
        try Self.main.write(to: sources.appending(path: "main.swift"), atomically: true, encoding: .utf8)

        // The package manager leaves lock files in the temporary folder.
        let swift = Program(
            executable: URL(filePath: "/usr/bin/env"), variables: ["TMPDIR": scratch.url.path], folder: consumer)
        // Without the optimiser, which takes a minute over the kernels; the other flags stay.
        let built = try await swift.run(["swift", "build", "-Xswiftc", "-Onone"], limit: .seconds(280))
        #expect(built.status == 0, "\(built)")
        let run = try await swift.run(["swift", "run", "--skip-build", "consumer"])
        #expect(run.output == "shape [1, 1, 8, 8], loss fell: true\n", "\(run)")

        let modules = try FileManager.default.subpathsOfDirectory(
            atPath: consumer.appending(path: ".build/debug/Modules").path)
        #expect(modules.contains("TensorRuntime.swiftmodule"))
        let others = modules.filter { $0.hasSuffix(".swiftmodule") }.sorted()
        #expect(
            others == ["TensorRuntime.swiftmodule", "consumer.swiftmodule"], "only what the product needs is built")
    }
}
