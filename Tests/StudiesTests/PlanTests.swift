import Foundation
import ResultStore
import Studies
import Testing

@Suite("The plan of a study")
struct PlanTests {
    let place: StudyPlace

    init() throws { place = try StudyPlace() }

    private func plan(_ yaml: String) throws -> StudyPlan {
        let study = try place.study(yaml)
        return StudyPlan(study, estimates: try StudyEstimates(study, store: nil))
    }

    @Test("takes each run from conversation to score, and compares the first seed only")
    func shape() throws {
        let plan = try plan(
            """
            name: shape
            models: [small]
            datasets: [disc]
            engines: [swift, emitted]
            seeds: [0, 4]
            parity: 5
            """)
        let base = "small/disc/pytorch/1"
        #expect(
            plan.jobs.map(\.job.id) == [
                "generate/\(base)", "capture/\(base)/seed-0", "train/\(base)/swift-0", "evaluate/\(base)/swift-0",
                "train/\(base)/emitted-0", "evaluate/\(base)/emitted-0", "parity/\(base)/seed-0",
                "capture/\(base)/seed-4", "train/\(base)/swift-4", "evaluate/\(base)/swift-4",
                "train/\(base)/emitted-4", "evaluate/\(base)/emitted-4",
            ])
        func needs(_ id: String) -> [String]? { plan.job(id)?.needs }
        #expect(needs("generate/\(base)") == [])
        #expect(needs("capture/\(base)/seed-4") == ["generate/\(base)"])
        #expect(needs("train/\(base)/emitted-4") == ["capture/\(base)/seed-4"])
        #expect(needs("evaluate/\(base)/swift-0") == ["train/\(base)/swift-0"])
        #expect(needs("parity/\(base)/seed-0") == ["capture/\(base)/seed-0"])
        #expect(Set(plan.jobs.map(\.job.id)).count == plan.jobs.count)
    }

    @Test("measures programs in Swift by running them, whichever engines are named, and only where they are asked for")
    func targets() throws {
        let plan = try plan(
            """
            name: targets
            models: [small, {card: prose, targets: [swift]}]
            datasets: [disc]
            engines: [swift, pytorch]
            parity: 5
            """)
        let swift = "prose/disc/swift/1"
        let ids = plan.jobs.map(\.job.id).filter { $0.contains("/swift/1") }
        #expect(ids == ["generate/\(swift)", "train/\(swift)/emitted-0", "evaluate/\(swift)/emitted-0"])
        #expect(plan.job("train/\(swift)/emitted-0")?.needs == ["generate/\(swift)"])
        #expect(plan.jobs.filter { $0.job.kind == .generate }.map(\.job.model) == ["small", "prose"])
        #expect(plan.study.dataset("disc")?.prompts[nil]?["swift"]?.text.contains("PipelineKit") == true)
    }

    @Test("refines a program after its own score, by one engine and the first seed, and expects a request a version")
    func refinement() throws {
        let yaml = """
            name: refined
            models: [priced, {card: prose, targets: [swift]}]
            datasets: [disc]
            engines: [swift]
            seeds: [3, 0]
            parity: 0
            refine: 2

            """
        let study = try plan(yaml)
        let refinements = study.jobs.filter { $0.job.kind == .refine }
        #expect(
            refinements.map(\.job.id) == [
                "refine/priced/disc/pytorch/1/swift-3", "refine/prose/disc/swift/1/emitted-3",
            ])
        #expect(
            refinements.map(\.needs) == [
                ["evaluate/priced/disc/pytorch/1/swift-3"], ["evaluate/prose/disc/swift/1/emitted-3"],
            ])
        // Two requests after 1.6: each with the prompt and what came before; 4000 + 8000 tokens out of each at $100.
        let prompt = try #require(study.study.datasets[0].prompts[nil]?["pytorch"]?.text.utf8.count)
        let input = 2 * Double(prompt) / 4 + 4500 * (1.6 + 2.6)
        let expected = (input + 2 * 12_000 * 100) / 1e6
        #expect(refinements[0].estimate.cost.map { abs($0 - expected) < 1e-9 } == true)
        #expect(refinements[1].estimate.cost == nil, "a recording costs nothing")
        let other = try plan(yaml.replacing("engines: [swift]", with: "engines: [pytorch]"))
        let first = try #require(other.jobs.first { $0.job.kind == .refine })
        #expect(first.needs == ["capture/priced/disc/pytorch/1/seed-3"])
        let emitted = try plan(yaml + "refine_engine: emitted\n")
        #expect(emitted.jobs.contains { $0.job.id == "refine/priced/disc/pytorch/1/emitted-3" })
        #expect(try plan(yaml.replacing("refine: 2", with: "refine: 0")).jobs.allSatisfy { $0.job.kind != .refine })
    }

    @Test("does the first run of every model before the second of any")
    func order() throws {
        let plan = try plan(
            """
            name: order
            models: [{tag: scripted}]
            datasets: [disc]
            runs: 2
            engines: [swift]
            parity: 0
            """)
        let conversations = plan.jobs.filter { $0.job.kind == .generate }.map { "\($0.job.model) \($0.job.run)" }
        #expect(conversations == ["small 1", "prose 1", "small 2", "prose 2"])
        #expect(plan.jobs.count == 2 * 2 * 4)
    }

    @Test("expects costs from price, prompt and the stated lengths, and asks nothing of recordings and persons")
    func costs() throws {
        let plan = try plan("name: costs\nmodels: [priced, small, by-hand]\ndatasets: [disc]\nepochs: 120\n")
        let priced = try #require(plan.job("generate/priced/disc/pytorch/1"))
        let prompt = try #require(plan.study.datasets[0].prompts[nil]?["pytorch"]?.text.utf8.count)
        // 1.6 requests; 4000 + 8000 tokens out of each at $100, the prompt and what came before in at $1.
        let input = 1.6 * Double(prompt) / 4 + 4500 * 1.6 * 0.6 / 2
        let expected = (input + 1.6 * 12_000 * 100) / 1e6
        #expect(abs((priced.estimate.cost ?? 0) - expected) < 1e-9)
        #expect(!priced.estimate.isMeasured)
        #expect(plan.job("generate/small/disc/pytorch/1")?.estimate.cost == nil)
        #expect(plan.job("generate/by-hand/disc/pytorch/1")?.estimate.cost == nil)
        // 120 epochs of the training images at 0.2 s each, and 2.7 times that in PyTorch.
        let images = try #require(plan.study.datasets[0].trainingImages)
        #expect(images > 0)
        let (swift, emitted) = (
            plan.job("train/small/disc/pytorch/1/swift-0")?.estimate.seconds,
            plan.job("train/small/disc/pytorch/1/emitted-0")?.estimate.seconds
        )
        #expect(swift.map { abs($0 - 24 * Double(images)) < 1e-9 } == true, "\(swift ?? -1)")
        #expect(emitted.map { abs($0 - 64.8 * Double(images)) < 1e-9 } == true, "\(emitted ?? -1)")
        let unpriced = try self.plan("name: costs\nmodels: [keyed]\ndatasets: [disc]\n")
        #expect(unpriced.jobs[0].estimate.cost == nil && unpriced.jobs[0].estimate.costIsUnknown)
    }

    @Test("expects what was measured, once something was")
    func measured() async throws {
        let study = try place.study()
        let session = try StudySession(
            study, workspace: place.workspace,
            executor: { [workspace = place.workspace] in ScriptedExecutor($0, workspace, $1) })
        _ = try await session.run()
        let estimates = try StudyEstimates(study, store: place.store())
        let plan = StudyPlan(study, estimates: estimates)
        let training = try #require(plan.job("train/small/disc/pytorch/1/swift-0"))
        #expect(training.estimate.seconds == 40 && training.estimate.isMeasured)
        #expect(plan.job("capture/small/disc/pytorch/1/seed-0")?.estimate.seconds == 7)
        #expect(estimates.basis[0].contains("capture 7.0 s (n = 2)"), "\(estimates.basis)")
        #expect(estimates.basis[0].contains("train/swift 40 s (n = 2)"), "\(estimates.basis)")
    }

    @Test(
        "of every file in studies/ can be made",
        arguments: ["demo", "frameworks", "run-to-run", "fixed-epochs", "prompts", "paper-2024-2025"])
    func readyMade(_ name: String) throws {
        let workspace = Workspace(root: StudyPlace.checkout)
        let text = try String(
            contentsOf: StudyPlace.checkout.appending(path: "studies/\(name).yaml"), encoding: .utf8)
        let study = try StudyLoader(workspace: workspace, environment: [:]).study(
            yaml: text, file: "studies/\(name).yaml", name: "plan-test-\(name)")
        let plan = StudyPlan(study, estimates: try StudyEstimates(study, store: nil))
        let conversations = plan.jobs.count { $0.job.kind == .generate }
        switch name {
        case "demo":
            #expect(study.settings.isEmpty && conversations == 6 && study.file.maxRounds == 6)
            #expect(study.participants.allSatisfy { $0.card.fixture })
            let swift = plan.jobs.filter { $0.job.target == "swift" }.map { "\($0.job.kind) \($0.job.model)" }
            #expect(swift == ["generate fixture-swift", "train fixture-swift", "evaluate fixture-swift"])
        case "frameworks":
            let keras = plan.jobs.filter { $0.job.target == "tensorflow" }.map(\.job.kind)
            #expect(study.settings.isEmpty && conversations == 3)
            #expect(keras == [.generate, .capture, .train, .evaluate, .train, .evaluate, .parity])
        case "run-to-run": #expect(conversations == 20 && study.settings.count == 1)
        case "prompts":
            #expect(conversations == 25 && study.settings.count == 1)
            #expect(
                study.sharedPrompts.map { "\($0.model) \($0.prompt) as \($0.askedAs)" } == [
                    "gpt-o4-mini-high cold as plain"
                ])
        case "fixed-epochs": #expect(study.file.epochs == 120 && conversations == 8)
        default:
            #expect(study.participants.count == 19 && conversations == 19 * 6)
            #expect(study.participants.count { $0.card.cohort == 2024 } == 8)
            #expect(study.participants.count { $0.card.cohort == 2025 } == 11)
            let byHand = study.participants.filter { $0.source == .manual }.map(\.card.id)
            #expect(
                byHand == ["gpt-o1-preview", "claude-3.5-sonnet", "gemini-1.5-pro", "github-copilot", "bing-copilot"])
            let missing = study.settings.filter { $0.reason.contains("llmbench datasets prepare") }
            #expect(missing.count == 6, "\(study.settings)")
        }
    }
}
