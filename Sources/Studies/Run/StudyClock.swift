import Foundation
import ResultStore

/// How long processes have worked on a study: the row that says who works on it and when it was last seen alive.
struct StudyClock {
    private let store: ResultStore
    private var row: StudyRecord

    /// Adds up what earlier processes worked, up to their last sign of life, and writes this one down.
    init(_ study: Study, store: ResultStore) throws {
        self.store = store
        var row = StudyRecord(
            name: study.name, title: study.file.title, file: study.file.file, fileHash: study.file.sha256)
        if let before = try store.study(), before.name == study.name {
            row.firstBegunAt = before.firstBegunAt
            row.earlierSeconds = before.elapsedSeconds
        }
        row.budgetMoney = study.file.budget.money
        row.budgetHours = study.file.budget.hours
        row.process = ProcessIdentity.current.description
        self.row = row
        try store.storeStudy(row)
    }

    var elapsedSeconds: Double { row.earlierSeconds + max(0, Date().timeIntervalSince(row.begunAt)) }

    mutating func tick() throws {
        row.seenAt = Date()
        try store.storeStudy(row)
    }

    mutating func end(_ ending: String) throws {
        row.ending = ending
        try tick()
    }
}

/// Numbers for people.
public enum StudyNumbers {
    /// `$0.42`, `$12.30`.
    public static func money(_ value: Double) -> String {
        let cents = Int((value * 100).rounded())
        return "$\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
    }

    /// `42 s`, `3 min 07 s`, `2 h 05 min`, `3 d 04 h`.
    public static func duration(_ value: Double) -> String {
        let seconds = Int(max(0, min(value, 1e12)).rounded())
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3600 { return "\(seconds / 60) min \(two(seconds % 60)) s" }
        if seconds < 172_800 { return "\(seconds / 3600) h \(two(seconds % 3600 / 60)) min" }
        return "\(seconds / 86_400) d \(two(seconds % 86_400 / 3600)) h"
    }
}

/// Job ids that a mistyped one may have meant.
enum JobNames {
    static func suggestions(for name: String, among ids: [String]) -> [String] {
        // Ids share most of their letters: distances mean something between those of one length only.
        ids.filter { $0.hasSuffix(name) || $0.hasPrefix(name) }.prefix(3).map { $0 }
    }
}
