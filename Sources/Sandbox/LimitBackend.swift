import Foundation

/// Who ends a program that takes more memory, processes or processor time than it may.
///
/// The watchdog (`Supervisor`) looks every 0.05 s whatever the backend, and it alone knows bytes, files and printed output. A control
/// group adds what the kernel enforces at once, between two looks: an upper bound on memory and on the number of tasks, and the
/// processor time of processes that nobody waited for.
public enum LimitBackend: String, Sendable, Hashable, Codable, CaseIterable {
    /// Control groups version 2, one hierarchy for all (kernel.org, admin-guide/cgroup-v2).
    case cgroup2
    /// Control groups version 1, a hierarchy for each of memory, pids and cpuacct (admin-guide/cgroup-v1).
    case cgroup1
    case watchdog

    /// Those that work for this user on this machine, best first; the watchdog always does. Found by making a group.
    public static func available() -> [LimitBackend] {
        [.cgroup2, .cgroup1].filter { $0.obstacle() == nil } + [.watchdog]
    }

    /// Why it does not work here, in a clause; nil where it does.
    public func obstacle() -> String? {
        guard self != .watchdog else { return nil }
        do {
            _ = try ControlGroup(self, hierarchies: .current(), limits: SandboxLimits())
            return nil
        } catch {
            return error.reason
        }
    }

    var hasControlGroup: Bool { self != .watchdog }
}

/// Where the machine's control groups are, and where in them this process is.
struct ControlGroupHierarchies: Sendable {
    /// The folder of this process, by controller: `memory`, `pids`, `cpuacct` of version 1, and "" for version 2.
    var folders: [String: URL]

    /// From `/proc/self/mountinfo` and `/proc/self/cgroup` (proc(5), cgroups(7)).
    static func current() -> ControlGroupHierarchies {
        let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        let own = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
        return ControlGroupHierarchies(mounts: mounts, own: own)
    }

    init(folders: [String: URL]) { self.folders = folders }

    /// - Parameters:
    ///   - mounts: Lines as in mountinfo: `… root mountpoint options … - type source superoptions`.
    ///   - own: Lines `number:controllers:path`.
    init(mounts: String, own: String) {
        var paths: [String: String] = [:]
        for line in own.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(controller)] = String(parts[2])
            }
        }
        folders = [:]
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, fields.count > 4 else { continue }
            let (root, point) = (fields[3], fields[4])
            let controllers: [String] =
                switch fields[dash + 1] {
                case "cgroup2": [""]
                case "cgroup": fields[dash + 3].split(separator: ",").map(String.init)
                default: []
                }
            for controller in controllers {
                guard var path = paths[controller] else { continue }
                // A bind mount, or a namespace, shows a part of the hierarchy only.
                if root != "/", path.hasPrefix(root) { path.removeFirst(root.count) }
                folders[controller] = URL(filePath: point + path, directoryHint: .isDirectory)
            }
        }
    }
}
