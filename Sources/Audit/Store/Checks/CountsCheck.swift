import ResultStore

/// Numbers of images, batches and epochs against the splits they come from.
struct CountsCheck: StoreCheck {
    let id = "counts"
    let asks = "Are there as many images, batches and epochs as the splits and plans say?"
    let why =
        "A mean over fewer or other images than stated is another quantity, and two such means are not comparable."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        evidence.trainings.filter(\.training.isWhole).flatMap { run, training in
            heldOut(run, training, evidence) + batches(run, training, evidence) + epochs(run, training, evidence)
        } + evidence.runs.flatMap { split($0, evidence) }
    }

    private func heldOut(
        _ run: AuditEvidence.Run, _ training: AuditEvidence.Training, _ evidence: AuditEvidence
    ) -> [AuditFinding] {
        guard training.record.status == .evaluated else { return [] }
        let hash = training.record.datasetHash
        let look = evidence.query("SELECT sample FROM held_out WHERE training_id = \(training.id)")
        let scored = Set(training.heldOut.map(\.sample))
        if let now = evidence.surroundings.datasets[run.record.dataset], now.contentHash == hash {
            let (missing, strange) = (Set(now.heldOut).subtracting(scored), scored.subtracting(now.heldOut))
            guard !missing.isEmpty || !strange.isEmpty else { return [] }
            let parts =
                (missing.isEmpty
                    ? []
                    : ["\(missing.count) of \(now.heldOut.count) have no score (\(Wording.list(missing.sorted())))"])
                + (strange.isEmpty
                    ? [] : ["\(strange.count) scored are not held out (\(Wording.list(strange.sorted())))"])
            return [
                finding(
                    .error, run.place(training), "of the held-out images " + parts.joined(separator: ", "), look: look)
            ]
        }
        guard let reference = evidence.references.first(where: { $0.datasetHash == hash }),
            reference.samples != scored.count
        else { return [] }
        return [
            finding(
                .error, run.place(training),
                "\(scored.count) held-out images are scored; the dataset had \(reference.samples)", look: look)
        ]
    }

    private func batches(
        _ run: AuditEvidence.Run, _ training: AuditEvidence.Training, _ evidence: AuditEvidence
    ) -> [AuditFinding] {
        var found: [AuditFinding] = []
        func check(_ count: Int, _ sizes: PartSizes?, _ name: String, _ table: String) {
            guard let sizes, count > 0, !sizes.fits(count), !sizes.isPerSample(count) else { return }
            found.append(
                finding(
                    .error, run.place(training),
                    "\(count) \(name) where \(sizes.samples) samples in batches of \(sizes.batchSize) give \(sizes.batches)",
                    look: evidence.query("SELECT * FROM \(table) WHERE training_id = \(training.id)")))
        }
        check(training.testBatches.count, PartSizes("test", of: training.capture), "test batches", "test_batch")
        check(training.heldOutBatches.count, training.heldOutSizes, "held-out batches", "held_out_batch")
        let validation = PartSizes("validation", of: training.capture)
        let perEpoch = Dictionary(grouping: training.validation, by: \.epoch).mapValues(\.count)
        let wrong = perEpoch.filter { entry in
            validation.map { !$0.fits(entry.value) && !$0.isPerSample(entry.value) } ?? false
        }
        if let epoch = wrong.keys.min(), let count = wrong[epoch] {
            check(count, validation, "validation batches in epoch \(epoch)", "validation_batch")
        }
        return found
    }

    private func epochs(
        _ run: AuditEvidence.Run, _ training: AuditEvidence.Training, _ evidence: AuditEvidence
    ) -> [AuditFinding] {
        let numbers = training.epochs.map(\.epoch)
        guard let planned = training.record.stoppedAtEpoch ?? training.record.epochs,
            numbers != Array(1...max(1, planned))
        else { return [] }
        return [
            finding(
                .error, run.place(training),
                numbers.isEmpty
                    ? "no epoch is stored where \(planned) were trained"
                    : "\(numbers.count) epochs are stored (\(numbers[0]) to \(numbers[numbers.count - 1])) where \(planned) were trained",
                look: evidence.query("SELECT epoch FROM epoch WHERE training_id = \(training.id)"))
        ]
    }

    /// The pipeline's own three parts together are what it was given.
    private func split(_ run: AuditEvidence.Run, _ evidence: AuditEvidence) -> [AuditFinding] {
        guard let now = evidence.surroundings.datasets[run.record.dataset],
            let capture = run.captures.last(where: { $0.record.datasetHash == now.contentHash }),
            let train = capture.part("train"), let validation = capture.part("validation"),
            let test = capture.part("test")
        else { return [] }
        let sum = train.count + validation.count + test.count
        guard sum != now.training.count else { return [] }
        return [
            finding(
                .warning, run.path,
                "its parts hold \(train.count) + \(validation.count) + \(test.count) = \(sum) samples; it was given \(now.training.count)",
                look: evidence.query(
                    "SELECT json_extract(pipeline, '$.split') FROM capture WHERE id = \(capture.record.id ?? -1)"))
        ]
    }
}
