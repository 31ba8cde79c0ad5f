import ResultStore

/// Costs that do not follow from tokens and the card's price.
struct PriceChangedCheck: StoreCheck {
    let id = "price-changed"
    let asks = "Does the cost of every request follow from its tokens and the model's price now?"
    let why =
        "Costs of runs paid at different prices do not compare; a report that names one price would be wrong for some."

    func findings(in evidence: AuditEvidence) -> [AuditFinding] {
        guard let prices = evidence.surroundings.prices else { return [] }
        return evidence.runs.compactMap { run in
            guard let price = prices[run.record.model] else { return nil }
            let paid = run.exchanges.filter { $0.cost != nil && !$0.costIsEstimate && $0.status == .complete }
            let look =
                evidence.query(
                    "SELECT round, input_tokens, output_tokens, cost FROM exchange WHERE run_id = \(run.record.id ?? -1)"
                )
                + "; llmbench models show \(Wording.shell(run.record.model))"
            guard let price else {
                guard !paid.isEmpty else { return nil }
                return finding(
                    .warning, run.path,
                    "\(Wording.count(paid.count, "request")) have a cost; the model's card has no price now",
                    look: look)
            }
            let wrong = paid.filter { exchange in
                guard let cost = exchange.cost, let input = exchange.inputTokens, let output = exchange.outputTokens
                else {
                    return false
                }
                return abs(cost - Self.cost(input, output, price)) > 1e-6 * max(cost, 1e-6)
            }
            guard let first = wrong.first, let cost = first.cost else { return nil }
            let now = Self.cost(first.inputTokens ?? 0, first.outputTokens ?? 0, price)
            return finding(
                .warning, run.path,
                "\(wrong.count) of \(Wording.count(paid.count, "request")) were paid at another price, the first: round "
                    + "\(first.round) cost \(Wording.number(cost)) US dollars, by today's price \(Wording.number(now))",
                look: look)
        }
    }

    private static func cost(_ input: Int, _ output: Int, _ price: AuditSurroundings.Price) -> Double {
        (Double(input) * price.input + Double(output) * price.output) / 1e6
    }
}
