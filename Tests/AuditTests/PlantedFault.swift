import Audit
import Datasets
import Foundation
import ResultStore
import Testing

/// One fault, planted in a study that was clean, and the one finding that it must lead to.
struct PlantedFault: Sendable, CustomStringConvertible {
    var description: String
    var check: String
    var severity: AuditFinding.Severity
    /// Parts of what is said.
    var says: [String]
    var shape = SyntheticStudy.Shape()
    var plant: @Sendable (SyntheticStudy) throws -> Void = { _ in }

    static let all: [PlantedFault] = scores + lists + data + training + records

    private static let scores: [PlantedFault] = [
        .init(
            description: "a Dice above 1 among test batches", check: "score-range", severity: .error,
            says: ["1 of 3 test batches lie outside [0, 1]", "1.25 (batch 1)"]
        ) { try $0.sql("UPDATE test_batch SET dice = 1.25 WHERE training_id = 1 AND batch = 1") },
        .init(
            description: "a negative Dice on the model's grid", check: "score-range", severity: .error,
            says: ["held-out Dice on the model's grid", "-0.1"]
        ) {
            try $0.sql(
                "UPDATE held_out SET model_grid_dice = -0.1 WHERE rowid = (SELECT min(rowid) FROM held_out)")
        },
        .init(
            description: "a reference above 1", check: "score-range", severity: .error, says: ["best threshold is 30"]
        ) { try $0.sql("UPDATE dataset_reference SET best_threshold_dice = 30") },
        .init(
            description: "an infinite Dice", check: "not-finite", severity: .error,
            says: ["1 of 3 test batches are not finite", "infinity (batch 0)"]
        ) { try $0.sql("UPDATE test_batch SET dice = 9e999 WHERE training_id = 2 AND batch = 0") },
        .init(
            description: "an infinite loss", check: "not-finite", severity: .error, says: ["1 epoch of 4", "epoch 3"]
        ) { try $0.sql("UPDATE epoch SET validation_loss = 9e999 WHERE training_id = 1 AND epoch = 3") },
        .init(
            description: "a loss that was NaN", check: "not-finite", severity: .warning,
            says: ["training loss of 2 epochs of 4 was not finite, the first: epoch 2"]
        ) { try $0.sql("UPDATE epoch SET train_loss = NULL WHERE training_id = 1 AND epoch IN (2, 4)") },
        .init(
            description: "one Dice for all test batches", check: "constant-scores", severity: .warning,
            says: ["all 3 test batches are 0.5"]
        ) { try $0.sql("UPDATE test_batch SET dice = 0.5 WHERE training_id = 1") },
    ]

    private static let copyDice = [
        """
        UPDATE held_out SET dice = (SELECT dice FROM held_out AS a WHERE a.training_id = 1 AND a.sample = held_out.sample)
        WHERE training_id = 2
        """,
        """
        UPDATE held_out_batch SET dice =
        (SELECT dice FROM held_out_batch AS a WHERE a.training_id = 1 AND a.batch = held_out_batch.batch)
        WHERE training_id = 2
        """,
    ]

    private static let lists: [PlantedFault] = [
        .init(
            description: "two models with the same held-out Dice", check: "identical-results", severity: .error,
            says: ["its 6 held-out Dice are those of s/discs/model-1", "by chance"]
        ) { for statement in copyDice { try $0.sql(statement) } },
        .init(
            description: "two models with the same losses", check: "identical-results", severity: .error,
            says: ["its 8 training losses are those of s/discs/model-1"], shape: .init(epochs: 8)
        ) {
            try $0.sql(
                """
                UPDATE epoch SET train_loss = (SELECT train_loss FROM epoch AS a WHERE a.training_id = 1 AND a.epoch = epoch.epoch)
                WHERE training_id = 2
                """)
        },
        .init(
            description: "test scores a sample", check: "per-sample", severity: .warning,
            says: ["6 values as test batches, which is one a sample; 6 samples in batches of 2 give 3"]
        ) {
            try $0.store.storeTestBatches([0.5, 0.6, 0.7, 0.4, 0.3, 0.8], training: 1)
        },
        .init(
            description: "held-out scores a sample as batches", check: "per-sample", severity: .warning,
            says: ["6 values as held-out batches"]
        ) { study in
            let images = try study.store.heldOut(training: 1)
            try study.store.storeHeldOut(images, batches: images.map(\.dice), training: 1)
        },
        .init(
            description: "an image without a score", check: "counts", severity: .error,
            says: ["of the held-out images 1 of 6 have no score"]
        ) {
            try $0.sql(
                "DELETE FROM held_out WHERE rowid = (SELECT min(rowid) FROM held_out WHERE training_id = 1)",
                "DELETE FROM held_out_batch WHERE training_id = 1")
        },
        .init(
            description: "an epoch that is gone", check: "counts", severity: .error,
            says: ["3 epochs are stored (1 to 3) where 4 were trained"]
        ) {
            try $0.sql(
                "DELETE FROM epoch WHERE training_id = 1 AND epoch = 4",
                "DELETE FROM validation_batch WHERE training_id = 1 AND epoch = 4")
        },
        .init(
            description: "a test batch too many", check: "counts", severity: .error,
            says: ["4 test batches where 6 samples in batches of 2 give 3"]
        ) { try $0.store.storeTestBatches([0.5, 0.6, 0.7, 0.4], training: 1) },
        .init(
            description: "a sample that no part holds", check: "counts", severity: .warning,
            says: ["its parts hold 17 + 6 + 6 = 29 samples; it was given 30"]
        ) { try $0.sql("UPDATE capture SET pipeline = json_remove(pipeline, '$.split.train[0]') WHERE run_id = 1") },
        .init(
            description: "batch means of other images", check: "batch-means", severity: .error,
            says: ["the mean of 3 held-out batches is", "that of their 6 images"]
        ) { try $0.sql("UPDATE held_out_batch SET dice = dice - 0.01 WHERE training_id = 1 AND batch = 0") },
    ]

    private static let data: [PlantedFault] = [
        .init(
            description: "a held-out image that is a training image compressed anew", check: "held-out-leak",
            severity: .error, says: ["1 of 6 held-out images are pixel for pixel images of the training part"],
            shape: .init(hasCopiedImage: true)),
        .init(
            description: "a capture that trained on a held-out image", check: "held-out-leak", severity: .error,
            says: ["1 held-out image stood in its training or validation part"]
        ) { study in
            try study.sql(
                """
                UPDATE capture SET pipeline = json_set(pipeline, '$.split.train[0]', '\(study.dataset.split.heldOut[2])')
                WHERE run_id = 1
                """)
        },
        .init(
            description: "a capture that tests on what it trained on", check: "held-out-leak", severity: .warning,
            says: ["1 image of its own test part stood in its training part"]
        ) {
            try $0.sql(
                """
                UPDATE capture SET pipeline =
                json_set(pipeline, '$.split.train[0]', json_extract(pipeline, '$.split.test[0]')) WHERE run_id = 1
                """)
        },
        .init(
            description: "a mask that was drawn anew", check: "dataset-changed", severity: .warning,
            says: ["its content is", "now; 2 runs used"]
        ) { study in
            var mask = try study.dataset.truth(study.dataset.split.training[0])
            mask[x: 0, y: 0] = 255
            try PNG.write(mask, to: study.dataset.maskURL(study.dataset.split.training[0]))
        },
        .init(
            description: "runs on two versions of the data", check: "dataset-changed", severity: .error,
            says: ["its runs used different contents: 1 run with", "on disk is"]
        ) {
            try $0.sql(
                "UPDATE run SET dataset_hash = 'older' WHERE id = 1",
                "UPDATE training SET dataset_hash = 'older' WHERE run_id = 1",
                "UPDATE capture SET dataset_hash = 'older' WHERE run_id = 1")
        },
        .init(
            description: "a training on other data than its run", check: "dataset-changed", severity: .error,
            says: ["it was trained on content older; its code was made for"]
        ) { try $0.sql("UPDATE training SET dataset_hash = 'older' WHERE run_id = 1") },
        .init(
            description: "a dataset that is gone", check: "dataset-changed", severity: .note,
            says: ["it cannot be compared with what was used: there is no dataset 'discs'"]
        ) { try FileManager.default.removeItem(at: $0.dataset.folder) },
        .init(
            description: "a prompt that was reworded", check: "prompt-changed", severity: .warning,
            says: ["of 2 runs is none of pytorch.md"]
        ) { try Data("Please segment it.\n".utf8).write(to: $0.workspace.prompts.appending(path: "pytorch.md")) },
        .init(
            description: "a request paid at another price", check: "price-changed", severity: .warning,
            says: ["1 of ", "were paid at another price, the first: round 0 cost 0.5 US dollars"]
        ) { try $0.sql("UPDATE exchange SET cost = 0.5 WHERE run_id = 1 AND round = 0") },
    ]

    private static let training: [PlantedFault] = [
        .init(
            description: "two runs with the same code from the same seed", check: "seed-reused", severity: .warning,
            says: ["2 trainings of different runs have the same files and the same seed"], shape: .init(runs: 2)
        ) {
            try $0.sql(
                """
                UPDATE round SET files = (SELECT files FROM round WHERE outcome = 'clean' AND run_id = 1)
                WHERE outcome = 'clean' AND run_id = 2
                """)
            let (first, second) = (try final($0, 1), try final($0, 2))
            try FileManager.default.removeItem(at: second)
            try FileManager.default.copyItem(at: first, to: second)
        },
        .init(
            description: "a run whose folder was removed", check: "files", severity: .warning,
            says: ["its folder is gone"]
        ) { try FileManager.default.removeItem(at: final($0, 1).deletingLastPathComponent()) },
        .init(
            description: "a program that was removed", check: "files", severity: .warning,
            says: ["main.py of 1 file cannot be read"]
        ) { try FileManager.default.removeItem(at: final($0, 1)) },
        .init(
            description: "a program that is a link now", check: "files", severity: .warning,
            says: ["main.py of 1 file cannot be read"]
        ) {
            let file = try final($0, 1).appending(path: "main.py")
            try FileManager.default.moveItem(at: file, to: file.appendingPathExtension("kept"))
            try FileManager.default.createSymbolicLink(
                at: file, withDestinationURL: file.appendingPathExtension("kept"))
        },
        .init(
            description: "a program that was changed after it ran", check: "files", severity: .error,
            says: ["main.py is not what ran in round"]
        ) { try Data("print(1)\n".utf8).write(to: final($0, 1).appending(path: "main.py")) },
        .init(
            description: "seeds that the pipeline overrides", check: "seed-reused", severity: .warning,
            says: ["it was trained from seeds 0, 7, and seeds itself with 42 each time"],
            shape: .init(models: 1, seeds: [0, 7], ownSeed: 42)),
        .init(
            description: "losses that stand still", check: "loss-flat", severity: .warning,
            says: ["training loss, common cross-entropy stay at 0.693147 for all 4 epochs"]
        ) {
            try $0.sql("UPDATE epoch SET train_loss = 0.693147, common_bce = 0.5 WHERE training_id = 1")
        },
        .init(
            description: "engines that disagree without a measured spread", check: "engines-disagree",
            severity: .warning, says: ["by emitted and", "by swift", "no training was repeated from another seed"],
            shape: .init(models: 1, engines: [.swift, .emitted])
        ) { try shift($0, by: "0.2", training: 1) },
        .init(
            description: "engines that disagree beyond the spread over seeds", check: "engines-disagree",
            severity: .warning, says: ["three standard errors of the spread over seeds"],
            shape: .init(models: 3, engines: [.swift, .pytorch], seeds: [0, 1, 2])
        ) { study in for training in Int64(1)...3 { try shift(study, by: "0.2", training: training) } },
        .init(
            description: "a runtime that leaves PyTorch", check: "parity", severity: .warning,
            says: ["losses differ by 0.5 in step 2, beyond 0.001, and by up to 0.5 within 2 steps"]
        ) {
            try $0.store.storeParity(
                ParityRecord(
                    runId: 1, seed: 0, steps: 2, largestLossDifference: 0.5, swiftLosses: [0.7, 0.6],
                    pytorchLosses: [0.7, 0.1]))
        },
        .init(
            description: "a runtime that drifts from PyTorch faster than rounding", check: "parity", severity: .warning,
            says: ["losses differ by 0.06 in step 20, beyond 0.05"]
        ) {
            let losses = (1...20).map { 1 - Double($0) / 40 }
            let theirs = losses.indices.map { losses[$0] + ($0 < 4 ? 0 : $0 < 19 ? 0.04 : 0.06) }
            try $0.store.storeParity(
                ParityRecord(
                    runId: 1, seed: 0, steps: 20,
                    largestLossDifference: zip(losses, theirs).map { abs($0 - $1) }.max() ?? 0,
                    swiftLosses: losses, pytorchLosses: theirs))
        },
        .init(
            description: "a difference that does not follow from its losses", check: "parity", severity: .error,
            says: ["the stored difference is 0.1; 20 and 20 losses give"]
        ) { try $0.sql("UPDATE parity SET largest_loss_difference = 0.1 WHERE run_id = 1") },
        .init(
            description: "a learning rate stated otherwise", check: "stated-otherwise", severity: .warning,
            says: ["learning_rate is", "stated as 0.02"]
        ) { try $0.sql("UPDATE capture SET stated = json_set(stated, '$.learning_rate', 0.02) WHERE run_id = 1") },
        .init(
            description: "stages counted otherwise", check: "stated-otherwise", severity: .note,
            says: ["encoder_stages is 3, stated as 4"]
        ) { try $0.sql("UPDATE capture SET stated = json_set(stated, '$.encoder_stages', 4) WHERE run_id = 1") },
    ]

    private static func shift(_ study: SyntheticStudy, by amount: String, training: Int64) throws {
        for table in ["held_out", "held_out_batch"] {
            try study.sql("UPDATE \(table) SET dice = dice - \(amount) WHERE training_id = \(training)")
        }
    }

    private static let records: [PlantedFault] = [
        .init(
            description: "a success without a clean round", check: "conversation", severity: .error,
            says: ["it is stored as 'round limit', its last round as 'clean'"]
        ) { try $0.sql("UPDATE run SET status = 'round limit' WHERE id = 1") },
        .init(
            description: "an error of a round that was clean", check: "conversation", severity: .error,
            says: ["have an error without a failed round, or the reverse"]
        ) {
            try $0.sql(
                """
                INSERT INTO error (run_id, round, error_class, subcategory, message, signature, same_as_previous)
                SELECT run_id, round, 'ValueError', 'other', 'm', 's', 0 FROM round WHERE run_id = 1 AND outcome = 'clean'
                """)
        },
        .init(
            description: "a training that goes on", check: "unfinished", severity: .note,
            says: ["1 training not evaluated yet"]
        ) { try $0.sql("UPDATE training SET status = 'running' WHERE id = 1") },
        .init(
            description: "text among numbers", check: "store-integrity", severity: .error,
            says: ["'dice' holds text where the column is of type double"]
        ) {
            try $0.sql("UPDATE held_out SET dice = 'high' WHERE rowid = (SELECT min(rowid) FROM held_out)")
        },
        .init(
            description: "a score of a training that does not exist", check: "store-integrity", severity: .error,
            says: ["it belongs to a row of 'training' that does not exist"]
        ) { try $0.sql("INSERT INTO test_batch VALUES (99, 0, 0.5)") },
        .init(
            description: "a status that nobody knows", check: "store-integrity", severity: .error,
            says: ["reading the trainings of a run failed"]
        ) { try $0.sql("UPDATE training SET status = 'finished' WHERE id = 1") },
        .init(
            description: "a report without a manifest", check: "figure-age", severity: .note,
            says: ["1 file without a manifest.json"]
        ) { _ = try figure($0) },
        .init(
            description: "a figure older than its data", check: "figure-age", severity: .warning,
            says: ["1 of 1 file made from other results than the store holds now (figures/dice.svg)"]
        ) { study in
            let file = try figure(study)
            try ReportManifest.record([file], in: folder(study), results: study.store.resultHash())
            try study.sql("UPDATE run SET max_rounds = 21 WHERE id = 1")
        },
        .init(
            description: "a figure that was touched", check: "figure-age", severity: .warning,
            says: ["1 file changed after being written: figures/dice.svg"]
        ) { study in
            let file = try figure(study)
            try ReportManifest.record([file], in: folder(study), results: study.store.resultHash())
            try Data("<svg>better</svg>".utf8).write(to: file)
        },
        .init(
            description: "a manifest that is none", check: "figure-age", severity: .warning,
            says: ["it is no manifest of a report"]
        ) { study in
            _ = try figure(study)
            try Data("{}".utf8).write(to: folder(study).appending(path: "manifest.json"))
        },
        .init(
            description: "a manifest that points outside", check: "figure-age", severity: .warning,
            says: ["it names a file outside the report"]
        ) { study in
            let file = try figure(study)
            try ReportManifest.record([file], in: folder(study), results: study.store.resultHash())
            let url = folder(study).appending(path: "manifest.json")
            let text = try String(contentsOf: url, encoding: .utf8)
            try Data(text.replacing("figures/dice.svg", with: "../../../etc/passwd").utf8).write(to: url)
        },
    ]

    static func folder(_ study: SyntheticStudy) -> URL {
        study.workspace.results(study: SyntheticStudy.name).appending(path: "report", directoryHint: .isDirectory)
    }

    /// A file as a report leaves it.
    private static func figure(_ study: SyntheticStudy) throws -> URL {
        let file = folder(study).appending(path: "figures/dice.svg")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("<svg/>".utf8).write(to: file)
        return file
    }

    /// Where the files of a run lie that ran.
    private static func final(_ study: SyntheticStudy, _ run: Int64) throws -> URL {
        let record = try #require(try study.store.run(id: run))
        return study.workspace.directory(of: record.key).final
    }
}
