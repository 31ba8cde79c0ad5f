import Foundation

/// Refuses a training that would not fit before it begins, instead of being killed in its tenth hour.
struct MemoryGuard {
    /// Bytes that can be had without swapping; nil where the system does not say.
    var available: Int?

    static func current() -> MemoryGuard {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else {
            return MemoryGuard(available: Int(ProcessInfo.processInfo.physicalMemory))
        }
        return MemoryGuard(available: parse(text))
    }

    /// `MemAvailable:   16301820 kB`
    static func parse(_ text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
        }
        return nil
    }

    /// - Throws: `TrainingError.memory`.
    func require(_ bytes: Int) throws {
        guard let available, bytes > available else { return }
        throw TrainingError.memory(needed: bytes, available: available)
    }
}
