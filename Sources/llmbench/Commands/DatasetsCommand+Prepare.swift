import ArgumentParser
import Datasets
import Foundation

extension DatasetsCommand {
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List every problem of a dataset or of a folder with images/ and masks/.",
            discussion: """
                Exit status 1 where there is one.

                  llmbench datasets check colin27-cerebellum
                  llmbench datasets check ~/scans --mask-suffix _mask
                """)

        @Argument(help: "The name of a dataset of the workspace, or a folder.")
        var target: String
        @Option(help: "What a mask's name has behind its image's, before .png. Folders only.")
        var maskSuffix = ""
        @OptionGroup var workspace: WorkspaceOptions
        @OptionGroup var output: JSONOption

        func validate() throws {
            guard !target.isEmpty else {
                throw ValidationError("the target is empty: name a dataset, or a folder with images/ and masks/")
            }
        }

        struct Result: Codable {
            var pairs: Int
            var problems: [DatasetProblem]
        }

        func run() async throws {
            let bar = ProgressBar(title: "Checking \(target)", total: 0)
            let report = try report { done, total in bar.update(done, note: "\(done) of \(total)") }
            if output.json {
                try JSONOption.print(Result(pairs: report.pairs.count, problems: report.problems))
            } else {
                for problem in report.problems { print(problem) }
                print("\(report.pairs.count) sound pairs, \(report.problems.count) problems")
            }
            guard report.problems.isEmpty else {
                throw CommandFailure.failed("\(target) has \(report.problems.count) problems")
            }
        }

        /// A folder if the argument is a path or names one, else a dataset of the workspace.
        private func report(progress: (Int, Int) -> Void) throws -> DatasetChecker.Report {
            let folder = URL(filePath: target, directoryHint: .isDirectory)
            let isPrepared = { (url: URL) in
                FileManager.default.fileExists(atPath: url.appending(path: "dataset.json").path(percentEncoded: false))
            }
            if isPrepared(folder) {
                return try DatasetFailure.mapped { () throws(DatasetError) in
                    DatasetChecker.run(try Dataset.load(folder), progress: progress)
                }
            }
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: folder.path(percentEncoded: false), isDirectory: &isFolder)
            if exists && isFolder.boolValue {
                return DatasetChecker(folder: folder, maskSuffix: maskSuffix).run(progress: progress)
            }
            guard !target.contains("/") else { throw CommandFailure.usage("there is no folder \(target)") }
            let catalogue = DatasetCatalogue(root: try workspace.resolve().datasets)
            return try DatasetFailure.mapped { () throws(DatasetError) in
                DatasetChecker.run(try catalogue.load(target), progress: progress)
            }
        }
    }

    struct Prepare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a dataset of a folder with images/ and masks/.",
            discussion: """
                Pictures are rewritten as 8-bit PNGs without metadata, masks as 0 and 255 under their image's name, and a part is \
                held out at random. Where several images come from one patient, say so with --group-by, or the held-out part is \
                not held out.

                  llmbench datasets prepare ~/scans --name liver --image-kind "axial CT slices of the abdomen" \\
                      --foreground "the liver" --mask-suffix _mask --group-by '^(patient[0-9]+)'
                """)

        @Argument(help: "The folder that holds images/ and masks/.")
        var folder: String
        @Option(help: "The new dataset's name: letters, digits, '-', '_', '.'.")
        var name: String
        @Option(help: "What an image shows, in the words of the prompt.")
        var imageKind: String
        @Option(help: "What is foreground, in the words of the prompt.")
        var foreground: String
        @Option(help: "What a pipeline should expect of the foreground; made from the masks when not given.")
        var foregroundHint: String?
        @Option(help: "A title for tables; the name when not given.")
        var title: String?
        @Option(help: "What a mask's name has behind its image's, before .png.")
        var maskSuffix = ""
        @Option(help: "Fraction that is held out.")
        var heldOut = 0.1
        @Option(help: "Seed of the split.")
        var seed: UInt64 = 1
        @Option(help: "Regular expression; names with the same first group (or match) stay on one side of the split.")
        var groupBy: String?
        @Option(help: "Licence of the data.")
        var licence = "not stated"
        @Option(help: "Where the data come from; may be repeated.")
        var origin: [String] = []
        @Flag(help: "Leave files with problems out instead of refusing.")
        var skipBad = false
        @OptionGroup var workspace: WorkspaceOptions
        @OptionGroup var output: JSONOption

        func validate() throws {
            let texts: [(String, String?)] = [
                ("--name", name), ("--image-kind", imageKind), ("--foreground", foreground),
                ("--foreground-hint", foregroundHint), ("--title", title),
            ]
            for (option, text) in texts {
                guard let text, !text.contains(where: { !$0.isWhitespace }) else { continue }
                let isOptional = option == "--foreground-hint" || option == "--title"
                throw ValidationError("\(option) is empty: give a text\(isOptional ? ", or leave it out" : "")")
            }
            guard heldOut > 0, heldOut < 1 else {
                throw ValidationError("--held-out \(heldOut): give a fraction between 0 and 1")
            }
            guard groupBy.map({ (try? NSRegularExpression(pattern: $0)) != nil }) ?? true else {
                throw ValidationError("--group-by '\(groupBy ?? "")': give a regular expression")
            }
        }

        func run() async throws {
            let catalogue = DatasetCatalogue(root: try workspace.resolve().datasets)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw CommandFailure.usage("there is no folder \(folder): name the one that holds images/ and masks/")
            }
            let preparer = DatasetPreparer(
                .init(
                    name: name, title: title, imageKind: imageKind, foreground: foreground,
                    foregroundHint: foregroundHint, maskSuffix: maskSuffix, heldOut: heldOut, seed: seed,
                    groupBy: groupBy, licence: licence, sources: origin, skipBad: skipBad))
            let bar = ProgressBar(title: "Preparing \(name)", total: 0)
            let source = URL(filePath: folder, directoryHint: .isDirectory)
            let result = try DatasetFailure.mapped { () throws(DatasetError) in
                try preparer.prepare(source, into: catalogue) { done, total in
                    bar.update(done, note: "\(done) of \(total)")
                }
            }
            bar.finish()
            for problem in result.problems { Terminal.note("left out: \(problem)") }
            let summary = try DatasetFailure.mapped { () throws(DatasetError) in try DatasetSummary(result.dataset) }
            if output.json { return try JSONOption.print(summary) }
            print(summary.text)
        }
    }
}
