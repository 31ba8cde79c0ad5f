import Foundation
import ResultStore
import Testing

@testable import Studies

@Suite("The budget of a study that runs")
struct BudgetTests {
    let place: StudyPlace
    let store: ResultStore

    init() throws {
        place = try StudyPlace()
        store = try place.store()
    }

    @Test("counts requests that are on their way, and what is stored once they are at their end")
    func money() throws {
        let budget = StudyBudget(.init(money: 1), store: store)
        let first = try budget.admit(0.6)
        let error = #expect(throws: BudgetReached.self) { try budget.admit(0.5) }
        #expect(
            error?.description
                == "the budget of $1.00 would be exceeded: $0.00 are spent, $0.60 expected of requests on their way, $0.50 of the next one"
        )
        let second = try budget.admit(0.4)
        second()
        // It cost less than expected.
        let key = try #require(try place.study().runKey(of: StudyPlanJob.first(place)))
        let run = try store.beginRun(RunRecord(key: key, provider: "openai", datasetHash: "d"))
        var exchange = try store.insertExchange(
            ExchangeRecord(runId: run.id ?? -1, round: 0, ordinal: 0, requestHash: "h"))
        (exchange.status, exchange.cost) = (.complete, 0.25)
        try store.updateExchange(exchange)
        first()
        _ = try budget.admit(0.75)
        #expect(throws: BudgetReached.self) { try budget.admit(0.01) }
    }

    @Test("lets out what costs nothing, or has no price, and everything where there is no limit")
    func free() throws {
        let none = StudyBudget(.init(money: 0), store: store)
        _ = try none.admit(nil)
        #expect(throws: BudgetReached.self) { try none.admit(0.01) }
        _ = try StudyBudget(.init(), store: store).admit(1e6)
        try StudyBudget(.init(), store: store).admitVersion(seconds: 1e9)
    }

    @Test("counts the hours of all calls before a version of a program begins")
    func hours() throws {
        let budget = StudyBudget(.init(hours: 1), store: store)
        // Before a study is stored nothing was used.
        try budget.admitVersion(seconds: 7200)
        var row = StudyRecord(name: "small", title: "small", file: "small.yaml", fileHash: "h")
        row.earlierSeconds = 3000
        try store.storeStudy(row)
        try budget.admitVersion(seconds: 500)
        let error = #expect(throws: BudgetReached.self) { try budget.admitVersion(seconds: 700) }
        #expect(
            error?.reason.hasPrefix(
                "the budget of 1.0 h would be exceeded: 50 min 00 s are used, 11 min 40 s expected of") == true)
    }

    @Test("expects a request to cost what is sent and an assumed reply, and nothing of a recording")
    func expected() throws {
        let study = try place.study("name: small\nmodels: [priced, keyed, prose]\ndatasets: [disc]\n")
        func cost(_ model: String) throws -> Double? {
            StudyEstimates.requestCost(50_000, of: try #require(study.participant(model)))
        }
        // 50 000 tokens for a dollar a million, 12 000 of a reply with reasoning for a hundred.
        #expect(try cost("priced").map { abs($0 - 1.25) < 1e-9 } == true)
        #expect(try cost("keyed") == nil && cost("prose") == nil)
    }
}

private enum StudyPlanJob {
    static func first(_ place: StudyPlace) throws -> StudyJob {
        let study = try place.study()
        return try #require(StudyPlan(study, estimates: StudyEstimates(study, store: nil)).jobs.first).job
    }
}
