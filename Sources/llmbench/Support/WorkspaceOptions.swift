import ArgumentParser
import Foundation
import ResultStore
import Studies

/// `--workspace` and `--study`, shared by every command that reads or writes a study.
struct WorkspaceOptions: ParsableArguments {
    @Option(
        help:
            "The folder that holds models.yaml, prompts/ and datasets/. Found from the current folder upwards when not given."
    )
    var workspace: String?

    @Option(help: "The study that runs and results belong to.")
    var study: String = "default"

    func validate() throws {
        try Self.requireStudyName(study)
    }

    /// Refuses what cannot name a study's folders, with the reason.
    static func requireStudyName(_ name: String) throws {
        guard !StudyFile.isName(name) else { return }
        if name.isEmpty { throw ValidationError("the study's name is empty: give one, or leave --study out") }
        if name.count > StudyFile.longestName {
            throw ValidationError(
                "the study's name has \(name.count) characters: give one of at most \(StudyFile.longestName)")
        }
        throw ValidationError(
            "the study's name '\(Printable.line(name))' has characters a folder name should not have: use letters, digits, '-', '_', '.'"
        )
    }

    /// - Throws: `CommandFailure.usage` where no workspace is found.
    func resolve() throws -> Workspace {
        if let workspace {
            let url = URL(filePath: workspace, directoryHint: .isDirectory)
            guard Self.isWorkspace(url) else {
                throw CommandFailure.usage("\(workspace) is no llmbench workspace: it has no models.yaml")
            }
            return Workspace(root: url)
        }
        var url = URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
            .standardizedFileURL
        while true {
            if Self.isWorkspace(url) { return Workspace(root: url) }
            let parent = url.deletingLastPathComponent().standardizedFileURL
            guard parent != url, url.path != "/" else { break }
            url = parent
        }
        throw CommandFailure.usage(
            "no models.yaml here or in any folder above: change into an llmbench checkout or give --workspace DIR")
    }

    private static func isWorkspace(_ url: URL) -> Bool {
        FileManager.default.fileExists(atPath: url.appending(path: "models.yaml").path)
    }
}

/// `--json` on everything that prints a result.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print the result as JSON on standard output.")
    var json = false

    /// Prints a value as JSON with sorted keys in snake case.
    static func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        StandardOutput.write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
    }
}
