/// Held-out images that a pipeline was trained on.
struct LeakCheck: StoreCheck {
    let id = "held-out-leak"
    let asks = "Are the held-out images, by content, others than those of the training?"
    let why = "Dice on an image that was trained on measures memory. It is higher, and says nothing about new patients."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        datasets(evidence) + evidence.runs.flatMap { captured($0, evidence) }
    }

    /// The same picture on both sides of a dataset's split, by its pixels.
    private func datasets(_ evidence: AuditEvidence) -> [AuditFinding] {
        evidence.surroundings.datasets.sorted { $0.key < $1.key }.compactMap { name, dataset in
            var training: [String: String] = [:]
            for id in dataset.training { dataset.imageHashes[id].map { training[$0] = id } }
            let pairs = dataset.heldOut.compactMap { id in
                dataset.imageHashes[id].flatMap { training[$0] }.map { (heldOut: id, training: $0) }
            }
            guard !pairs.isEmpty else { return nil }
            let seen = Set(pairs.map(\.training))
            let runs = evidence.runs.filter { run in
                run.record.dataset == name
                    && run.captures.contains { capture in
                        ["train", "validation"].contains {
                            capture.part($0)?.contains { $0.map(seen.contains) ?? false } ?? false
                        }
                    }
            }
            return finding(
                .error, "dataset \(name)",
                "\(pairs.count) of \(dataset.heldOut.count) held-out images are pixel for pixel images of the training part ("
                    + Wording.list(pairs.map { "\($0.heldOut) = \($0.training)" })
                    + "); \(runs.count) captured runs had one in their training or validation part",
                look: "llmbench datasets check \(Wording.shell(name))")
        }
    }

    /// What a capture says it trained on, against what was held out, and against its own test part.
    private func captured(_ run: AuditEvidence.Run, _ evidence: AuditEvidence) -> [AuditFinding] {
        guard let capture = run.captures.last(where: { $0.pipeline != nil }) else { return [] }
        let train = Set((capture.part("train") ?? []).compactMap(\.self))
        let fitted = train.union((capture.part("validation") ?? []).compactMap(\.self))
        let look = evidence.query(
            "SELECT json_extract(pipeline, '$.split') FROM capture WHERE id = \(capture.record.id ?? -1)")
        var found: [AuditFinding] = []
        let heldOut = Set(run.trainings.flatMap { $0.heldOut.map(\.sample) })
            .union(current(run, capture, evidence)?.heldOut ?? [])
        let leaked = fitted.intersection(heldOut)
        if !leaked.isEmpty {
            found.append(
                finding(
                    .error, run.path,
                    "\(Wording.count(leaked.count, "held-out image")) stood in its training or validation part: \(Wording.list(leaked.sorted()))",
                    look: look))
        }
        let shared = train.intersection((capture.part("test") ?? []).compactMap(\.self))
        if !shared.isEmpty {
            found.append(
                finding(
                    .warning, run.path,
                    "\(Wording.count(shared.count, "image")) of its own test part stood in its training part: \(Wording.list(shared.sorted()))",
                    why: "Its own test Dice is measured on what it was trained on; the held-out Dice is not touched.",
                    look: look))
        }
        return found
    }

    private func current(
        _ run: AuditEvidence.Run, _ capture: AuditEvidence.Capture, _ evidence: AuditEvidence
    ) -> AuditSurroundings.CurrentDataset? {
        evidence.surroundings.datasets[run.record.dataset].flatMap {
            $0.contentHash == capture.record.datasetHash ? $0 : nil
        }
    }
}
