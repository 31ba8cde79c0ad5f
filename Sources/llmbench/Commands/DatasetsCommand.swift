import ArgumentParser
import Datasets
import Foundation

struct DatasetsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datasets",
        abstract: "List, show, build, prepare and check datasets.",
        discussion: """
            A dataset is a folder of PNG pairs, images/ and masks/, with dataset.json and split.json.

              llmbench datasets list
              llmbench datasets show colin27-cerebellum
              llmbench datasets check my-scans --mask-suffix _mask
              llmbench datasets prepare my-scans --name liver --image-kind "axial CT slices" --foreground "the liver"
              llmbench datasets preview liver --out liver.png
            """,
        subcommands: [List.self, Show.self, Build.self, Prepare.self, Check.self, Preview.self],
        defaultSubcommand: List.self
    )
}

extension DatasetsCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Name the datasets of the workspace.", discussion: "  llmbench datasets list --json")

        @OptionGroup var workspace: WorkspaceOptions
        @OptionGroup var output: JSONOption

        struct Row: Codable {
            var name: String
            var title: String
            var training: Int
            var heldOut: Int
            var problem: String?

            enum CodingKeys: String, CodingKey {
                case name, title, training, problem
                case heldOut = "held_out"
            }
        }

        func run() async throws {
            let catalogue = DatasetCatalogue(root: try workspace.resolve().datasets)
            let rows = catalogue.names().map { name in
                do throws(DatasetError) {
                    let dataset = try catalogue.load(name)
                    return Row(
                        name: name, title: dataset.description.title, training: dataset.split.training.count,
                        heldOut: dataset.split.heldOut.count)
                } catch {
                    return Row(name: name, title: "", training: 0, heldOut: 0, problem: error.description)
                }
            }
            if output.json { return try JSONOption.print(rows) }
            var table = TextTable([("name", .left), ("training", .right), ("held out", .right), ("title", .left)])
            for row in rows {
                table.add([row.name, "\(row.training)", "\(row.heldOut)", row.problem.map { "! \($0)" } ?? row.title])
            }
            print(rows.isEmpty ? "no datasets in \(catalogue.root.path(percentEncoded: false))" : table.render())
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Describe one dataset, and what learning nothing would score on it.",
            discussion: """
                Beside sizes and provenance it prints the held-out Dice of the best single grey-level threshold and of the mean \
                training mask, both computed anew from the pictures.

                  llmbench datasets show colin27-cerebellum --json
                """)

        @Argument(help: "The dataset's name.")
        var name: String
        @OptionGroup var workspace: WorkspaceOptions
        @OptionGroup var output: JSONOption

        func run() async throws {
            let catalogue = DatasetCatalogue(root: try workspace.resolve().datasets)
            let summary = try DatasetFailure.mapped { () throws(DatasetError) in
                try DatasetSummary(try catalogue.load(name))
            }
            if output.json { return try JSONOption.print(summary) }
            print(summary.text)
        }
    }

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an embedded dataset anew of its published volumes, or draw a generated one.",
            discussion: """
                generated-skin, generated-polyp, generated-lung and generated-ct are drawn by a program in seconds and imitate \
                dermoscopy, endoscopy, chest X-ray and abdominal CT: they show nobody, and are marked as simulated wherever they appear.

                  llmbench datasets build generated-polyp
                  llmbench datasets build colin27-cerebellum --source /usr/share/mricron/templates
                  llmbench datasets build mni152-white-matter --source nilearn-wheel --into /tmp/rebuilt
                """)

        @Argument(
            help:
                "colin27-cerebellum or mni152-white-matter, which need --source; generated-skin, generated-polyp, generated-lung or generated-ct."
        )
        var name: String
        @Option(help: "The folder that holds the NIfTI volumes.")
        var source: String?
        @Option(help: "The folder to write the dataset's folder into; the workspace's datasets/ when not given.")
        var into: String?
        @OptionGroup var workspace: WorkspaceOptions
        @OptionGroup var output: JSONOption

        func run() async throws {
            var isFolder: ObjCBool = true
            if let into, FileManager.default.fileExists(atPath: into, isDirectory: &isFolder), !isFolder.boolValue {
                throw CommandFailure.usage("\(into) is a file: name a folder with --into")
            }
            let root = try into.map { URL(filePath: $0, directoryHint: .isDirectory) } ?? workspace.resolve().datasets
            let bar = ProgressBar(title: "Building \(name)", total: 0)
            let dataset = try dataset(in: DatasetCatalogue(root: root)) { bar.update($0, note: "\($0) of \($1)") }
            bar.finish()
            let summary = try DatasetFailure.mapped { () throws(DatasetError) in try DatasetSummary(dataset) }
            if output.json { return try JSONOption.print(summary) }
            print(summary.text)
        }

        private func dataset(in catalogue: DatasetCatalogue, progress: (Int, Int) -> Void) throws -> Dataset {
            let generated = GeneratedDataset.named(name)
            let known = DatasetRecipe.all.map(\.name) + GeneratedDataset.all.map(\.name)
            guard known.contains(name) else {
                throw CommandFailure.usage(
                    DatasetError.unknownDataset(
                        name, nearest: DatasetCatalogue.nearest(to: name, among: known), folder: "the list of recipes"
                    ).description)
            }
            guard (generated == nil) == (source != nil) else {
                throw CommandFailure.usage(
                    generated == nil
                        ? "\(name) is made of published volumes: give the folder that holds them with --source"
                        : "\(name) is drawn and not made of volumes: leave --source out")
            }
            return try DatasetFailure.mapped { () throws(DatasetError) in
                if let generated { return try generated.build(into: catalogue, progress: progress) }
                return try DatasetBuilder(name).build(
                    source: URL(filePath: source ?? "", directoryHint: .isDirectory), into: catalogue,
                    progress: progress)
            }
        }
    }

    struct Preview: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Draw samples with their masks outlined on one PNG.",
            discussion: "  llmbench datasets preview colin27-cerebellum --out sheet.png --count 40")

        @Argument(help: "The dataset's name.")
        var name: String
        @Option(help: "The PNG to write.")
        var out: String
        @Option(help: "How many samples, spread evenly over the dataset.")
        var count = 40
        @Option(help: "Pictures in a row.")
        var columns = 8
        @Flag(help: "Only held-out samples.")
        var heldOut = false
        @OptionGroup var workspace: WorkspaceOptions

        func validate() throws {
            guard count > 0, columns > 0 else { throw ValidationError("--count and --columns are at least 1") }
        }

        func run() async throws {
            let catalogue = DatasetCatalogue(root: try workspace.resolve().datasets)
            let file = try OutputFile.picture(out)
            try DatasetFailure.mapped { () throws(DatasetError) in
                let dataset = try catalogue.load(name)
                let pool = heldOut ? dataset.split.heldOut : dataset.samples
                let ids = ContactSheet.spread(pool.sorted(), count: count)
                let sheet = try ContactSheet.draw(dataset, ids, columns: columns)
                do throws(PNGError) {
                    try PNG.write(sheet, to: file)
                } catch {
                    throw .picture(error)
                }
                print("\(out): \(ids.joined(separator: " "))")
            }
        }
    }
}

/// Turns what the library says into a command's failure: an unknown name is usage, everything else a failure.
enum DatasetFailure {
    static func mapped<Value>(_ body: () throws(DatasetError) -> Value) throws -> Value {
        do throws(DatasetError) {
            return try body()
        } catch {
            switch error {
            case .unknownDataset, .unknownSample: throw CommandFailure.usage(error.description)
            default: throw CommandFailure.failed(error.description)
            }
        }
    }
}
