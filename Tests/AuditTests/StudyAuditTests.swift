import Datasets
import Foundation
import ResultStore
import TestSupport
import Testing

@testable import Audit

@Suite("The audit of a study")
struct StudyAuditTests {
    @Test("finds a planted fault, once, and nothing else", arguments: PlantedFault.all)
    func planted(fault: PlantedFault) throws {
        let study = try SyntheticStudy(fault.shape)
        defer { study.remove() }
        try fault.plant(study)
        let report = try study.audit()
        let finding = try #require(report.findings.first, "nothing was found")
        #expect(report.findings.count == 1, "\(report.findings)")
        #expect(finding.check == fault.check && finding.severity == fault.severity, "\(finding)")
        for part in fault.says { #expect(finding.what.contains(part), "\(finding.what)") }
        #expect(!finding.place.isEmpty && !finding.why.isEmpty && !finding.look.isEmpty)
        #expect(report.isClean == (fault.severity == .note))
    }

    @Test("has nothing to say of a study that holds together", arguments: 0..<depth)
    func clean(index: Int) throws {
        let seed = Self.seed &+ UInt64(index)
        var random = SeededGenerator(seed: seed)
        let study = try SyntheticStudy(
            .init(
                models: .random(in: 1...4, using: &random), runs: .random(in: 1...3, using: &random),
                engines: Array([.swift, .pytorch, .emitted].prefix(.random(in: 1...3, using: &random))),
                seeds: Array(0...Int.random(in: 0...2, using: &random)), epochs: .random(in: 2...9, using: &random),
                images: 6 * Int.random(in: 6...12, using: &random)), seed: seed)
        defer { study.remove() }
        let report = try study.audit()
        #expect(
            report.findings.filter { $0.severity == .error }.isEmpty, "LLMBENCH_TEST_SEED=\(seed): \(report.findings)")
        // Engines draw their seeds' spread from three trainings: one in a few hundred studies is beyond three standard errors.
        #expect(
            report.findings.filter { $0.severity == .warning && $0.check != "engines-disagree" }.isEmpty,
            "LLMBENCH_TEST_SEED=\(seed): \(report.findings)")
        #expect(report.checks.count == StudyAudit.checks.count + 1)
    }

    @Test("A query that a finding names can be run as it stands")
    func queries() throws {
        for fault in PlantedFault.all where !fault.description.contains("manifest") {
            let study = try SyntheticStudy(fault.shape)
            defer { study.remove() }
            try fault.plant(study)
            for finding in try study.audit().findings where finding.look.hasPrefix("sqlite3 ") {
                let parts = finding.look.components(separatedBy: "\"")
                guard parts.count > 1, !parts[1].isEmpty else { continue }
                #expect(throws: Never.self, "\(finding.look)") {
                    try study.sql(parts[1])
                }
            }
        }
    }

    @Test("A manifest remembers what each file was made from, and forgets files that are gone")
    func manifest() throws {
        let study = try SyntheticStudy()
        defer { study.remove() }
        let folder = PlantedFault.folder(study)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = ["a.csv", "b.csv"].map { folder.appending(path: $0) }
        for file in files { try Data("x".utf8).write(to: file) }
        try ReportManifest.record([files[0]], in: folder, results: "one")
        try ReportManifest.record([files[1]], in: folder, results: "two")
        #expect(try ReportManifest.read(in: folder)?.files.map(\.results) == ["one", "two"])
        try FileManager.default.removeItem(at: files[0])
        try ReportManifest.record([files[1]], in: folder, results: "three")
        #expect(try ReportManifest.read(in: folder)?.files.map(\.path) == ["b.csv"])
        #expect(throws: ReportManifestError.self) {
            try ReportManifest.record([study.store.path], in: folder, results: "x")
        }
        #expect(throws: ReportManifestError.self) {
            try ReportManifest.record([folder.appending(path: "none.csv")], in: folder, results: "x")
        }
        try Data("later".utf8).write(to: files[1])
        let renewed = try study.store.resultHash()
        try ReportManifest.record([files[1]], in: folder, results: renewed)
        #expect(try study.audit().findings.isEmpty)
    }

    @Test("The hash of the results depends on results alone")
    func resultHash() throws {
        let (one, two) = (try SyntheticStudy(seed: 4), try SyntheticStudy(seed: 4))
        defer {
            one.remove()
            two.remove()
        }
        let before = try one.store.resultHash()
        #expect(try one.store.resultHash() == before)
        try one.sql("UPDATE held_out SET dice = dice + 1e-15 WHERE training_id = 1")
        #expect(try one.store.resultHash() != before)
    }

    @Test("Identical lists: the chance is estimated from the lists, not from their length alone")
    func coincidence() {
        let many = (0..<24).map { Double($0) / 24 }
        #expect(Coincidence(many).chance(of: 24, isSorted: true, places: 1000) < 1e-20)
        // 23 zeros and a one agree with 23 zeros and a one.
        let failed = [1.0] + [Double](repeating: 0, count: 23)
        #expect(Coincidence(failed).chance(of: 24, isSorted: false, places: 1) > Coincidence.level)
        #expect(Coincidence([0.71, 0.82]).chance(of: 2, isSorted: false, places: 1) > Coincidence.level)
        #expect(Coincidence([0.5]).perValue == 0.5)
    }

    @Test("Two failed models that segment nothing are not taken for copies")
    func failures() throws {
        let study = try SyntheticStudy()
        defer { study.remove() }
        try study.sql("UPDATE held_out SET dice = 0", "UPDATE held_out_batch SET dice = 0")
        #expect(Set(try study.audit().findings.map(\.check)) == ["constant-scores"])
    }

    @Test("Costs are compared with cards that are there, and a price that is gone is said")
    func prices() throws {
        let study = try SyntheticStudy()
        defer { study.remove() }
        var surroundings = try study.surroundings()
        surroundings.prices = ["model-0": nil]
        let found = try StudyAudit(store: study.store, study: SyntheticStudy.name, surroundings: surroundings).report()
            .findings
        #expect(found.map(\.check) == ["price-changed"] && found[0].place.contains("model-0"), "\(found)")
        #expect(found[0].what.hasSuffix("have a cost; the model's card has no price now"), "\(found)")
        surroundings.prices = nil
        #expect(
            try StudyAudit(store: study.store, study: SyntheticStudy.name, surroundings: surroundings).report().findings
                .isEmpty)
    }

    @Test("A model whose runs recorded two answers is in two groups, and a card of today only has a note")
    func cards() throws {
        let study = try SyntheticStudy(.init(runs: 2))
        defer { study.remove() }
        var surroundings = try study.surroundings()
        func findings() throws -> [AuditFinding] {
            try StudyAudit(store: study.store, study: SyntheticStudy.name, surroundings: surroundings).report().findings
        }
        // As the runs of this study were recorded: nothing is known of the cards then.
        surroundings.cards = ["model-0": .init(cohort: 2025, reasoning: nil, vendor: "A", openWeights: true)]
        var found = try findings()
        #expect(found.map(\.check) == ["card-changed"] && found[0].severity == .note, "\(found)")
        #expect(
            found[0].what
                == "vendor and weights were not recorded when 2 runs of model-0 were made; reports take them from models.yaml as it is now"
        )
        try study.sql("UPDATE run SET vendor = 'A', open_weights = 1, cohort_year = 2025")
        #expect(try findings().isEmpty)
        surroundings.cards?["model-0"]?.vendor = "B"
        found = try findings()
        #expect(found.map(\.severity) == [.note], "\(found)")
        #expect(found[0].what == "vendor 'A' where it is 'B' on the card now; reports use what was recorded")
        try study.sql("UPDATE run SET reasoning = 1, open_weights = NULL WHERE path LIKE '%model-1%run-02'")
        surroundings.cards = nil
        found = try findings()
        #expect(found.map(\.severity) == [.warning] && found[0].place.hasSuffix("run-02"), "\(found)")
        #expect(
            found[0].what.hasPrefix("reasoning yes where it is not said, open weights not said where it is yes in ")
                && found[0].what.hasSuffix("run-01, a run of the same model"), "\(found[0].what)")
    }

    @Test("An audit that follows another finds what one from the start finds")
    func following() throws {
        let study = try SyntheticStudy(.init(models: 3))
        defer { study.remove() }
        var reader = AuditReader(study: SyntheticStudy.name)
        let date = Date(timeIntervalSince1970: 0)
        func both() throws -> (following: AuditReport, anew: AuditReport) {
            var surroundings = try AuditSurroundings(workspace: study.workspace, store: study.store, reading: &reader)
            surroundings.prices = [:]
            let audit = StudyAudit(store: study.store, study: SyntheticStudy.name, surroundings: surroundings)
            let following = try audit.report(at: date, reading: &reader)
            var anew = try study.surroundings()
            anew.prices = [:]
            return (
                following,
                try StudyAudit(store: study.store, study: SyntheticStudy.name, surroundings: anew).report(at: date)
            )
        }
        var (following, anew) = try both()
        #expect(following == anew && following.findings.isEmpty)
        try study.sql("UPDATE test_batch SET dice = 1.25 WHERE training_id = 2 AND batch = 1")
        (following, anew) = try both()
        #expect(following == anew && following.findings.map(\.check) == ["score-range"], "\(following.findings)")
        var mask = try study.dataset.truth(study.dataset.split.training[0])
        mask[x: 0, y: 0] = 255
        try PNG.write(mask, to: study.dataset.maskURL(study.dataset.split.training[0]))
        (following, anew) = try both()
        #expect(following == anew && following.findings.map(\.check) == ["score-range", "dataset-changed"])
        try study.sql("DELETE FROM run WHERE id = 1")
        #expect(
            try AuditEvidence(store: study.store, study: SyntheticStudy.name, surroundings: .init()).runs.count == 2)
    }

    @Test("One run's engines may agree from one seed, not from two")
    func agreement() throws {
        let study = try SyntheticStudy(.init(models: 1, engines: [.swift, .pytorch]))
        defer { study.remove() }
        try study.sql(
            """
            UPDATE held_out SET dice = (SELECT dice FROM held_out AS a WHERE a.training_id = 1 AND a.sample = held_out.sample)
            WHERE training_id = 2
            """, "DELETE FROM held_out_batch")
        #expect(try study.audit().findings.isEmpty)
        try study.sql("UPDATE training SET seed = 1 WHERE id = 2")
        #expect(try study.audit().findings.map(\.check) == ["identical-results"])
    }

    @Test("Names in commands are quoted for the shell")
    func quoting() {
        #expect(Wording.shell("results/s/bench.sqlite") == "results/s/bench.sqlite")
        #expect(Wording.shell("a b") == "'a b'")
        #expect(Wording.shell("x'; rm -rf ~ #") == "'x'\\''; rm -rf ~ #'")
    }

    private static let seed = Trials.seed("clean studies")
    private static let depth = Trials.isVerifying ? 300 : 12
}
