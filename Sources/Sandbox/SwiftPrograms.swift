import Foundation

/// Compiles the Swift files of a pipeline.
public struct SwiftPrograms: Sendable {
    public let runner: any SandboxRunner
    public let swift: SwiftEnvironment

    /// Of a compiler: four files of a pipeline take seconds, an expression that its type checker cannot solve takes for ever.
    public static let compilerLimits = SandboxLimits(
        wallSeconds: 120, cpuSeconds: 240, memoryBytes: 8 << 30, writtenBytes: 1 << 30, outputBytes: 4 << 20)

    public init(runner: any SandboxRunner, swift: SwiftEnvironment) {
        self.runner = runner
        self.swift = swift
    }

    /// Compiles every `.swift` file of a folder into `pipeline` below `build`, which exists and is empty.
    ///
    /// - Throws: `SandboxError`.
    public func compile(
        _ code: URL, into build: URL, limits: SandboxLimits = SwiftPrograms.compilerLimits, standardOutput: URL,
        standardError: URL
    ) async throws -> SandboxOutcome {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: code.path(percentEncoded: false))) ?? []
        return try await runner.run(
            swift.compilation(
                of: names.filter { $0.hasSuffix(".swift") }.sorted(), code: code, build: build, limits: limits,
                standardOutput: standardOutput, standardError: standardError))
    }
}
