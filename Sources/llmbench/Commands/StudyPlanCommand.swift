import ArgumentParser
import Foundation
import ResultStore
import Studies

/// `llmbench study plan FILE`: what would be done, what it would take, what is missing.
struct StudyPlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "The jobs of a study with expected cost and time, what is done of them, and what is missing.",
        discussion: "Nothing is begun. Times and costs are estimates; the lines below the table say what they rest on.")

    @OptionGroup var options: StudyFileOptions
    @OptionGroup var jsonOption: JSONOption

    @Flag(help: "A row for every job; without it, a row for each model on each dataset.")
    var jobs = false

    func run() async throws {
        let (study, workspace) = try options.load()
        let table: StudyPlanTable
        do {
            let (plan, estimates, rows) = try study.planned(in: workspace)
            table = StudyPlanTable(plan, basis: estimates.basis, rows: rows)
        } catch {
            throw GenerateCommand.failure(error)
        }
        if jsonOption.json { return try JSONOption.print(table.report) }
        print(table.render(everyJob: jobs))
        for problem in study.settings { print("not ready: \(problem)") }
    }
}

/// A plan on the terminal and as JSON.
struct StudyPlanTable {
    private let plan: StudyPlan
    private let basis: [String]
    private let rows: [String: JobRecord]

    init(_ plan: StudyPlan, basis: [String], rows: [JobRecord]?) {
        self.plan = plan
        self.basis = basis
        self.rows = Dictionary(uniqueKeysWithValues: (rows ?? []).map { ($0.id, $0) })
    }

    private func state(_ planned: PlannedJob) -> String {
        if let row = rows[planned.job.id], row.state != .planned { return row.state.rawValue }
        return plan.study.obstacle(to: planned.job) == nil ? "planned" : "not ready"
    }

    private func isDue(_ planned: PlannedJob) -> Bool { ["planned", "not ready", "running"].contains(state(planned)) }

    func render(everyJob: Bool) -> String {
        let due = plan.jobs.filter(isDue)
        let seconds = due.map(\.estimate.seconds).reduce(0, +)
        let costs = due.compactMap(\.estimate.cost)
        var lines = [(everyJob ? jobTable() : modelTable()).render(), ""]
        lines.append(
            "\(plan.jobs.count) jobs, \(plan.jobs.count - due.count) need nothing more. The others: about "
                + "\(StudyNumbers.duration(seconds)) of work\(costs.isEmpty ? "" : ", about \(StudyNumbers.money(costs.reduce(0, +)))")."
        )
        let unpriced = Set(due.filter(\.estimate.costIsUnknown).map(\.job.model)).sorted()
        if !unpriced.isEmpty {
            lines.append("No price is known for \(unpriced.joined(separator: ", ")): their cost is not in the total.")
        }
        lines += sources()
        lines += prompts()
        lines += budget()
        return (lines + basis).joined(separator: "\n")
    }

    /// Which models are asked otherwise than over an endpoint.
    private func sources() -> [String] {
        let participants = plan.study.participants
        let manual = participants.filter { $0.source == .manual }.map(\.card.id)
        let replayed = participants.filter { $0.source == .recording }.map(\.card.id)
        var lines: [String] = []
        if !manual.isEmpty {
            lines.append(
                "\(manual.count) without an endpoint, by hand at a chat window (or 'replay: FILE' of a recording): "
                    + manual.joined(separator: ", ") + ".")
        }
        if !replayed.isEmpty { lines.append("\(replayed.count) from recordings: \(replayed.joined(separator: ", ")).") }
        return lines
    }

    /// How each prompt asks, and which are not asked apart.
    private func prompts() -> [String] {
        let prompts = plan.study.prompts.filter { $0.name != nil }
        guard !prompts.isEmpty else { return [] }
        let shared = Dictionary(grouping: plan.study.sharedPrompts) { [$0.prompt, $0.askedAs, $0.target] }
        return prompts.map { "Prompt \($0.name ?? ""): \(PromptText.sentence($0, in: plan.study))." }
            + shared.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, shared in
                let models = shared.map(\.model).joined(separator: ", ")
                return
                    "Prompt \(key[0]) comes to the same as \(key[1]) for \(models), target \(key[2]): it is asked once."
            }
    }

    private func budget() -> [String] {
        let budget = plan.study.file.budget
        let parts = [
            budget.money.map { StudyNumbers.money($0) }, budget.hours.map { "\($0) h" },
        ].compactMap { $0 }
        return parts.isEmpty ? [] : ["Budget: \(parts.joined(separator: " and ")); what would exceed it is not begun."]
    }

    private func jobTable() -> TextTable {
        var table = TextTable([
            ("job", .left), ("state", .left), ("time", .right), ("cost", .right), ("needs", .left),
        ])
        for planned in plan.jobs {
            table.add([
                planned.job.id, state(planned), StudyNumbers.duration(planned.estimate.seconds), cost(planned.estimate),
                planned.needs.joined(separator: ", "),
            ])
        }
        return table
    }

    /// A row a model on a dataset, and where prompts are compared a row for each.
    private func modelTable() -> TextTable {
        let isCompared = plan.study.prompts.contains { $0.name != nil }
        var table = TextTable(
            [("model", .left), ("asked", .left), ("dataset", .left)] + (isCompared ? [("prompt", .left)] : [])
                + [("jobs", .right), ("done", .right), ("time", .right), ("cost", .right), ("", .left)])
        for dataset in plan.study.datasets {
            for participant in plan.study.participants {
                for prompt in plan.study.prompts {
                    let jobs = plan.jobs.filter {
                        $0.job.model == participant.card.id && $0.job.dataset == dataset.name
                            && $0.job.prompt == prompt.name
                    }
                    // What is not asked apart has no jobs of its own.
                    if isCompared, jobs.isEmpty { continue }
                    table.add(
                        [participant.card.id, participant.source.rawValue, dataset.name]
                            + [prompt.name].compactMap { $0 } + summary(jobs))
                }
            }
        }
        return table
    }

    private func summary(_ jobs: [PlannedJob]) -> [String] {
        let due = jobs.filter(isDue)
        let costs = due.compactMap(\.estimate.cost)
        let failed = jobs.count { state($0) == "failed" }
        return [
            "\(jobs.count)", "\(jobs.count { state($0) == "done" })",
            StudyNumbers.duration(due.map(\.estimate.seconds).reduce(0, +)),
            costs.isEmpty ? "–" : StudyNumbers.money(costs.reduce(0, +)),
            [
                failed > 0 ? "\(failed) failed" : nil, due.contains { state($0) == "not ready" } ? "not ready" : nil,
            ].compactMap { $0 }.joined(separator: ", "),
        ]
    }

    private func cost(_ estimate: JobEstimate) -> String {
        estimate.cost.map { StudyNumbers.money($0) } ?? (estimate.costIsUnknown ? "?" : "–")
    }

    /// For `--json`.
    struct Report: Encodable {
        struct Job: Encodable {
            var id, kind, model, dataset, target, state: String
            var prompt: String?
            var run: Int
            var seed: Int?
            var engine, reason: String?
            var needs: [String]
            var expectedSeconds: Double
            var timeIsMeasured: Bool
            var expectedCost: Double?

            enum CodingKeys: String, CodingKey {
                case id, kind, model, dataset, target, state, prompt, run, seed, engine, reason, needs
                case expectedSeconds = "expected_s"
                case timeIsMeasured = "time_is_measured"
                case expectedCost = "expected_cost_usd"
            }
        }

        struct Model: Encodable {
            var id, asked: String
            var obstacle: String?
        }

        struct Prompt: Encodable {
            var name, asked: String
            /// The models that it comes to the same for as an earlier prompt.
            var askedOtherwise: [String]

            enum CodingKeys: String, CodingKey {
                case name, asked
                case askedOtherwise = "not_asked_apart"
            }
        }

        var study, title: String
        var models: [Model]
        /// What is compared; nil in a study of one prompt.
        var prompts: [Prompt]?
        var jobs: [Job]
        var expectedSeconds: Double
        var expectedCost: Double?
        var budgetMoney, budgetHours: Double?
        var notReady: [String]
        var basis: [String]

        enum CodingKeys: String, CodingKey {
            case study, title, models, prompts, jobs, basis
            case expectedSeconds = "expected_s"
            case expectedCost = "expected_cost_usd"
            case budgetMoney = "budget_usd"
            case budgetHours = "budget_hours"
            case notReady = "not_ready"
        }
    }

    var report: Report {
        let due = plan.jobs.filter(isDue)
        let costs = due.compactMap(\.estimate.cost)
        return Report(
            study: plan.study.name, title: plan.study.file.title,
            models: plan.study.participants.map {
                Report.Model(id: $0.card.id, asked: $0.source.rawValue, obstacle: $0.obstacle)
            },
            prompts: comparedPrompts, jobs: plan.jobs.map(row),
            expectedSeconds: due.map(\.estimate.seconds).reduce(0, +),
            expectedCost: costs.isEmpty ? nil : costs.reduce(0, +), budgetMoney: plan.study.file.budget.money,
            budgetHours: plan.study.file.budget.hours, notReady: plan.study.settings.map(\.description), basis: basis)
    }

    private var comparedPrompts: [Report.Prompt]? {
        let shared = Dictionary(grouping: plan.study.sharedPrompts, by: \.prompt)
        let prompts = plan.study.prompts.compactMap { prompt in
            prompt.name.map { name in
                Report.Prompt(
                    name: name, asked: PromptText.sentence(prompt, in: plan.study),
                    askedOtherwise: Set((shared[name] ?? []).map(\.model)).sorted())
            }
        }
        return prompts.isEmpty ? nil : prompts
    }

    private func row(_ planned: PlannedJob) -> Report.Job {
        let job = planned.job
        return Report.Job(
            id: job.id, kind: job.kind.rawValue, model: job.model, dataset: job.dataset, target: job.target,
            state: state(planned), prompt: job.prompt, run: job.run, seed: job.seed, engine: job.engine?.rawValue,
            reason: rows[job.id]?.reason ?? plan.study.obstacle(to: job), needs: planned.needs,
            expectedSeconds: planned.estimate.seconds, timeIsMeasured: planned.estimate.isMeasured,
            expectedCost: planned.estimate.cost)
    }
}
