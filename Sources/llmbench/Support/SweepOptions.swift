import ArgumentParser
import Datasets
import Foundation
import LabelBudget
import ResultStore
import Training

extension SweepNetwork: ExpressibleByArgument {}

/// What every command of the label budgets shares: datasets that are there or drawn now, failures as sentences.
enum LabelBudgetWorkspace {
    /// The datasets of the demo: real anatomy first, then what imitates the modalities of the published budgets.
    static let demoDatasets = ["colin27-cerebellum"] + GeneratedDataset.all.map(\.name)

    /// Loads datasets; a generated one that is not there is drawn first.
    ///
    /// - Throws: `CommandFailure`.
    static func datasets(_ names: [String], in workspace: Workspace) throws -> [Dataset] {
        let catalogue = DatasetCatalogue(root: workspace.datasets)
        var seen: Set<String> = []
        return try names.filter { seen.insert($0).inserted }.map { name in
            try DatasetFailure.mapped { () throws(DatasetError) in
                if let generated = GeneratedDataset.named(name), !catalogue.names().contains(name) {
                    let bar = ProgressBar(title: "Drawing \(name)", total: 0)
                    defer { bar.abandon() }
                    let dataset = try generated.build(into: catalogue) { bar.update($0, note: "\($0) of \($1)") }
                    bar.finish()
                    return dataset
                }
                do throws(DatasetError) {
                    return try catalogue.load(name)
                } catch .unknownDataset(let name, let nearest, let folder) {
                    let generated = DatasetCatalogue.nearest(to: name, among: GeneratedDataset.all.map(\.name))
                    throw .unknownDataset(
                        name, nearest: Array((nearest + generated.filter { !nearest.contains($0) }).prefix(2)),
                        folder: folder)
                }
            }
        }
    }

    /// Runs a body whose failures are sentences with the exit status they deserve.
    static func mapped<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as SweepError {
            throw failure(error)
        } catch let error as DatasetError {
            throw CommandFailure.failed("\(error)")
        } catch let error as StoreError {
            throw CommandFailure.environment("\(error)")
        }
    }

    static func failure(_ error: SweepError) -> CommandFailure {
        switch error {
        case .labels, .size, .steps, .seeds, .emptyPlan, .noTrainings: .usage("\(error)")
        case .datasetChanged: .failed("\(error)")
        case .alreadyRunning, .file: .environment("\(error)")
        }
    }
}

/// Labels N, separated by commas.
struct LabelBudgets: ExpressibleByArgument {
    var values: [Int]

    init(_ values: [Int]) {
        self.values = values
    }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map {
            Int($0.trimmingCharacters(in: .whitespaces))
        }
        guard !parts.isEmpty, parts.allSatisfy({ $0 ?? 0 > 0 }) else { return nil }
        values = parts.compactMap { $0 }
    }

    /// - Throws: `ValidationError` where a number stands twice.
    func requireDistinct() throws {
        var seen: Set<Int> = []
        guard let twice = values.first(where: { !seen.insert($0).inserted }) else { return }
        throw ValidationError("--budget: \(twice) stands twice; give each number once")
    }

    var defaultValueDescription: String { values.map(String.init).joined(separator: ",") }
}

/// Trains a plan with a progress line, until it is done or the task is cancelled.
struct SweepRunner {
    /// What Ctrl-C makes of a sweep.
    static let stopping = "Sweep  stopping: what is trained so far is kept"

    var workspace: Workspace
    var study: String

    /// - Returns: the trainings of the plan.
    /// - Throws: `CommandFailure`.
    func run(_ plan: SweepPlan, on datasets: [Dataset], again: Bool) async throws -> [SweepTrainingRecord] {
        let store = try LabelBudgetWorkspace.mapped { try ResultStore(path: workspace.database(study: study)) }
        let stage = SweepStage(workspace: workspace, store: store, study: study)
        let bar = ProgressBar(title: "Sweep", total: 1000)
        let task = Task(executorPreference: ThreadExecutor.shared) {
            try LabelBudgetWorkspace.mapped {
                try stage.run(plan, on: datasets, again: again) { bar.update($0.permille, note: $0.line) }
            }
        }
        let records = try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
        bar.finish()
        return records
    }
}

extension SweepStage.Progress {
    /// Thousandths of what this call trains.
    var permille: Int { steps > 0 ? step * 1000 / steps : 1000 }

    /// `3 of 20  generated-skin U-Net N = 10 seed 0  loss 0.2134`
    var line: String {
        let text = "\(finished + 1) of \(total)  \(dataset) \(item.network.title) N = \(item.labels) seed \(item.seed)"
        return text + (loss.map { "  loss \(ProgressText.fourDigits(Double($0)))" } ?? "")
    }
}
