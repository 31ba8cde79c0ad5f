import Datasets
import Foundation
import PageTestSupport
import ResultStore
import TensorRuntime
import Testing

@testable import Reporting

@Suite("The network as a drawing")
struct UNetDrawingTests {
    private static let facts =
        #"{"encoder_channels": [16, 32], "decoder_channels": [32, 16], "bottleneck_channels": 64, "skip": "<concatenate>", "image_size": [64, 48]}"#

    @Test func `every stage, its channels and its skip are drawn; a size only where it is known`() throws {
        let facts = try #require(JSONFacts(Self.facts))
        let shape = try #require(UNetShape(facts: facts, graph: nil))
        #expect(shape.sizes.map(\.shown) == ["64×48"], "nothing below the first stage is guessed")
        let svg = UNetDiagram(shape: shape).markup.html
        #expect(svg.components(separatedBy: "<rect").count == 6)
        #expect(svg.components(separatedBy: "polyline class=\"skip\"").count == 3)
        for text in [">16</text>", ">32</text>", ">64</text>", ">64×48</text>", "&lt;concatenate&gt;"] {
            #expect(svg.contains(text), "\(text)")
        }
        #expect(svg.contains("role=\"img\"") && svg.contains("U-Net with 2 encoder stages of 16, 32 channels"))
    }

    @Test func `sizes come from the captured graph`() throws {
        let study = try WrittenReport(runs: 3)
        defer { study.remove() }
        let html = try String(contentsOf: study.folder.appending(path: study.conversation), encoding: .utf8)
        for size in ["96×96", "48×48", "24×24", "12×12"] { #expect(html.contains(">\(size)</text>"), "\(size)") }
    }

    @Test(arguments: [
        "{}", #"{"encoder_channels": []}"#, #"{"encoder_channels": "16"}"#, #"{"encoder_channels": [16, "x"]}"#,
        #"{"encoder_channels": [1e300]}"#, #"{"encoder_channels": [1,1,1,1,1,1,1,1,1,1,1]}"#,
        #"{"encoder_channels": [16], "decoder_channels": [1, 2]}"#, #"{"encoder_channels": [-4]}"#,
    ])
    func `facts that are no U-Net draw nothing`(json: String) throws {
        #expect(UNetShape(facts: try #require(JSONFacts(json)), graph: nil) == nil)
    }
}

@Suite("Held-out images")
struct GalleryTests {
    @Test func `an outline is the mask's border`() {
        let mask = (0..<25).map { (1...3).contains($0 % 5) && (1...3).contains($0 / 5) }
        let outline = OverlayPicture.outline(mask, width: 5, height: 5, thickness: 1)
        #expect(outline.indices.filter { outline[$0] } == [6, 7, 8, 11, 13, 16, 17, 18])
        let all = OverlayPicture.outline([Bool](repeating: true, count: 9), width: 3, height: 3, thickness: 1)
        #expect(all.count { $0 } == 8, "the border of the picture counts")
    }

    @Test func `an overlay is a PNG of its size whose other pixels are clear`() throws {
        let data = try OverlayPicture.png(
            [true, false, false, true, true, false], width: 3, height: 2, colour: 0xE69F00, name: "x")
        let header = try PNG.decode([UInt8](data), name: "x").header
        #expect(header.width == 3 && header.height == 2 && header.colour == .rgba)
        #expect(throws: ReportError.self) {
            try OverlayPicture.png([true], width: 3, height: 2, colour: 0, name: "x")
        }
    }

    @Test func `cases run from worst to best with the middle one, and their pictures lie on the image's grid`() throws {
        let report = try WrittenReport(runs: 3)
        defer { report.remove() }
        let study = report.study
        let evidence = try StudyEvidence(store: study.store, study: study.name)
        let run = try #require(evidence.runs.first { $0.headline != nil })
        let gallery = try HeldOutGallery(
            run: run, directory: study.workspace.directory(of: run.record.key),
            dataset: DatasetOnDisk.load("ellipses", in: study.workspace), count: 5)
        #expect(gallery.cases.map(\.role) == ["worst", nil, "median", nil, "best"])
        #expect(gallery.cases.map(\.record.dice) == gallery.cases.map(\.record.dice).sorted())
        let item = gallery.cases[0]
        for data in [
            try gallery.sample(item).image(), try gallery.sample(item).truth(), try gallery.prediction(item),
        ] {
            let header = try PNG.decode([UInt8](data), name: "x").header
            #expect(header.width == 96 && header.height == 96)
        }
    }

    @Test func `nothing is shown of a dataset that has changed, of predictions that are gone, or before evaluation`()
        throws
    {
        let report = try WrittenReport(runs: 3)
        defer { report.remove() }
        let study = report.study
        let evidence = try StudyEvidence(store: study.store, study: study.name)
        var run = try #require(evidence.runs.first { $0.headline != nil })
        let directory = study.workspace.directory(of: run.record.key)
        func reason(_ dataset: Result<DatasetOnDisk, HeldOutGallery.Absence>) -> String {
            do throws(HeldOutGallery.Absence) {
                _ = try HeldOutGallery(run: run, directory: directory, dataset: dataset, count: 3)
                return "shown"
            } catch {
                if case .reason(let reason) = error { return reason }
                return "not evaluated"
            }
        }
        var dataset = try DatasetOnDisk.load("ellipses", in: study.workspace).get()
        #expect(reason(.success(dataset)) == "shown")
        #expect(reason(DatasetOnDisk.load("nowhere", in: study.workspace)).contains("nowhere"))
        dataset.hash = "other"
        #expect(reason(.success(dataset)).contains("has changed"))
        dataset.hash = run.record.datasetHash
        try FileManager.default.removeItem(
            at: directory.training(engine: "swift", seed: 0).appending(path: "predictions.safetensors"))
        #expect(reason(.success(dataset)).contains("no longer in generated/"))
        run.trainings = []
        #expect(reason(.success(dataset)) == "not evaluated")
    }
}

@Suite("The audit on the page")
struct AuditViewTests {
    private func html(_ audit: AuditSummary?) -> String {
        var markup = Markup()
        AuditView(audit: audit).add(to: &markup)
        return markup.html
    }

    @Test func `none, a clean one and one with findings are told apart, and figures carry it`() {
        #expect(html(nil).contains("No audit was run") && AuditView.figureWarning(nil) == "Not audited.")
        let date = Date(timeIntervalSince1970: 0)
        let clean = AuditSummary(auditedAt: date, checks: 14, findings: [])
        #expect(html(clean).contains("14 checks on 1970-01-01T00:00:00Z, no finding."))
        #expect(AuditView.figureWarning(clean) == nil)
        func finding(_ severity: AuditSummary.Severity, _ place: String) -> AuditSummary.Finding {
            .init(
                severity: severity, place: place, what: "<b>two rows</b>", whyItMatters: "One was copied.",
                howToLook: "llmbench report dice")
        }
        let bad = AuditSummary(
            auditedAt: date, checks: 14,
            findings: [finding(.note, "c"), finding(.warning, "b"), finding(.error, "a"), finding(.error, "aa")])
        let shown = html(bad)
        #expect(shown.contains("14 checks on 1970-01-01T00:00:00Z: 2 errors, 1 warning, 1 note."))
        #expect(shown.contains("&lt;b&gt;two rows&lt;/b&gt;") && !shown.contains("<b>"))
        let order = ["<strong>a<", "<strong>aa<", "<strong>b<", "<strong>c<"].map { shown.range(of: $0)?.lowerBound }
        #expect(order.allSatisfy { $0 != nil } && order.compactMap(\.self) == order.compactMap(\.self).sorted())
        #expect(AuditView.figureWarning(bad) == "The audit has findings.")
    }
}
