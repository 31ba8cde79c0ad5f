import Foundation

/// What of the sandbox works on this machine, and the command that mends what does not.
public struct SandboxCheck: Sendable, Hashable, Codable {
    public enum Status: String, Sendable, Hashable, Codable {
        case working, degraded, missing
    }

    public var name: String
    public var status: Status
    /// What was found.
    public var detail: String
    /// The command or setting that mends it; nil where nothing is to be done.
    public var remedy: String?

    public init(name: String, status: Status, detail: String, remedy: String? = nil) {
        self.name = name
        self.status = status
        self.detail = detail
        self.remedy = remedy
    }

    /// Checks everything by doing it. Takes about a tenth of a second.
    public static func all() -> [SandboxCheck] {
        guard let program = SystemProgram.find("bwrap") else {
            return [
                SandboxCheck(
                    name: "bubblewrap", status: .missing, detail: "not installed",
                    remedy: "apt-get install bubblewrap (Fedora: dnf install bubblewrap)")
            ]
        }
        return [version(program)] + tools() + [namespaces(program), systemCalls(), limits()]
    }

    private static func version(_ program: URL) -> SandboxCheck {
        let text = output([program.path(percentEncoded: false), "--version"])
        let numbers = text.split(separator: " ").last?.split(separator: ".").compactMap { Int($0) } ?? []
        // 0.8.0 is the first with --disable-userns.
        guard numbers.count >= 2, (numbers[0], numbers[1]) >= (0, 8) else {
            return SandboxCheck(
                name: "bubblewrap", status: .missing,
                detail: "\(text.isEmpty ? "unknown version" : text); 0.8 or later is needed",
                remedy: "install bubblewrap 0.8 or later (Debian 12 has it)")
        }
        return SandboxCheck(name: "bubblewrap", status: .working, detail: text)
    }

    private static func tools() -> [SandboxCheck] {
        let needed = ["prlimit"] + (geteuid() == 0 ? ["unshare", "setpriv"] : [])
        let missing = needed.filter { SystemProgram.find($0) == nil }
        guard !missing.isEmpty else { return [] }
        return [
            SandboxCheck(
                name: "util-linux", status: .missing, detail: "without \(missing.joined(separator: ", "))",
                remedy: "apt-get install util-linux")
        ]
    }

    private static func namespaces(_ program: URL) -> SandboxCheck {
        do {
            switch try BubblewrapSandbox.probe(program) {
            case .ordinary:
                return SandboxCheck(name: "namespaces", status: .working, detail: "made without privileges")
            case .dropped(let uid, _):
                return SandboxCheck(
                    name: "namespaces", status: .working, detail: "made as user \(uid), root is given up first")
            case .root:
                return SandboxCheck(
                    name: "namespaces", status: .degraded,
                    detail: "made as root without capabilities: root cannot be given up here",
                    remedy: "run llmbench as an ordinary user")
            }
        } catch {
            return SandboxCheck(
                name: "namespaces", status: .missing, detail: error.description,
                remedy: namespaceRemedies().first ?? "allow user namespaces for this user")
        }
    }

    /// The settings of this kernel that forbid user namespaces, each with the command that allows them.
    static func namespaceRemedies() -> [String] {
        func value(_ path: String) -> String? { smallFile(path)?.trimmingCharacters(in: .whitespacesAndNewlines) }
        var remedies: [String] = []
        if value("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
            remedies.append("sudo sysctl -w kernel.unprivileged_userns_clone=1")
        }
        if value("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
            remedies.append("sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
        }
        if value("/proc/sys/user/max_user_namespaces") == "0" {
            remedies.append("sudo sysctl -w user.max_user_namespaces=15000")
        }
        return remedies
    }

    private static func output(_ arguments: [String]) -> String {
        guard let pipe = try? Pipe2(),
            let child = try? ChildProcess.spawn(
                arguments, environment: ["LANG": "C.UTF-8"], descriptors: [1: pipe.writeEnd], newSession: false)
        else { return "" }
        pipe.closeWriteEnd()
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(pipe.readEnd, &buffer, buffer.count)
        while child.poll() == nil { usleep(2_000) }
        return String(decoding: buffer[..<max(0, count)], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
