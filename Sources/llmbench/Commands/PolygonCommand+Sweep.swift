import ArgumentParser
import Foundation
import LabelBudget
import ResultStore

extension PolygonCommand {
    /// `llmbench polygon sweep`: networks trained on few labels, scored on the same held-out images.
    struct Sweep: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Train networks on 10, 25, 50, 100 labels and score them on the held-out images.",
            discussion: """
                Every network learns from the same labels: a seed orders the training part, a budget takes its beginning, every fifth of it \
                chooses the weights. What is finished is never trained again; what was broken off goes on from its last checkpoint, a tenth \
                of its steps back at most, to the same bits. A generated dataset that is not there is drawn first.

                EXAMPLES
                  llmbench polygon sweep --dataset generated-polyp
                  llmbench polygon sweep --dataset generated-skin --dataset generated-ct --network unet --budget 10,50 --size 64 --steps 300
                """)

        @Option(help: "The dataset, or one that is generated; may be repeated.")
        var dataset: [String] = ["colin27-cerebellum"]

        @Option(help: "Numbers of labels N, separated by commas.")
        var budget = LabelBudgets([10, 25, 50, 100])

        @Option(help: "unet, resunet or nnunet; may be repeated. All three when not given.")
        var network: [SweepNetwork] = []

        @Option(help: "Seeds of labels and weights, counted from 0; at least 2.")
        var seeds = 2

        @Option(help: "Pixels a side of the images that networks learn from, a multiple of 16.")
        var size = 128

        @Option(help: "Training steps of each network, a multiple of 10.")
        var steps = 1000

        @Flag(help: "Forget stored trainings of this plan, and of an earlier state of the data, and train anew.")
        var again = false

        @OptionGroup var workspaceOptions: WorkspaceOptions
        @OptionGroup var jsonOption: JSONOption

        func validate() throws {
            try budget.requireDistinct()
            do {
                _ = try plan()
            } catch {
                throw ValidationError("\(error)")
            }
        }

        private func plan() throws(SweepError) -> SweepPlan {
            try SweepPlan(
                networks: network.isEmpty ? SweepNetwork.allCases : network, budgets: budget.values, seeds: seeds,
                size: size, steps: steps)
        }

        func run() async throws {
            let workspace = try workspaceOptions.resolve()
            let plan = try plan()
            let datasets = try LabelBudgetWorkspace.datasets(dataset, in: workspace)
            let runner = SweepRunner(workspace: workspace, study: workspaceOptions.study)
            let records = try await Interruption.cancelling(saying: SweepRunner.stopping) { [again] in
                try await runner.run(plan, on: datasets, again: again)
            }
            let store = try ResultStore(path: workspace.database(study: workspaceOptions.study))
            try show(records, store)
            if let failed = records.first(where: { $0.status == .failed }) {
                let count = records.count { $0.status == .failed }
                throw CommandFailure.failed(
                    "\(count) of \(records.count) trainings failed, the first: \(failed.dataset), \(failed.network), "
                        + "N = \(failed.labels), seed \(failed.seed): \(failed.failure ?? "no reason")")
            }
        }

        private struct Row: Encodable {
            var dataset, network: String
            var labels, seed, size, steps: Int
            var status: String
            var trainingImages, validationImages, parameters, bestStep: Int?
            var dice, iou, hausdorff95, seconds: Double?
        }

        private func show(_ records: [SweepTrainingRecord], _ store: ResultStore) throws {
            let rows = try records.map { record in
                let scores = try store.sweepScores(training: record.id ?? -1)
                func mean(_ value: (SweepScoreRecord) -> Double) -> Double? {
                    scores.isEmpty ? nil : scores.reduce(0) { $0 + value($1) } / Double(scores.count)
                }
                return Row(
                    dataset: record.dataset, network: record.network, labels: record.labels, seed: record.seed,
                    size: record.size, steps: record.steps, status: record.status.rawValue,
                    trainingImages: record.trainingImages, validationImages: record.validationImages,
                    parameters: record.parameters, bestStep: record.bestStep, dice: mean(\.dice), iou: mean(\.iou),
                    hausdorff95: mean(\.hausdorff95), seconds: record.seconds)
            }
            if jsonOption.json { return try JSONOption.print(rows) }
            var table = TextTable([
                ("dataset", .left), ("network", .left), ("N", .right), ("seed", .right), ("status", .left),
                ("Dice", .right), ("IoU", .right), ("HD95", .right), ("seconds", .right),
            ])
            func shown(_ value: Double?, _ format: String) -> String { value.map { String(format: format, $0) } ?? "" }
            for row in rows {
                table.add([
                    row.dataset, row.network, "\(row.labels)", "\(row.seed)", row.status, shown(row.dice, "%.3f"),
                    shown(row.iou, "%.3f"), shown(row.hausdorff95, "%.1f"), shown(row.seconds, "%.0f"),
                ])
            }
            print(table.render())
        }
    }
}
