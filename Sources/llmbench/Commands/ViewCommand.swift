import ArgumentParser
import Foundation
import Reporting
import ResultStore

/// `llmbench view`: the report as a local web page that follows a running study.
struct ViewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view",
        abstract: "The report as a web page on this machine, which follows a running study.",
        discussion: """
            Listens on 127.0.0.1 alone. A page that is open takes up what a study stores while it runs, and keeps its filters and \
            its place. Ends with Control-C.

            EXAMPLES
              llmbench view
              llmbench view --study demo --port 0         on a free port, which is printed
            """)

    @Option(help: "The port on 127.0.0.1; 0 takes a free one.")
    var port: UInt16 = 8642

    @OptionGroup var workspaceOptions: WorkspaceOptions

    func run() async throws {
        let workspace = try workspaceOptions.resolve()
        let study = workspaceOptions.study
        guard FileManager.default.fileExists(atPath: workspace.database(study: study).path) else {
            throw CommandFailure.usage("\(ReportError.noRuns(study: study))")
        }
        let report = try LiveReport(
            workspace: workspace, study: study, source: ReportedStudy(study: study, in: workspace))
        let server = try ReportServer(report: report, port: port)
        let serving = Task { try await server.run() }
        let signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { serving.cancel() }
            source.resume()
            return source
        }
        defer { for source in signals { source.cancel() } }
        let announcing = Task {
            let address = try await server.address()
            // Written at once, for who reads it through a pipe.
            try FileHandle.standardOutput.write(contentsOf: Data("\(address)\n".utf8))
            Terminal.note("study \(study); Control-C ends it")
            if report.isOfOneMoment {
                Terminal.note("the study cannot be written from here: what is shown is that of now")
            }
        }
        defer { announcing.cancel() }
        do {
            try await serving.value
        } catch let error as ReportServerError {
            throw CommandFailure.environment("\(error)")
        }
    }
}
