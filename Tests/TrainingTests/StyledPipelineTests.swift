import Capture
import Datasets
import Foundation
import Generation
import ResultStore
import Sandbox
import TestSupport
import Testing

@testable import Training

/// Pipelines of many makes (Tests/Fixtures/pipelines/styles) on the way that a generated one goes: checked in the sandbox, captured,
/// and trained by the runtime beside PyTorch, as near as design §8 asks; or refused in one line, and trained as they are.
///
/// All of them in `scripts/verify`; a seeded sample of two that are captured and one that is not otherwise. LLMBENCH_STYLES names
/// others, with commas between them.
@Suite("A pipeline of its own style", .serialized)
struct StyledPipelineTests {
    private static let chosen: [StyledPipeline] = {
        if let names = ProcessInfo.processInfo.environment["LLMBENCH_STYLES"]?.split(separator: ",") {
            return StyledPipeline.all.filter { names.contains(Substring($0.name)) }
        }
        guard !Trials.isVerifying else { return StyledPipeline.all }
        var generator = SplitMix64(seed: Trials.seed("StyledPipelineTests"))
        let (captured, refused) = (
            StyledPipeline.all.filter { !$0.isForEmittedAlone }, StyledPipeline.all.filter(\.isForEmittedAlone)
        )
        let first = generator.next(upTo: captured.count)
        let second = (first + 1 + generator.next(upTo: captured.count - 1)) % captured.count
        return [captured[first], captured[second]]
            + (refused.isEmpty ? [] : [refused[generator.next(upTo: refused.count)]])
    }()

    @Test("is checked, captured and trained", .timeLimit(.minutes(40)), arguments: chosen)
    func wholePath(pipeline: StyledPipeline) async throws {
        let place = try DiscWorkspace(pipeline.images)
        try place.install("styles/\(pipeline.name)")
        let stage = try place.stageWithPython()
        let (dataset, workspace, directory) = (place.dataset, place.workspace, place.directory)
        async let verdict = Self.check(directory, dataset, workspace)
        let capture = try await stage.capture(place.run)
        let checked = try await verdict
        #expect(checked.kind == .clean, "\(pipeline): \(checked.detail)")
        #expect(capture.refusals == pipeline.refusals)
        let folder = place.directory.capture(seed: 0, epochs: nil)
        let description = try CaptureStage.description(in: folder)
        #expect(description.stochasticData == pipeline.isStochastic)
        expect(description, pipeline)
        if pipeline.isForEmittedAlone {
            try await trainAsItIs(pipeline, place, stage)
        } else {
            try await trainBesidePyTorch(pipeline, place, stage, folder)
        }
    }

    /// The check run, with the contract of what a pipeline leaves behind.
    private static func check(
        _ directory: RunDirectory, _ dataset: Dataset, _ workspace: Workspace
    ) async throws -> CheckVerdict {
        let root = DiscWorkspace.fixtures.deletingLastPathComponent().deletingLastPathComponent()
        let python = try PythonEnvironment.locate(requirements: root.appending(path: "requirements.txt"))
        let round = directory.round(0)
        try FileManager.default.createDirectory(at: round.output, withIntermediateDirectories: true)
        return try await SandboxedCheck(
            runner: BubblewrapSandbox(python: python), python: python, helper: try #require(HelperFiles.url),
            subset: CheckSubset.stage(dataset, hash: dataset.contentHash(), in: workspace)
        ).run(files: directory.final, in: round)
    }

    /// Loop and data as they were read off the running program.
    private func expect(_ found: PipelineDescription, _ pipeline: StyledPipeline) {
        if let wanted = pipeline.handling {
            #expect(found.facts?.splitMethod == wanted.split && found.facts?.splitSeed == wanted.seed)
            #expect(found.facts?.resize == wanted.resize && found.facts?.maskResize == wanted.maskResize)
            #expect(found.facts?.colour == wanted.colour)
            #expect(found.facts?.loading == wanted.loading)
            #expect(found.facts?.mainFeatures == wanted.features)
        }
        guard let wanted = pipeline.loop else { return }
        #expect(found.optimizer?.name == wanted.optimizer)
        #expect(found.scheduler.map { [$0.name, $0.when] } == wanted.scheduler)
        #expect(found.gradientClip?.kind == wanted.clip)
        #expect((found.accumulation ?? 1) == wanted.accumulation)
        #expect(found.evaluatedWeights?.monitor == wanted.best)
        #expect(found.earlyStopping?.patience == wanted.patience)
        #expect(found.batchSize == wanted.batch)
        #expect(found.facts?.loss == wanted.loss)
    }

    private func trainBesidePyTorch(
        _ pipeline: StyledPipeline, _ place: DiscWorkspace, _ stage: TrainingStage, _ folder: URL
    ) async throws {
        let agreement = try await EngineAgreement.measure(
            CapturedPipeline(folder: folder), engine: PyTorchEngine(helper: try #require(stage.helper)), seed: 0,
            threads: 2,
            folder: place.folder.url.appending(path: "agreement"))
        print(
            "\(pipeline): forward \(agreement.forwardError), gradient \(agreement.gradient) at "
                + "\(agreement.worstGradient ?? "none"), loss \(agreement.loss), output \(agreement.output)")
        #expect(agreement.steps == 50)
        #expect(agreement.isStepExact, "\(agreement)")
        // One training says little, since rounding grows exponentially: thirtyfold is the bound of a single one, as in
        // NetworkParityTests, and threefold that of the mean over all pipelines.
        #expect(agreement.loss.ratio <= 30 && agreement.output.ratio <= 30, "\(agreement)")
        let ratios = Ratios.shared.adding(pipeline.name, agreement)
        if ratios.count == StyledPipeline.all.filter({ !$0.isForEmittedAlone }).count {
            for (what, values) in [("loss", ratios.map(\.loss)), ("output", ratios.map(\.output))] {
                let mean = exp(values.map { log(max($0, 1e-3)) }.reduce(0, +) / Double(values.count))
                print("\(what): \(mean) times PyTorch's own difference over \(values.count) pipelines")
                #expect(mean <= 3, "\(what)")
            }
        }
    }

    private func trainAsItIs(_ pipeline: StyledPipeline, _ place: DiscWorkspace, _ stage: TrainingStage) async throws {
        await #expect(throws: TrainingError.self) { try await stage.train(place.run, engine: .swift) }
        let training = try await stage.train(place.run, engine: .emitted)
        #expect(training.status == .trained)
        let scores = try stage.evaluate(place.run, engine: .emitted)
        #expect(scores.images.count == place.dataset.split.heldOut.count)
        #expect(scores.images.allSatisfy { (0...1).contains($0.dice) })
        print(
            "\(pipeline): \(pipeline.refusals.first ?? "data that differ from reading to reading"); emitted trains it")
    }
}

/// What the cases of one run measured; they follow one another.
final class Ratios: @unchecked Sendable {
    static let shared = Ratios()
    static let keras = Ratios()
    private let lock = NSLock()
    private var found: [String: (loss: Double, output: Double)] = [:]

    func adding(_ name: String, _ agreement: EngineAgreement) -> [(loss: Double, output: Double)] {
        lock.withLock {
            found[name] = (agreement.loss.ratio, agreement.output.ratio)
            return Array(found.values)
        }
    }
}
