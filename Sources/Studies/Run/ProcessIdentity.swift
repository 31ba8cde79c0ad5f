import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A process that can be told from another of the same number: its boot, its number, when it started.
public struct ProcessIdentity: Sendable, Hashable, CustomStringConvertible {
    public var pid: Int32
    /// `/proc/sys/kernel/random/boot_id`; empty where there is none.
    public var boot: String
    /// Clock ticks between boot and the process's start, field 22 of `/proc/PID/stat` (proc(5)); 0 where there is none.
    public var start: UInt64

    public static var current: ProcessIdentity {
        let pid = getpid()
        return ProcessIdentity(pid: pid, boot: bootID(), start: startTicks(pid) ?? 0)
    }

    init(pid: Int32, boot: String, start: UInt64) {
        (self.pid, self.boot, self.start) = (pid, boot, start)
    }

    /// Reads what `description` wrote; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let pid = Int32(parts[0]), pid > 0, let start = UInt64(parts[1]) else { return nil }
        self.init(pid: pid, boot: String(parts[2]), start: start)
    }

    public var description: String { "\(pid):\(start):\(boot)" }

    /// Whether this very process still runs on this machine. A number that another process has now, or that is from before the
    /// last boot, is dead.
    public var isAlive: Bool {
        guard boot == Self.bootID() else { return false }
        if let now = Self.startTicks(pid) { return now == start }
        #if os(Linux)
            return false
        #else
            return kill(pid, 0) == 0
        #endif
    }

    private static func bootID() -> String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    }

    private static func startTicks(_ pid: Int32) -> UInt64? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            // The name in parentheses may hold spaces and parentheses; the state follows it.
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z" else { return nil }
        return UInt64(fields[19])
    }
}
