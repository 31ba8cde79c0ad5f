import Foundation
import ResultStore
import TensorRuntime
import Testing

@testable import Training

/// An optimizer and a scheduler in place of the fixture's, and what the capture is to say of them.
struct ScheduledPipeline: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var optimizer: String
    var scheduler: String
    var stepsWithBatches = false
    var name: String
    var schedulerName: String

    static let all = [
        ScheduledPipeline(
            testDescription: "NAdam, warm-up, then cosine with restarts",
            optimizer: "torch.optim.NAdam(model.parameters(), lr=2e-3, weight_decay=0.01, decoupled_weight_decay=True)",
            scheduler: """
                torch.optim.lr_scheduler.SequentialLR(optimizer, [
                        torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=2),
                        torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=3, eta_min=1e-4),
                    ], milestones=[2])
                """, name: "NAdam", schedulerName: "SequentialLR"),
        ScheduledPipeline(
            testDescription: "Adagrad with groups and a function for each, batch by batch",
            optimizer: """
                torch.optim.Adagrad([
                        {"params": [p for n, p in model.named_parameters() if n.endswith("weight")], "weight_decay": 1e-3},
                        {"params": [p for n, p in model.named_parameters() if n.endswith("bias")], "lr": 5e-3},
                    ], lr=1e-2, lr_decay=0.01, initial_accumulator_value=0.1)
                """,
            scheduler: "torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda n: 0.97 ** n, lambda n: 1 / (1 + n)])",
            stepsWithBatches: true, name: "Adagrad", schedulerName: "LambdaLR"),
        ScheduledPipeline(
            testDescription: "Adamax, a constant and a polynomial chained",
            optimizer: "torch.optim.Adamax(model.parameters(), lr=4e-3)",
            scheduler: """
                torch.optim.lr_scheduler.ChainedScheduler([
                        torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2),
                        torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=8, power=0.9),
                    ], optimizer=optimizer)
                """, name: "Adamax", schedulerName: "ChainedScheduler"),
    ]

    func edit(_ file: String, _ text: String) -> String {
        switch file {
        case "main.py":
            let made = text.replacingOccurrences(
                of: "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)",
                with: "optimizer = \(optimizer)\n    optimizer.schedule = \(scheduler)")
            return stepsWithBatches
                ? made
                : made.replacingOccurrences(
                    of: "        val_dice.append(scores)\n",
                    with: "        val_dice.append(scores)\n        optimizer.schedule.step()\n")
        case "train.py" where stepsWithBatches:
            return text.replacingOccurrences(
                of: "        optimizer.step()\n", with: "        optimizer.step()\n        optimizer.schedule.step()\n")
        default: return text
        }
    }
}

@Suite("A pipeline with an optimizer and a scheduler of its own", .serialized)
struct ScheduledPipelineTests {
    @Test(
        "is captured, and trained alike by the runtime and by PyTorch", .timeLimit(.minutes(40)),
        arguments: ScheduledPipeline.all)
    func trained(pipeline expected: ScheduledPipeline) async throws {
        let place = try DiscWorkspace()
        try place.install("transposed-logits", edit: expected.edit)
        let stage = try place.stageWithPython()
        let capture = try await stage.capture(place.run)
        #expect(capture.status == .captured, "\(capture.refusals)")
        let captured = try CapturedPipeline(folder: place.directory.capture(seed: 0, epochs: nil))
        #expect(captured.loop.optimizer?.name == expected.name)
        #expect(captured.loop.scheduler?["name"] == .string(expected.schedulerName))
        #expect(captured.loop.scheduler?["when"] == .string(expected.stepsWithBatches ? "batch" : "epoch"))

        let parity = try await stage.parity(place.run)
        #expect(parity.largestLossDifference < 1e-3, "\(parity.swiftLosses) \(parity.pytorchLosses)")

        let theirs = try await PyTorchEngine(helper: try #require(stage.helper)).train(
            captured, epochs: 8, seed: 1, folder: place.folder.url.appending(path: "pytorch")
        ).outcome.history
        let ours = try SwiftTrainer(
            captured, options: .test(epochs: 8, seed: 1), folder: place.folder.url.appending(path: "swift")
        ).train().history
        #expect(ours.count == 8 && theirs.count == 8)
        for (our, their) in zip(ours, theirs) {
            let (rate, wanted) = (our.learningRates[0], try #require(their.learningRates.first))
            #expect(abs(rate - wanted) <= 1e-12 * wanted, "epoch \(our.epoch)")
            #expect(abs(our.trainLoss - their.trainLoss) < 5e-3, "epoch \(our.epoch)")
        }
        #expect(Set(ours.map { $0.learningRates[0] }).count > 3, "the schedule moves the rate")
        print("\(expected): parity \(parity.largestLossDifference)")
    }
}
