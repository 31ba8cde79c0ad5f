import ArgumentParser
import Foundation
import ResultStore
import Studies

/// `llmbench study status`: where a study is, from any terminal.
struct StudyStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Where a study is: read from its store, whatever runs it.")

    @Argument(help: "A study file, or the name of one in studies/ without its .yaml; or give --study NAME.")
    var file: String?

    @OptionGroup var place: StudyPlace
    @OptionGroup var jsonOption: JSONOption

    func run() async throws {
        let workspace = try place.workspace()
        let status: StudyStatus
        do {
            status = try StudyStatus(try name(), in: workspace)
        } catch let error as StudyError {
            throw CommandFailure.usage("\(error)")
        } catch {
            throw GenerateCommand.failure(error)
        }
        if jsonOption.json { return try JSONOption.print(StudyStatusReport(status)) }
        print(StudyStatusText(status).render())
    }

    /// The study's name: a file says it in one key, whatever else may be wrong with it.
    private func name() throws -> String {
        if let name = place.study { return name }
        guard let file else {
            throw CommandFailure.usage("name a study: `llmbench study status FILE` or `--study NAME`")
        }
        var options = StudyFileOptions()
        options.file = file
        options.epochs = nil
        options.place = place
        return try options.load().study.name
    }
}

/// The status in words.
struct StudyStatusText {
    private let status: StudyStatus

    init(_ status: StudyStatus) {
        self.status = status
    }

    func render() -> String {
        var table = TextTable(
            [("jobs", .left)] + JobRecord.State.allCases.map { ($0.rawValue, .right) })
        for kind in StudyJob.Kind.allCases {
            let jobs = status.jobs.filter { $0.kind == kind.rawValue }
            guard !jobs.isEmpty else { continue }
            table.add(
                [kind.rawValue]
                    + JobRecord.State.allCases.map { state in
                        let count = jobs.count { $0.state == state }
                        return count > 0 ? "\(count)" : "–"
                    })
        }
        return ([heading, table.render(), totals] + prompts + versions + running + troubles).joined(separator: "\n")
    }

    private var heading: String {
        let study = status.study
        let title = study.title == study.name ? study.name : "\(study.name): \(study.title)"
        let since = Self.time(study.begunAt)
        if let process = status.process { return "\(title)\nrun by process \(process.pid) since \(since)" }
        if status.isBrokenOff {
            let pid = study.process.flatMap { ProcessIdentity($0)?.pid }.map { "process \($0)" } ?? "the last process"
            return "\(title)\nnot running: \(pid) was killed, last seen \(Self.time(study.seenAt)); "
                + "`llmbench study run \(study.file)` goes on"
        }
        return "\(title)\nnot running: \(study.ending ?? "ended") at \(Self.time(study.seenAt))"
    }

    private var totals: String {
        let (study, tally) = (status.study, status.tally)
        var parts = ["\(StudyNumbers.duration(tally.elapsedSeconds)) of work"]
        if let hours = study.budgetHours { parts[0] += " of \(hours) h" }
        if tally.remainingSeconds > 0 { parts.append("about \(StudyNumbers.duration(tally.remainingSeconds)) remain") }
        if tally.spent > 0 || study.budgetMoney != nil {
            parts.append(
                "\(StudyNumbers.money(tally.spent)) spent"
                    + (study.budgetMoney.map { " of \(StudyNumbers.money($0))" } ?? ""))
        }
        return parts.joined(separator: ", ")
    }

    private var prompts: [String] {
        status.prompts.map {
            "prompt \($0.prompt): \($0.begun) conversation\($0.begun == 1 ? "" : "s") begun, \($0.ended) ended, \($0.succeeded) with code that runs"
        }
    }

    private var versions: [String] {
        status.jobs.filter { $0.kind == StudyJob.Kind.refine.rawValue && $0.state == .done }.map {
            "versions: \($0.id): \(Printable.line($0.reason ?? ""))"
        }
    }

    private var running: [String] {
        status.jobs.filter { $0.state == .running }.map { job in
            let time = job.startedAt.map { StudyNumbers.duration(Date().timeIntervalSince($0)) } ?? ""
            return "running: \(job.id), \(time)"
        }
    }

    private var troubles: [String] {
        status.jobs.filter { $0.state == .failed || $0.state == .held }.map {
            "\($0.state.rawValue): \($0.id): \(Printable.line($0.reason ?? ""))"
                + ($0.state == .failed ? "\n        again: \(Self.retry($0, status.study))" : "")
        }
    }

    static func retry(_ job: JobRecord, _ study: StudyRecord) -> String {
        "llmbench study run \(study.file) --study \(study.name) --retry \(job.id)"
    }

    private static func time(_ date: Date) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "yyyy-MM-dd HH:mm:ss"
        return format.string(from: date)
    }
}

/// For `--json`.
struct StudyStatusReport: Encodable {
    struct Job: Encodable {
        var id, kind, state: String
        var reason, retry: String?
        var startedAt, endedAt: Date?
        var seconds: Double?

        enum CodingKeys: String, CodingKey {
            case id, kind, state, reason, retry
            case startedAt = "started_at"
            case endedAt = "ended_at"
            case seconds = "s"
        }
    }

    struct Prompt: Encodable {
        var prompt: String
        var begun, ended, succeeded: Int
    }

    var study, title, file: String
    /// nil in a study of one prompt.
    var prompts: [Prompt]?
    var isRunning: Bool
    var pid: Int32?
    var isBrokenOff: Bool
    var ending: String?
    var begunAt, seenAt: Date
    var counts: [String: Int]
    var jobs: [Job]
    var elapsedSeconds, remainingSeconds, spent: Double
    var budgetMoney, budgetHours: Double?

    enum CodingKeys: String, CodingKey {
        case study, title, file, prompts, pid, ending, counts, jobs
        case isRunning = "is_running"
        case isBrokenOff = "is_broken_off"
        case begunAt = "begun_at"
        case seenAt = "seen_at"
        case elapsedSeconds = "elapsed_s"
        case remainingSeconds = "remaining_s"
        case spent = "spent_usd"
        case budgetMoney = "budget_usd"
        case budgetHours = "budget_hours"
    }

    init(_ status: StudyStatus) {
        let record = status.study
        (study, title, file) = (record.name, record.title, record.file)
        isRunning = status.process != nil
        pid = status.process?.pid
        isBrokenOff = status.isBrokenOff
        ending = record.ending
        (begunAt, seenAt) = (record.begunAt, record.seenAt)
        prompts =
            status.prompts.isEmpty
            ? nil
            : status.prompts.map {
                Prompt(prompt: $0.prompt, begun: $0.begun, ended: $0.ended, succeeded: $0.succeeded)
            }
        counts = Dictionary(grouping: status.jobs, by: \.state.rawValue).mapValues(\.count)
        jobs = status.jobs.map { job in
            Job(
                id: job.id, kind: job.kind, state: job.state.rawValue, reason: job.reason,
                retry: job.state == .failed ? StudyStatusText.retry(job, record) : nil, startedAt: job.startedAt,
                endedAt: job.endedAt, seconds: job.seconds)
        }
        (elapsedSeconds, remainingSeconds) = (status.tally.elapsedSeconds, status.tally.remainingSeconds)
        spent = status.tally.spent
        (budgetMoney, budgetHours) = (record.budgetMoney, record.budgetHours)
    }
}
