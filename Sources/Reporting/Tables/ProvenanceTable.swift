import Foundation
import ResultStore

/// Where numbers come from that is not in the store.
public struct ReportOrigin: Sendable, Hashable {
    /// Of llmbench.
    public var version: String?
    /// Of the workspace's repository.
    public var commit: String?

    public init(version: String? = nil, commit: String? = nil) {
        self.version = version
        self.commit = commit
    }

    /// The commit that a folder's repository is at, read from its files without running anything; nil where there is none.
    public static func commit(of folder: URL) -> String? {
        let git = folder.appending(path: ".git", directoryHint: .isDirectory)
        func line(_ path: String) -> String? {
            guard let data = try? Data(contentsOf: git.appending(path: path)), data.count < 1 << 20 else { return nil }
            return String(decoding: data, as: UTF8.self)
        }
        func hash(_ text: String?) -> String? {
            guard let text = text?.trimmingCharacters(in: .whitespacesAndNewlines), [40, 64].contains(text.count),
                text.allSatisfy(\.isHexDigit)
            else { return nil }
            return text
        }
        guard let head = line("HEAD")?.trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
        guard head.hasPrefix("ref: ") else { return hash(head) }
        let name = String(head.dropFirst(5))
        guard name.hasPrefix("refs/"), !name.contains("..") else { return nil }
        if let found = hash(line(name)) { return found }
        let packed = line("packed-refs")?.split(separator: "\n").first { $0.hasSuffix(" " + name) }
        return hash(packed.map { String($0.prefix { $0 != " " }) })
    }
}

extension StudyEvidence {
    /// What a reader needs to find, repeat and doubt the numbers: audit, versions, hashes, seeds, threads, counts.
    public func provenanceTable() -> ReportTable {
        var table = ReportTable(
            name: "provenance", title: "Provenance",
            columns: [.init("what", key: "item"), .init("value", key: "value"), .init("of", key: "subject")])
        func add(_ item: String, _ value: String, of subject: String = "") {
            table.rows.append([.text(item), .text(value), subject.isEmpty ? .missing : .text(subject)])
        }
        add("study", study)
        add("read", readAt.formatted(.iso8601))
        add("audit", auditSentence)
        for finding in audit?.findings ?? [] {
            add("finding, \(finding.severity.rawValue)", finding.what, of: finding.place)
        }
        add("llmbench", origin.version ?? "not known")
        add("commit of the workspace", origin.commit ?? "not known")
        add("runs", "\(runs.count)")
        add("runs that came to a pipeline", "\(runs.count { $0.record.status == .succeeded })")
        add("hand-written conversations", "\(fixtureRuns)")
        add("runs outside the sandbox", "\(runs.count { !$0.record.sandboxed })")
        addHashes(add)
        addTrainings(add)
        return table
    }

    private func addHashes(_ add: (String, String, String) -> Void) {
        func unique(_ pairs: [[String]]) -> [[String]] { Set(pairs).sorted { $0.lexicographicallyPrecedes($1) } }
        for pair in unique(runs.map { [$0.record.dataset, $0.record.datasetHash] }) {
            add("dataset, SHA-256", pair[1].isEmpty ? "not recorded" : pair[1], pair[0])
        }
        for pair in unique(runs.map { [$0.record.promptHash, $0.record.templateHash] }) {
            add("prompt template, SHA-256", pair[1].isEmpty ? "not recorded" : pair[1], "prompt \(pair[0])")
        }
        for pair in unique(runs.map { [$0.record.promptHash, $0.record.promptName ?? ""] }) where !pair[1].isEmpty {
            add("prompt's name", pair[1], "prompt \(pair[0])")
        }
        for pair in unique(runs.map { [$0.record.promptHash, $0.record.asking] }) where !pair[1].isEmpty {
            add("asked with", pair[1], "prompt \(pair[0])")
        }
        for pair in unique(runs.map { [$0.record.model, $0.record.endpointModel, $0.record.provider] }) {
            add("endpoint", pair[1].isEmpty ? pair[2] : "\(pair[2]), \(pair[1])", pair[0])
        }
    }

    private func addTrainings(_ add: (String, String, String) -> Void) {
        let trainings = runs.flatMap(\.trainings)
        func list(_ numbers: [Int]) -> String { Set(numbers).sorted().map { "\($0)" }.joined(separator: ", ") }
        for engine in TrainingRecord.Engine.allCases {
            let here = trainings.filter { $0.record.engine == engine }
            guard !here.isEmpty else { continue }
            let name = "engine \(engine.rawValue)"
            add("trainings", "\(here.count), of which \(here.count { $0.record.status == .evaluated }) evaluated", name)
            add("seeds", list(here.map(\.record.seed)), name)
            let threads = here.compactMap(\.record.threads)
            add("threads", threads.isEmpty ? "not recorded" : list(threads), name)
        }
        add("held-out images scored", "\(trainings.reduce(0) { $0 + $1.heldOut.count })", "")
    }

    /// The audit's result in a sentence, for the top of a report.
    public var auditSentence: String {
        guard let audit else {
            return "Not audited: nothing here was checked for duplicates, leaks or impossible numbers."
        }
        let when = audit.auditedAt.formatted(.iso8601)
        guard !audit.findings.isEmpty else { return "Audit of \(when): \(audit.checks) checks, no finding." }
        let counts = AuditSummary.Severity.allCases.compactMap { severity -> String? in
            let count = audit.findings.count { $0.severity == severity }
            return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        return "Audit of \(when): \(audit.checks) checks, \(counts.joined(separator: ", "))."
    }

    /// What stands above every report: the audit's result, and what hand-written conversations are.
    public var notice: String {
        [auditSentence, fixtureNotice].compactMap { $0 }.joined(separator: " ")
    }
}
