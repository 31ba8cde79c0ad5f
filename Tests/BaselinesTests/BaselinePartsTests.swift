import Datasets
import Foundation
import Testing

@testable import Baselines
@testable import ResultStore

@Suite("The parts of a baseline")
struct BaselinePartsTests {
    @Test("A budget has a key and a label of its own")
    func budget() {
        #expect(BaselineBudget(.epochs(50)).key == "50x250")
        #expect(BaselineBudget(.epochs(50), iterations: 10, batchSize: 4).key == "50x10-b4")
        #expect(BaselineBudget(.seconds(3600)).key == "3600s")
        #expect(BaselineBudget(.seconds(90), iterations: 100).key == "90s-100")
        #expect([1, 10, 250].map { BaselineBudget(.epochs(1), iterations: $0).validationIterations } == [1, 2, 50])
        func label(_ budget: BaselineBudget) -> String {
            BaselineRecord(
                engine: .nnunetv2, dataset: "d", budget: budget.key, seed: 0, datasetHash: "", epochs: budget.epochs,
                iterations: budget.iterations, wallSeconds: budget.seconds
            ).budgetLabel
        }
        #expect(label(BaselineBudget(.epochs(50))) == "50 × 250 iterations")
        #expect(label(BaselineBudget(.seconds(7200))) == "2 h")
        #expect(label(BaselineBudget(.seconds(120))) == "2 min")
        #expect(label(BaselineBudget(.seconds(90))) == "90 s")
    }

    @Test("Events are read as they are written, whole lines only, and what is none is passed over")
    func events() throws {
        let place = try BaselineWorkspace()
        let file = place.root.appending(path: "events.jsonl")
        var reader = NNUNetEventReader(file)
        #expect(reader.next().isEmpty)
        func add(_ text: String) throws {
            let before = (try? Data(contentsOf: file)) ?? Data()
            try (before + Data(text.utf8)).write(to: file)
        }
        try add(#"{"event":"stage","stage":"plan"}"# + "\n" + #"{"event":"epoch","epoch":1,"train_lo"#)
        #expect(reader.next() == [.stage("plan")])
        try add(#"ss":-0.5,"validation_loss":null,"seconds":2}"# + "\n\n[1]\n" + #"{"event":"epoch","epoch":0}"# + "\n")
        #expect(
            reader.next() == [
                .epoch(.init(epoch: 1, trainLoss: -0.5, validationLoss: nil, pseudoDice: nil, seconds: 2))
            ])
        try add(String(repeating: "x", count: NNUNetEventReader.longestLine + 1))
        #expect(reader.next().isEmpty)
        try add("\n" + #"{"event":"done"}"# + "\n" + #"{"event":"plan","batch_size":2}"# + "\n")
        #expect(reader.next() == [.done], "a plan without a patch is none")
    }

    @Test(
        "Progress that cannot be meant is none",
        arguments: [
            (#"{"epoch":1,"epochs":2,"iteration":3,"iterations":4,"loss":0.5,"share":null}"#, true),
            (#"{"epoch":1,"epochs":null,"iteration":3,"iterations":4,"share":0.25}"#, true),
            (#"{"epoch":1,"epochs":2,"iteration":5,"iterations":4}"#, false),
            (#"{"epoch":0,"epochs":2,"iteration":1,"iterations":4}"#, false),
            (#"{"epoch":1,"iteration":1,"iterations":4,"share":1.5}"#, false),
            (#"{"epoch":1"#, false),
        ])
    func progress(text: String, isProgress: Bool) throws {
        let place = try BaselineWorkspace()
        let file = place.root.appending(path: "progress.json")
        try Data(text.utf8).write(to: file)
        #expect((BaselineProgress(file: file) != nil) == isProgress)
    }

    @Test("The split keeps slices together, is always the same, and has a fifth for validation")
    func split() throws {
        for name in ["colin27-cerebellum", "mni152-white-matter"] {
            let dataset = try Dataset.load(BaselineWorkspace.checkout.appending(path: "datasets/\(name)"))
            let split = dataset.validationSplit()
            #expect(split == dataset.validationSplit())
            #expect((split.training + split.validation).sorted() == dataset.split.training.sorted())
            let share = Double(split.validation.count) / Double(dataset.split.training.count)
            #expect((0.19...0.23).contains(share), "\(share)")
            func slices(_ ids: [String]) -> Set<Int> {
                Set(ids.compactMap { dataset.description.acquisitions[$0]?.slice })
            }
            #expect(slices(split.training).isDisjoint(with: slices(split.validation)))
        }
        let place = try BaselineWorkspace()
        #expect(try place.addDiscs(training: 5).validationSplit().validation.count == 1)
    }

    @Test("The raw folder holds numbered cases, masks of 0 and 1, and our split")
    func raw() throws {
        let place = try BaselineWorkspace()
        let dataset = try place.addDiscs(training: 6, heldOut: 2, channels: 3)
        let root = place.root.appending(path: "raw", directoryHint: .isDirectory)
        try NNUNetData(dataset).write(to: root)
        let folder = root.appending(path: NNUNetData.name)
        func names(_ part: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: part).path).sorted()
        }
        #expect(try names("imagesTr") == (1...6).map { "case0000\($0)_0000.png" })
        #expect(try names("labelsTr") == (1...6).map { "case0000\($0).png" })
        #expect(try names("imagesTs") == ["held00001_0000.png", "held00002_0000.png"])
        let image = try PNG.read(folder.appending(path: "imagesTr/case00002_0000.png"))
        #expect(try image == dataset.image("disc 101") && image.channels == 3)
        let label = try PNG.read(folder.appending(path: "labelsTr/case00002.png"))
        #expect(Set(label.bytes) == [0, 1])
        let splits = try JSONDecoder().decode(
            [[String: [String]]].self, from: Data(contentsOf: folder.appending(path: "splits_final.json")))
        #expect(splits.count == 1 && splits[0]["train"]?.count == 5 && splits[0]["val"]?.count == 1)
        #expect(!FileManager.default.fileExists(atPath: root.path + ".partial"))
    }

    @Test("A baseline is stored once, its epochs in place of earlier ones, and enters the hash of the results")
    func store() throws {
        let place = try BaselineWorkspace()
        func bytes() throws -> Data {
            var all = Data()
            try place.store.forEachResultByte { all.append($0) }
            return all
        }
        let empty = try bytes()
        let new = BaselineRecord(
            engine: .nnunetv2, dataset: "d", budget: "1x1", seed: 0, datasetHash: "h", epochs: 1, iterations: 1)
        var record = try place.store.beginBaseline(new)
        #expect(try place.store.beginBaseline(new).id == record.id)
        let id = try #require(record.id)
        for loss in [0.5, 0.25] {
            try place.store.storeBaselineEpoch(
                BaselineEpochRecord(baselineId: id, epoch: 1, trainLoss: loss, validationLoss: nil, pseudoDice: 0.5))
        }
        #expect(try place.store.baselineEpochs(baseline: id).map(\.trainLoss) == [0.25])
        record.status = .evaluated
        try place.store.storeBaselineHeldOut(
            [BaselineHeldOutRecord(baselineId: id, sample: "a", dice: 0.75)], of: record)
        #expect(try place.store.baselines().map(\.status) == [.evaluated])
        #expect(try place.store.baselineHeldOut(baseline: id).map(\.dice) == [0.75])
        #expect(try bytes() != empty)
        try place.store.deleteBaseline(record)
        #expect(try place.store.baselineEpochs(baseline: id).isEmpty && bytes() == empty)
    }

    @Test("Generated code cannot import nnU-Net")
    func apart() throws {
        let requirements = try String(
            contentsOf: BaselineWorkspace.checkout.appending(path: "requirements.txt"), encoding: .utf8)
        #expect(!requirements.lowercased().contains("nnunet"))
        let own = ProcessInfo.processInfo.environment["LLMBENCH_PYTHON"]
        let process = Process()
        process.executableURL = URL(filePath: try #require(own, "scripts/test sets it"))
        process.arguments = [
            "-c", "import importlib.util, sys; sys.exit(7 if importlib.util.find_spec('nnunetv2') is None else 0)",
        ]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 7)
    }
}
