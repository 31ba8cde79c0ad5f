import ArgumentParser
import Endpoints
import Foundation
import ResultStore
import Studies

/// `llmbench study`: a whole experiment as one resumable plan.
struct StudyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "study",
        abstract: "A whole experiment as one resumable plan: models, datasets, runs, engines, seeds, budget.",
        discussion: """
            Documentation/Studies.md explains the file. Broken off at any point, the same command goes on; no finished job is \
            done again. Exit status: 0 all jobs are done, 1 a job failed or was held by the budget, 2 the file or its \
            setting is wrong, 3 the harness or its environment is at fault.

            EXAMPLES
              llmbench study plan studies/demo.yaml
              llmbench study run studies/demo.yaml
              llmbench study run studies/demo.yaml --epochs 120 --study demo-120
              llmbench study status --study demo
              llmbench study run studies/demo.yaml --retry train/fixture-loop/colin27-cerebellum/pytorch/1/swift-0
            """,
        subcommands: [
            StudyPlanCommand.self, StudyRunCommand.self, StudyResumeCommand.self, StudyStatusCommand.self,
        ])
}

/// Which study file, where, under which name.
struct StudyFileOptions: ParsableArguments {
    @Argument(help: "A study file, or the name of one in studies/ without its .yaml.")
    var file: String

    @Option(
        help:
            "Every pipeline trains so many epochs, and the baseline too, in place of what the file says; give --study with it."
    )
    var epochs: Int?

    @OptionGroup var place: StudyPlace

    func validate() throws {
        guard let epochs, !(1...100_000).contains(epochs) else { return }
        throw ValidationError("--epochs \(epochs): give a number from 1 to 100000")
    }

    /// Reads the file and looks everything up.
    func load() throws -> (study: Study, workspace: Workspace) {
        let workspace = try place.workspace()
        let (url, name) = try locate(in: workspace)
        guard let text = try? String(contentsOf: url, encoding: .utf8) else {
            throw CommandFailure.usage("\(name) cannot be read: it is no UTF-8 text")
        }
        return (try place.study(text, file: name, epochs: epochs, in: workspace), workspace)
    }

    /// The file, and how messages call it.
    private func locate(in workspace: Workspace) throws -> (URL, String) {
        let studies = workspace.root.appending(path: "studies", directoryHint: .isDirectory)
        var isFolder: ObjCBool = false
        let named = studies.appending(path: "\(file).yaml")
        // So that it can be opened from where the command was given.
        let isHere = FileManager.default.currentDirectoryPath == workspace.root.path
        for (url, name) in [
            (URL(filePath: file), file),
            (named, isHere ? "studies/\(file).yaml" : named.path(percentEncoded: false)),
        ] where FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && !isFolder.boolValue {
            return (url, name)
        }
        let known = ((try? FileManager.default.contentsOfDirectory(atPath: studies.path)) ?? [])
            .filter { $0.hasSuffix(".yaml") }.map { "studies/\($0)" }.sorted()
        let near = NearestNames.suggestions(for: file, among: known)
        let hint =
            near.isEmpty
            ? (known.isEmpty ? "" : "; there are \(known.joined(separator: ", "))")
            : "; did you mean \(near.joined(separator: " or "))?"
        throw CommandFailure.usage("there is no study file \(file)\(hint)")
    }
}

/// `--workspace` and `--study` where the study's name may come from a file.
struct StudyPlace: ParsableArguments {
    @Option(help: "Another name for runs and results than the file's.")
    var study: String?

    @Option(
        name: .customLong("workspace"),
        help: "The folder that holds models.yaml; found from the current folder upwards.")
    var folder: String?

    func validate() throws {
        if let study { try WorkspaceOptions.requireStudyName(study) }
    }

    func workspace() throws -> Workspace {
        var options = WorkspaceOptions()
        options.workspace = folder
        options.study = study ?? "default"
        return try options.resolve()
    }

    func study(
        _ text: String, file: String, seeds: [Int]? = nil, epochs: Int? = nil, in workspace: Workspace
    ) throws -> Study {
        do {
            return try StudyLoader(workspace: workspace).study(
                yaml: text, file: file, name: study, seeds: seeds, epochs: epochs)
        } catch let error as StudyFileError {
            throw Self.failure(error.problems)
        } catch {
            throw GenerateCommand.failure(error)
        }
    }

    /// Every problem on a line of its own.
    static func failure(_ problems: [StudyProblem]) -> CommandFailure {
        for problem in problems.dropLast() { Terminal.note("llmbench: \(problem)") }
        return .usage(problems.last?.description ?? "")
    }
}

/// `llmbench study run FILE`.
struct StudyRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Do what a study file says; what is done already is not done again.")

    @OptionGroup var options: StudyFileOptions
    @OptionGroup var how: StudyRunOptions

    func run() async throws {
        let (study, workspace) = try options.load()
        let driver = how.driver(study, workspace, command: command)
        try driver.requireSetting()
        try driver.judge(try await driver.run())
    }

    /// The command without `--retry`, for messages.
    private var command: String {
        "llmbench study run \(options.file)" + (options.epochs.map { " --epochs \($0)" } ?? "")
            + (options.place.study.map { " --study \($0)" } ?? "")
    }
}

/// `llmbench study resume FILE`: `run` for a study that has begun.
struct StudyResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Go on with a study that was begun; 'run' does the same and begins it where it was not.")

    @OptionGroup var options: StudyFileOptions
    @OptionGroup var how: StudyRunOptions

    func run() async throws {
        let (study, workspace) = try options.load()
        do {
            _ = try StudyStatus(study.name, in: workspace)
        } catch let error as StudyError {
            throw CommandFailure.usage("\(error)")
        }
        let driver = how.driver(study, workspace, command: "llmbench study run \(options.file)")
        try driver.requireSetting()
        try driver.judge(try await driver.run())
    }
}

/// How a study is run.
struct StudyRunOptions: ParsableArguments {
    @Option(help: "Forget the failure of this job and do it anew, with what needs it; may be given more than once.")
    var retry: [String] = []

    @Flag(help: "Do what can be done where keys, recordings or datasets are missing; jobs that need them are held.")
    var partial = false

    @OptionGroup var confinementOptions: ConfinementOptions

    func driver(_ study: Study, _ workspace: Workspace, command: String) -> StudyDriver {
        StudyDriver(
            study: study, workspace: workspace, retry: Set(retry), isPartial: partial,
            confinement: confinementOptions.confinement, command: command)
    }
}
