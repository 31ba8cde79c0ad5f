import ResultStore
import Studies
import Testing

@Suite("Where a study is")
struct TallyTests {
    private func job(_ id: String, _ kind: String, _ state: JobRecord.State, expected: Double, took: Double? = nil)
        -> JobRecord
    {
        var row = JobRecord(id: id, position: 0, kind: kind, state: state)
        (row.expectedSeconds, row.seconds) = (expected, took)
        return row
    }

    @Test(
        "What remains is expected at the pace of the jobs of its kind that are done, at what was assumed where none is")
    func pace() {
        let rows = [
            job("a", "train", .done, expected: 600, took: 20), job("b", "train", .done, expected: 600, took: 40),
            job("c", "train", .planned, expected: 600), job("d", "capture", .planned, expected: 60),
            job("e", "capture", .failed, expected: 60, took: 1), job("f", "evaluate", .skipped, expected: 5),
        ]
        let tally = StudyTally(rows, elapsedSeconds: 61, spent: 0, atOnce: 1)
        #expect(abs(tally.remainingSeconds - (30 + 60)) < 1e-9)
        #expect(
            StudyTally(rows, elapsedSeconds: 61, spent: 0, atOnce: 2).remainingSeconds == tally.remainingSeconds / 2)
        #expect((tally.total, tally.done, tally.failed, tally.skipped) == (6, 2, 1, 1))
    }
}
