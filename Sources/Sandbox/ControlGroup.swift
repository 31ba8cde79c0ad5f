import Foundation
import Synchronization

/// A control group for one run: made before it, removed after it.
///
/// Version 1 needs a group in each of three hierarchies, version 2 one. Names hold the number of the process that made them, so that
/// what a killed harness left behind is found and removed.
final class ControlGroup: Sendable {
    /// What the kernel could not give: the clause of a sentence.
    struct Unavailable: Error {
        var reason: String
    }

    /// One file of a group and what is written to it; a missing optional file is no failure.
    private struct Setting {
        var controller: String
        var file: String
        var value: String
        var isOptional = false
    }

    let backend: LimitBackend
    let memoryLimit: Int
    /// By controller.
    let folders: [String: URL]

    private static let counter = Atomic<Int>(0)
    private static let namePrefix = "llmbench-"

    /// - Throws: `Unavailable` where the hierarchy, the right to make a group in it, or a controller is missing.
    init(_ backend: LimitBackend, hierarchies: ControlGroupHierarchies, limits: SandboxLimits) throws(Unavailable) {
        self.backend = backend
        // Files of the folders in memory count as memory here, and as bytes written for the watchdog.
        memoryLimit = limits.memoryBytes + 2 * limits.volatileBytes
        let number = Self.counter.add(1, ordering: .relaxed).newValue
        let name = "\(Self.namePrefix)\(getpid())-\(number)"
        switch backend {
        case .watchdog: throw Unavailable(reason: "the watchdog has no group")
        case .cgroup2: folders = try Self.version2(hierarchies, name: name)
        case .cgroup1: folders = try Self.version1(hierarchies, name: name)
        }
        do throws(Unavailable) {
            for setting in settings(limits) { try apply(setting) }
        } catch {
            Self.remove(folders)
            throw error
        }
    }

    deinit { Self.remove(folders) }

    private static let controllersOfVersion1 = ["memory", "pids", "cpuacct"]

    private static func version1(
        _ hierarchies: ControlGroupHierarchies, name: String
    ) throws(Unavailable) -> [String: URL] {
        var made: [String: URL] = [:]
        do throws(Unavailable) {
            for controller in controllersOfVersion1 {
                guard let parent = hierarchies.folders[controller] else {
                    throw Unavailable(reason: "no hierarchy of version 1 for \(controller)")
                }
                made[controller] = try make(name, in: parent)
            }
        } catch {
            remove(made)
            throw error
        }
        return made
    }

    /// Below our own group a new one has no controllers unless we may hand them down, which the kernel forbids to a group with
    /// processes; beside our own, or beside one of its parents, it has those that the parent hands down.
    private static func version2(
        _ hierarchies: ControlGroupHierarchies, name: String
    ) throws(Unavailable) -> [String: URL] {
        guard let own = hierarchies.folders[""] else { throw Unavailable(reason: "version 2 is not mounted") }
        var parent = own
        var reason = "the controllers memory and pids are not handed down to this user's groups"
        for _ in 0..<8 {
            let handed = words(parent.appending(path: "cgroup.subtree_control"))
            if handed.contains("memory"), handed.contains("pids") {
                do throws(Unavailable) { return ["": try make(name, in: parent)] } catch { reason = error.reason }
            }
            guard FileManager.default.fileExists(atPath: parent.appending(path: "../cgroup.procs").path) else { break }
            parent = parent.deletingLastPathComponent()
        }
        throw Unavailable(reason: reason)
    }

    private static func make(_ name: String, in parent: URL) throws(Unavailable) -> URL {
        removeLeftovers(in: parent)
        let folder = parent.appending(path: name, directoryHint: .isDirectory)
        guard mkdir(folder.path(percentEncoded: false), 0o755) == 0 else {
            let message = systemMessage(errno)
            throw Unavailable(reason: "no group can be made below \(parent.path(percentEncoded: false)): \(message)")
        }
        return folder
    }

    private func settings(_ limits: SandboxLimits) -> [Setting] {
        // Tasks are threads here; the watchdog counts processes, and ends a program at its limit sooner than this.
        let tasks = 16 * limits.processes + 16
        switch backend {
        case .cgroup2:
            return [
                Setting(controller: "", file: "memory.max", value: "\(memoryLimit)"),
                Setting(controller: "", file: "memory.swap.max", value: "0", isOptional: true),
                Setting(controller: "", file: "memory.oom.group", value: "1", isOptional: true),
                Setting(controller: "", file: "pids.max", value: "\(tasks)"),
            ]
        case .cgroup1:
            return [
                Setting(controller: "memory", file: "memory.limit_in_bytes", value: "\(memoryLimit)"),
                Setting(
                    controller: "memory", file: "memory.memsw.limit_in_bytes", value: "\(memoryLimit)", isOptional: true
                ),
                Setting(controller: "pids", file: "pids.max", value: "\(tasks)"),
            ]
        case .watchdog: return []
        }
    }

    private func apply(_ setting: Setting) throws(Unavailable) {
        guard let folder = folders[setting.controller] else { return }
        if let code = Self.write(setting.value, to: folder.appending(path: setting.file)), !setting.isOptional {
            throw Unavailable(reason: "\(setting.file) cannot be set: \(systemMessage(code))")
        }
    }

    /// Puts a process into the group; what it starts from then on is in it too.
    ///
    /// - Returns: The kernel's reason where it refused.
    func add(_ process: pid_t) -> String? {
        for folder in folders.values {
            if let code = Self.write("\(process)", to: folder.appending(path: "cgroup.procs")), code != ESRCH {
                return systemMessage(code)
            }
        }
        return nil
    }

    /// Processor seconds of everything that ever ran in the group.
    var cpuSeconds: Double {
        switch backend {
        case .cgroup2: Double(value("", "cpu.stat", "usage_usec") ?? 0) / 1e6
        case .cgroup1: Double(number("cpuacct", "cpuacct.usage") ?? 0) / 1e9
        case .watchdog: 0
        }
    }

    /// Which of its limits the group has met.
    var violation: SandboxOutcome.Limit? {
        let events: (memory: Int?, tasks: Int?) =
            switch backend {
            case .cgroup2: (value("", "memory.events", "oom_kill"), value("", "pids.events", "max"))
            case .cgroup1: (value("memory", "memory.oom_control", "oom_kill"), value("pids", "pids.events", "max"))
            case .watchdog: (nil, nil)
            }
        if (events.memory ?? 0) > 0, reachedMemoryLimit { return .memory }
        return (events.tasks ?? 0) > 0 ? .processes : nil
    }

    /// True where the kernel killed a process of the group although the group had not used up its own limit: the machine itself
    /// had no memory left. Nil where the kernel does not count that.
    var machineRanOutOfMemory: Bool? {
        let killed =
            switch backend {
            case .cgroup2: value("", "memory.events", "oom_kill")
            case .cgroup1: value("memory", "memory.oom_control", "oom_kill")
            case .watchdog: Int?.none
            }
        return killed.map { $0 > 0 && !reachedMemoryLimit }
    }

    private var reachedMemoryLimit: Bool {
        switch backend {
        // `max` counts how often the limit was about to be passed.
        case .cgroup2: (value("", "memory.events", "max") ?? 0) > 0
        // `memory.failcnt` is no longer counted by newer kernels; charges come in pages by the handful.
        case .cgroup1: (number("memory", "memory.max_usage_in_bytes") ?? 0) > memoryLimit - (1 << 20)
        case .watchdog: false
        }
    }

    // MARK: - Files

    /// A line `key number` of a flat file.
    private func value(_ controller: String, _ file: String, _ key: String) -> Int? {
        guard let url = folders[controller]?.appending(path: file),
            let text = smallFile(url.path(percentEncoded: false))
        else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix(key + " ") }
        return line?.split(separator: " ").last.flatMap { Int($0) }
    }

    private func number(_ controller: String, _ file: String) -> Int? {
        guard let url = folders[controller]?.appending(path: file),
            let text = smallFile(url.path(percentEncoded: false))
        else { return nil }
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static func words(_ url: URL) -> Set<Substring> {
        Set((smallFile(url.path(percentEncoded: false)) ?? "").split(whereSeparator: \.isWhitespace))
    }

    /// - Returns: `errno` of a failure.
    private static func write(_ text: String, to url: URL) -> Int32? {
        let descriptor = open(url.path(percentEncoded: false), O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        return Foundation.write(descriptor, bytes, bytes.count) == bytes.count ? nil : errno
    }

    /// A group can be removed once its last process is gone, a moment after that was waited for.
    private static func remove(_ folders: [String: URL]) {
        for folder in folders.values {
            for _ in 0..<100 {
                if rmdir(folder.path(percentEncoded: false)) == 0 || errno != EBUSY { break }
                usleep(10_000)
            }
        }
    }

    /// Groups of processes that are gone.
    private static func removeLeftovers(in parent: URL) {
        let path = parent.path(percentEncoded: false)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where name.hasPrefix(namePrefix)
        {
            let owner = name.dropFirst(namePrefix.count).split(separator: "-").first.flatMap { pid_t($0) }
            guard let owner, owner != getpid(), kill(owner, 0) != 0, errno == ESRCH else { continue }
            rmdir(parent.appending(path: name).path(percentEncoded: false))
        }
    }
}
