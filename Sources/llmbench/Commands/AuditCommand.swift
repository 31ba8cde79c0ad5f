import ArgumentParser
import Audit
import Drawing
import Endpoints
import Foundation
import ResultStore
import Tables

/// `llmbench audit`: whether the evidence of a study, a table or the published figures holds together.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Does the evidence hold together?",
        discussion: """
            Each finding says where, what was found, why it matters and how to look. Documentation/Audit.md lists the checks.
            Exit status: 0 nothing but notes, 1 errors or warnings.

            EXAMPLES
              llmbench audit                              the study's store, its data, prompts, prices and report
              llmbench audit results.csv --value dice --group dataset --group cohort
              llmbench audit --published                  the published tables that measurements are set beside
            """)

    @Argument(
        help: "A table as CSV; without one, the study's store is audited.", completion: .file(extensions: ["csv"]))
    var file: String?

    @Option(help: "A measured column of the table; may be given again. Found when not given.")
    var value: [String] = []

    @Option(help: "A column that names a group of the table; may be given again. Found when not given.")
    var group: [String] = []

    @Flag(help: "Audit the published tables.")
    var published = false

    @OptionGroup var workspaceOptions: WorkspaceOptions
    @OptionGroup var jsonOption: JSONOption

    func validate() throws {
        guard file == nil || !published else {
            throw ValidationError("audit either a FILE or the --published tables, not both")
        }
        guard file != nil || (value.isEmpty && group.isEmpty) else {
            throw ValidationError("--value and --group name columns of a table: give its FILE.csv")
        }
    }

    func run() async throws {
        let report = try makeReport()
        if jsonOption.json {
            try JSONOption.print(report)
        } else {
            print(AuditText(report: report).render(.current()))
        }
        guard report.isClean else { throw ExitCode(1) }
    }

    private func makeReport() throws -> AuditReport {
        if let file { return try auditTable(file) }
        if published { return try PublishedAudit(PublishedTables()).report() }
        let workspace = try workspaceOptions.resolve()
        let study = workspaceOptions.study
        let database = workspace.database(study: study)
        guard FileManager.default.fileExists(atPath: database.path) else {
            throw Self.nothing(in: study)
        }
        let store = try ResultStore(reading: database)
        // What cannot be counted is damaged, and for the audit to tell.
        let isEmpty =
            try? store.datasets(study: study).isEmpty && store.drawingSets().isEmpty && store.sweepTrainings().isEmpty
        guard isEmpty != true else { throw Self.nothing(in: study) }
        var reader = AuditReader(study: study)
        return try StudyAudit.report(of: store, in: workspace, reading: &reader, readsReplies: true)
    }

    private static func nothing(in study: String) -> CommandFailure {
        .usage("study '\(study)' has no runs to audit: `llmbench generate` makes one")
    }

    private func auditTable(_ path: String) throws -> AuditReport {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw CommandFailure.usage("there is no readable file \(path)")
        }
        guard data.count <= 256 << 20 else { throw CommandFailure.usage("\(path) is larger than 256 MiB") }
        guard let text = String(data: data, encoding: .utf8) else {
            throw CommandFailure.usage("\(path) is no UTF-8 text: save the table as CSV in UTF-8")
        }
        do {
            let table = try AuditedTable(
                CSVTable(parsing: text), name: path, values: value, groups: group.isEmpty ? nil : group)
            return TableAudit(table).report()
        } catch let error as CSVError {
            throw CommandFailure.usage("\(path): \(error)")
        } catch let error as AuditedTableError {
            throw CommandFailure.usage("\(error)")
        }
    }
}

extension StudyAudit {
    /// The audit of a study with all that lies beside its store, as `audit` and `report` make it.
    ///
    /// - Parameters:
    ///   - reader: Knows what an earlier audit has read.
    ///   - isBeingReported: The report's files are about to be written anew: their age says nothing.
    ///   - readsReplies: Every reply of a drawing is read and filled again, which takes about as long as scoring them did.
    /// - Throws: `StoreError`.
    static func report(
        of store: ResultStore, in workspace: Workspace, reading reader: inout AuditReader,
        isBeingReported: Bool = false,
        readsReplies: Bool = false
    ) throws -> AuditReport {
        // A store too damaged to name its datasets is what the audit is there to report.
        var surroundings =
            (try? AuditSurroundings(
                workspace: workspace, store: store, reading: &reader, looksAtReport: !isBeingReported))
            ?? AuditSurroundings()
        if readsReplies {
            surroundings.drawings = try? DrawingInspection(store, workspace: workspace, study: reader.study).problems()
        }
        // Cards that cannot be read are the business of `models list`; costs and groups are then not compared.
        if let registry = try? ModelRegistry.load(workspace.models) {
            surroundings.prices = Dictionary(
                registry.cards.map { card in
                    (card.slug, card.price.map { .init(input: $0.inputPerMillion, output: $0.outputPerMillion) })
                }, uniquingKeysWith: { first, _ in first })
            surroundings.cards = Dictionary(
                registry.cards.map { card in
                    (
                        card.slug,
                        .init(
                            cohort: card.cohort, reasoning: card.reasoning, vendor: card.vendor,
                            openWeights: card.openWeights)
                    )
                }, uniquingKeysWith: { first, _ in first })
        }
        return try StudyAudit(store: store, study: reader.study, surroundings: surroundings).report(reading: &reader)
    }
}
