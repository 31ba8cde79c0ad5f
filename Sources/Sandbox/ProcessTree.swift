import Foundation

/// What a process and all its descendants use, read from `/proc`.
///
/// Inside a process namespace every orphan is adopted by the namespace's first process, so the tree of parents below it is
/// complete, whatever forks twice or starts sessions of its own.
struct ProcessTree {
    var processes: [pid_t] = []
    var threads = 0
    /// Sum of resident memory; pages that processes share are counted once for each.
    var residentBytes = 0
    /// User and system time of the living, and of the dead that a living parent has waited for.
    var cpuSeconds = 0.0

    private struct Entry {
        var parent: pid_t
        var threads: Int
        var resident: Int
        var ticks: Int
    }

    /// Cost: one small read for each process of the machine.
    static func sample(below root: pid_t) -> ProcessTree {
        var entries: [pid_t: Entry] = [:]
        var children: [pid_t: [pid_t]] = [:]
        guard let folder = opendir("/proc") else { return ProcessTree() }
        defer { closedir(folder) }
        while let item = readdir(folder) {
            let first = item.pointee.d_name.0
            guard first >= 0x30, first <= 0x39 else { continue }
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let id = pid_t(name), let entry = entry(id) else { continue }
            entries[id] = entry
            children[entry.parent, default: []].append(id)
        }
        var tree = ProcessTree()
        var pending = [root]
        let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
        let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        while let id = pending.popLast() {
            guard let entry = entries.removeValue(forKey: id) else { continue }
            tree.processes.append(id)
            tree.threads += entry.threads
            tree.residentBytes += entry.resident * pageSize
            tree.cpuSeconds += Double(entry.ticks) / ticksPerSecond
            pending += children[id] ?? []
        }
        return tree
    }

    /// Resident memory with shared pages divided among those who share them: slower to read, and what a limit is judged by.
    func proportionalBytes() -> Int {
        var total = 0
        for id in processes {
            guard let text = smallFile("/proc/\(id)/smaps_rollup"),
                let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") }),
                let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
            else { continue }
            total += kibibytes << 10
        }
        return total > 0 ? total : residentBytes
    }

    /// Bytes of files that are open and have no name any more, apart for the given file systems and for memory (`memfd`).
    func namelessBytes(devices: Set<UInt>) -> (onDevices: Int, inMemory: Int) {
        struct Identity: Hashable {
            var device: UInt
            var inode: UInt
        }
        var seen: Set<Identity> = []
        var (onDevices, inMemory) = (0, 0)
        for id in processes {
            guard let folder = opendir("/proc/\(id)/fd") else { continue }
            defer { closedir(folder) }
            while let item = readdir(folder) {
                var status = stat()
                let failed = withUnsafePointer(to: &item.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { fstatat(dirfd(folder), $0, &status, 0) }
                }
                guard failed == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 0,
                    seen.insert(Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))).inserted
                else { continue }
                let bytes = Int(status.st_blocks) * 512
                if devices.contains(UInt(status.st_dev)) { onDevices += bytes } else { inMemory += bytes }
            }
        }
        return (onDevices, inMemory)
    }

    /// Fields of `/proc/<id>/stat`, see proc(5): 4 parent, 14 to 17 times, 20 threads, 24 resident pages.
    private static func entry(_ id: pid_t) -> Entry? {
        guard let text = smallFile("/proc/\(id)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 21, let parent = pid_t(fields[1]), let threads = Int(fields[17]),
            let pages = Int(fields[21])
        else { return nil }
        let ticks = (11...14).reduce(0) { $0 + (Int(fields[$1]) ?? 0) }
        return Entry(parent: parent, threads: threads, resident: pages, ticks: ticks)
    }
}

/// The start of a file of `/proc`, which fits a page.
func smallFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
        let count = read(descriptor, buffer.baseAddress!, 4096)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
