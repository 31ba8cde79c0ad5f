/// The runtime against PyTorch over the same first steps.
struct ParityCheck: StoreCheck {
    let id = "parity"
    let asks =
        "Do runtime and PyTorch agree over the same first steps, and does the stored difference follow from the losses?"
    let why =
        "Both compute the same graph from the same weights on the same batches: beyond rounding, one of them computes something else."

    /// What differs by more is no rounding: of the larger loss, in the first step, the two that follow, and all later ones.
    ///
    /// The first step has had nothing to diverge from; later ones train on from weights that differ by rounding, and Adam's
    /// first updates take the sign of gradients near 0 for their size. The demo's models differ by 6e-8 in step 1, below 2e-4 in
    /// step 3 and up to 1.2e-2 by step 20.
    static func tolerance(step: Int) -> Double { step == 1 ? 1e-4 : step <= 3 ? 1e-3 : 0.05 }

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        evidence.runs.flatMap { run in
            run.parities.flatMap { parity -> [AuditFinding] in
                let look = evidence.query("SELECT * FROM parity WHERE id = \(parity.id ?? -1)")
                let place = "\(run.path), parity, seed \(parity.seed)"
                let pairs = Array(zip(parity.swiftLosses, parity.pytorchLosses))
                let stored = parity.largestLossDifference
                let largest = pairs.map { abs($0 - $1) }.max() ?? 0
                if parity.swiftLosses.count != parity.pytorchLosses.count || pairs.isEmpty
                    || !(abs(largest - stored) <= 1e-6 * max(abs(stored), 1e-3))
                {
                    return [
                        finding(
                            .error, place,
                            "the stored difference is \(Wording.number(stored)); \(parity.swiftLosses.count) and "
                                + "\(parity.pytorchLosses.count) losses give \(Wording.number(largest))", look: look)
                    ]
                }
                let scale = max(1, pairs.map { max(abs($0), abs($1)) }.max() ?? 1)
                guard
                    let step = pairs.indices.first(where: { step in
                        !(abs(pairs[step].0 - pairs[step].1) <= Self.tolerance(step: step + 1) * scale)
                    })
                else { return [] }
                return [
                    finding(
                        .warning, place,
                        "losses differ by \(Wording.number(abs(pairs[step].0 - pairs[step].1))) in step \(step + 1), beyond "
                            + "\(Wording.number(Self.tolerance(step: step + 1) * scale)), and by up to "
                            + "\(Wording.number(largest)) within \(pairs.count) steps", look: look)
                ]
            }
        }
    }
}
