import Dispatch
import Foundation
import ResultStore
import Sandbox
import Studies

/// Runs a study for the terminal: progress, Ctrl-C, and what is said at the end.
struct StudyDriver {
    let study: Study
    let workspace: Workspace
    /// Ids of jobs whose failure is forgotten.
    var retry: Set<String> = []
    /// Do what can be done where something is missing.
    var isPartial = false
    var confinement = Confinement.standard
    /// What a person types to run this study again.
    let command: String

    /// Refuses a study whose keys, recordings or datasets are not there, unless `--partial` was given.
    func requireSetting() throws {
        guard !study.settings.isEmpty, !isPartial else { return }
        for problem in study.settings { Terminal.note("llmbench: \(problem)") }
        throw CommandFailure.usage(
            (study.settings.count == 1
                ? "1 thing is not ready: see to it" : "\(study.settings.count) things are not ready: see to them")
                + ", or give --partial to do what can be done without")
    }

    /// Runs what is left to do.
    ///
    /// - Throws: `CommandFailure` where it was stopped or the harness is at fault.
    func run() async throws -> StudyOutcome {
        ConfinementOptions.warn(confinement)
        let progress = StudyProgress(study)
        let outcome: StudyOutcome
        do {
            let session = try StudySession(
                study, workspace: workspace, retry: retry, confinement: confinement,
                observe: { progress.show($0) })
            let interruption = Interruption {
                progress.show(.note("stopping at the last stored points; Ctrl-C again ends at once"))
                session.stop()
            }
            defer { interruption.end() }
            outcome = try await session.run()
            progress.close()
        } catch let error as StudyError {
            progress.close()
            switch error {
            case .unusable, .unwritable: throw CommandFailure.environment("\(error)")
            case .locked, .unknownJob, .notBegun, .notFailed: throw CommandFailure.usage("\(error)")
            }
        } catch {
            progress.close()
            throw GenerateCommand.failure(error)
        }
        if let fatal = outcome.fatal { throw CommandFailure.environment(fatal) }
        if outcome.isStopped { throw CommandFailure.environment("stopped; the same command goes on from here") }
        Terminal.note(Self.summary(outcome.tally))
        return outcome
    }

    private static func summary(_ tally: StudyTally) -> String {
        var parts = ["\(tally.done) of \(tally.total) jobs done"]
        if tally.failed > 0 { parts.append("\(tally.failed) failed") }
        if tally.skipped > 0 { parts.append("\(tally.skipped) skipped") }
        if tally.held > 0 { parts.append("\(tally.held) held") }
        parts.append(StudyNumbers.duration(tally.elapsedSeconds) + " of work")
        if tally.spent > 0 { parts.append("\(StudyNumbers.money(tally.spent)) spent") }
        return parts.joined(separator: ", ")
    }

    /// Lists what failed with the command that retries it, and what was held.
    ///
    /// - Throws: `CommandFailure` where anything failed or was held.
    func judge(_ outcome: StudyOutcome) throws {
        for left in outcome.held { Terminal.note("held: \(left.job): \(Printable.line(left.reason))") }
        for left in outcome.failed {
            Terminal.note("failed: \(left.job): \(Printable.line(left.reason))")
            Terminal.note("        again: \(command) --retry \(left.job.id)")
        }
        let parts = [(outcome.failed.count, "failed"), (outcome.held.count, "held")].filter { $0.0 > 0 }
        guard !parts.isEmpty else { return }
        throw CommandFailure.failed(
            "not all of \(study.name) is done: \(parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")) of \(outcome.tally.total) jobs"
        )
    }
}
