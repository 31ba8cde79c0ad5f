import Foundation

/// How much memory a process can take before the system swaps, or kills it.
public enum AvailableMemory {
    /// Bytes that can be had now: the least of what the kernel counts as available (`MemAvailable` of proc(5)) and of what each
    /// control group above this process has left. nil where the system does not say.
    ///
    /// Costs some file reads, about a tenth of a millisecond. Another program may take the memory a moment later.
    public static func bytes() -> Int? {
        #if os(Linux)
            return bytes(root: "/")
        #else
            return Int(exactly: ProcessInfo.processInfo.physicalMemory)
        #endif
    }

    /// The same with `proc` and `sys` in another folder.
    static func bytes(root: String) -> Int? {
        let meminfo = read("\(root)proc/meminfo") ?? ""
        let machine = number(after: "MemAvailable:", in: meminfo).map { $0 * 1024 }
        let groups = read("\(root)proc/self/cgroup") ?? ""
        let left = groups.split(separator: "\n").flatMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            return fields.count == 3 ? self.left(String(fields[1]), String(fields[2]), root) : []
        }
        return ([machine].compactMap { $0 } + left).min()
    }

    /// What a group and each group above it have left.
    ///
    /// Version 2 has one tree of groups and an empty list of controllers, version 1 a tree for `memory`. In a container the path
    /// may be the one outside; the groups that are not found then say nothing, and the root of the tree does.
    private static func left(_ controllers: String, _ path: String, _ root: String) -> [Int] {
        let isSecond = controllers.isEmpty
        guard isSecond || controllers.split(separator: ",").contains("memory") else { return [] }
        let tree = "\(root)sys/fs/cgroup" + (isSecond ? "" : "/memory")
        let (limit, usage) =
            isSecond ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
        // Pages of files that were read once are given back before a group is out of memory.
        let reclaimable = isSecond ? "inactive_file" : "total_inactive_file"
        var names = path.split(separator: "/")
        var found: [Int] = []
        while true {
            let folder = ([tree] + names.map(String.init)).joined(separator: "/")
            // `max` is no number: no limit.
            if let limit = read("\(folder)/\(limit)").flatMap(number),
                let usage = read("\(folder)/\(usage)").flatMap(number)
            {
                let cache = number(after: reclaimable, in: read("\(folder)/memory.stat") ?? "") ?? 0
                found.append(max(0, limit - max(0, usage - cache)))
            }
            if names.popLast() == nil { return found }
        }
    }

    private static func read(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }

    private static func number(_ text: String) -> Int? {
        Int(text.trimmingCharacters(in: .whitespacesAndNewlines)).flatMap { $0 >= 0 ? $0 : nil }
    }

    /// The number in the line that begins with a word, such as `MemAvailable:   16301820 kB`; at most 2^50.
    private static func number(after word: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            if fields.count > 1, fields[0] == word { return number(String(fields[1])).map { min($0, 1 << 50) } }
        }
        return nil
    }
}
