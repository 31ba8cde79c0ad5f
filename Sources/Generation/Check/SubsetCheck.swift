import Diagnosis
import Sandbox

/// What checks of every target share: a fixed part of the data, limits, a number of epochs, and how their verdict is made.
protocol SubsetCheck {
    var subset: CheckSubset { get }
    var limits: SandboxLimits { get }
    var epochs: Int { get }
}

extension SubsetCheck {
    func verdict(
        _ kind: CheckVerdict.Kind, _ outcome: SandboxOutcome, _ error: ErrorReport?, _ detail: String
    ) -> CheckVerdict {
        CheckVerdict(
            kind: kind, outcome: outcome, error: error, detail: detail, wallLimit: limits.wallSeconds, epochs: epochs,
            samples: subset.samples.count)
    }

    /// One error is counted, the first; what else is wrong is said with it, so that nine missing files do not take nine rounds.
    func contractVerdict(_ breaches: [ContractBreach], _ outcome: SandboxOutcome) -> CheckVerdict {
        guard let first = breaches.first else { return verdict(.clean, outcome, nil, "") }
        let sentences = breaches.map(\.description).joined(separator: " Also, ")
        return verdict(.contract, outcome, first.report, String(sentences.prefix(8 << 10)))
    }
}
