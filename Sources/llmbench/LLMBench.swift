import ArgumentParser
import Files
import Foundation
import ResultStore

/// The command line. Every command lives in a file of its own in `Commands/`.
struct LLMBench: AsyncParsableCommand {
    /// As CHANGELOG.md has it; there is no release yet.
    static let version = "0.1.0-dev"

    static let configuration = CommandConfiguration(
        commandName: "llmbench",
        abstract:
            "Can a language model write a medical image segmentation pipeline that runs, trains and segments well?",
        discussion:
            "Exit status: 0 done, 1 the thing asked for failed, 2 usage, 3 the harness or its environment is at fault.",
        version: "llmbench \(version)",
        subcommands: [
            DoctorCommand.self, DemoCommand.self, ModelsCommand.self, DatasetsCommand.self, GenerateCommand.self,
            CaptureCommand.self,
            TrainCommand.self, EvaluateCommand.self, BaselineCommand.self, PolygonCommand.self, StudyCommand.self,
            ReportCommand.self,
            ViewCommand.self,
            DiagnoseCommand.self,
            UNetCommand.self, StatsCommand.self, AuditCommand.self, BenchCommand.self,
        ])
}

@main
enum EntryPoint {
    static func main() async {
        // A file that is opened in the place of a closed stream would take what is printed. Reading only: printing fails.
        for stream in 0...Int32(2) where fcntl(stream, F_GETFD) < 0 { _ = open("/dev/null", O_RDONLY) }
        do {
            var command = try LLMBench.parseAsRoot(NegativeNumbers.joined(CommandLine.arguments.dropFirst()))
            try checkThreads()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            end(0)
        } catch let failure as CommandFailure {
            Terminal.note(Printable.lines("llmbench: \(failure)"))
            end(failure.exitStatus)
        } catch {
            // Help and version are "errors" of the parser that print to standard output and exit 0.
            let code = LLMBench.exitCode(for: error)
            if code == .validationFailure {
                Terminal.note(Printable.lines(LLMBench.fullMessage(for: error)))
                exit(2)
            }
            // What no command sorted is the harness's fault; the parser would call it 1, a failure of what was asked for.
            if code == .failure, !(error is ExitCode) {
                Terminal.note(
                    Printable.lines(
                        "llmbench: "
                            + (SystemReason.of(error) == nil ? LLMBench.message(for: error) : SystemSentence.of(error)))
                )
                end(3)
            }
            if code == .success {
                let message = LLMBench.fullMessage(for: error)
                if !message.isEmpty { print(message) }
            }
            end(code.rawValue)
        }
    }

    /// Ends with a status, or with 3 where standard output did not take what was printed.
    private static func end(_ status: Int32) -> Never {
        do throws(CommandFailure) {
            try StandardOutput.requireWhole()
        } catch {
            Terminal.note("llmbench: \(error)")
            exit(error.exitStatus)
        }
        exit(status)
    }

    /// A number of threads that cannot be meant would change every timing without a word.
    private static func checkThreads() throws {
        guard let text = ProcessInfo.processInfo.environment["LLMBENCH_THREADS"], !text.isEmpty else { return }
        guard let count = Int(text), (1...1024).contains(count) else {
            throw CommandFailure.usage(
                "LLMBENCH_THREADS is '\(text.prefix(40))': give a number from 1 to 1024, or unset it")
        }
    }
}
