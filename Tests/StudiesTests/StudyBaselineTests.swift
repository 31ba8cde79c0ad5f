import Foundation
import ResultStore
import Testing

@testable import Studies

@Suite("The baseline of a study")
struct StudyBaselineTests {
    @Test("is trained by the published package, as the file asks for", .timeLimit(.minutes(40)))
    func package() async throws {
        let place = try StudyPlace()
        // By the two files of requirements its environment is found.
        let name = "requirements-nnunet.txt"
        let yaml = "name: real\nmodels: [keyed]\ndatasets: [disc]\nbaseline: {epochs: 1, iterations: 1}\n"
        try FileManager.default.copyItem(
            at: StudyPlace.checkout.appending(path: name), to: place.root.appending(path: name))
        let outcome = try await StudySession(try place.study(yaml), workspace: place.workspace).run()
        #expect(outcome.tally.done == 1 && outcome.failed.isEmpty, "\(outcome)")
        let store = try ResultStore(path: place.workspace.database(study: "real"))
        let record = try #require(try store.baselines().first)
        #expect(record.engine == .nnunetv2 && record.status == .evaluated && record.budget == "1x1")
        #expect(record.version?.hasPrefix("nnunetv2 2.8.1, torch ") == true)
        #expect(try store.baselineEpochs(baseline: record.id ?? -1).map(\.epoch) == [1])
        #expect(try !store.baselineHeldOut(baseline: record.id ?? -1).isEmpty)
    }

    @Test("is trained, scored and stored by the engine that the file names", .timeLimit(.minutes(40)))
    func whole() async throws {
        let place = try StudyPlace()
        // The model has no key: what is left to do is the baseline.
        let study = try place.study(
            "name: base\nmodels: [keyed]\ndatasets: [disc]\nbaseline: {engine: swift, epochs: 1, iterations: 2, seeds: [3]}\n"
        )
        let outcome = try await StudySession(study, workspace: place.workspace).run()
        #expect(outcome.tally.done == 1 && outcome.failed.isEmpty, "\(outcome)")
        let store = try ResultStore(path: place.workspace.database(study: "base"))
        let record = try #require(try store.baselines().first)
        #expect(record.engine == .swift && record.seed == 3 && record.status == .evaluated && record.budget == "1x2")
        #expect(try store.baselineEpochs(baseline: record.id ?? -1).map(\.epoch) == [1])
        #expect(try !store.baselineHeldOut(baseline: record.id ?? -1).isEmpty)
        let again = try await StudySession(study, workspace: place.workspace).run()
        #expect(again.tally.done == 1)
        #expect(try store.baselines() == [record], "nothing is done twice")
    }
}
