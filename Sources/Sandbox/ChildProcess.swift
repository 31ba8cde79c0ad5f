import CSpawn
import Foundation

/// A process started by `posix_spawn` with exactly the descriptors it was given.
///
/// swift-subprocess hands on the three standard streams and nothing else; bubblewrap needs more (a channel for its status,
/// synthetic files), and its tie to the parent's life (`--die-with-parent`) is a tie to the *thread* that started it, which must
/// therefore be one of ours and live as long as the child.
struct ChildProcess {
    let processID: pid_t

    /// - Parameters:
    ///   - arguments: Program (absolute path) and arguments.
    ///   - environment: The whole environment: nothing is inherited, so no key can be.
    ///   - descriptors: Open descriptors here, by the number they get in the child. All others are closed there.
    ///   - newSession: Starts a session of its own, so that its process group can be signalled.
    static func spawn(
        _ arguments: [String], environment: [String: String], descriptors: [Int32: Int32], newSession: Bool
    ) throws(SandboxError) -> ChildProcess {
        // Sources are first moved above every target, so that no `dup2` overwrites one that is still needed.
        let lowest = (descriptors.keys.max() ?? 2) + 1
        var moved: [Int32: Int32] = [:]
        defer { for source in moved.values { close(source) } }
        for (target, source) in descriptors {
            let copy = fcntl(source, F_DUPFD_CLOEXEC, lowest)
            guard copy >= 0 else { throw .broken(reason: "no free file descriptors (\(systemMessage(errno)))") }
            moved[target] = copy
        }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in moved { posix_spawn_file_actions_adddup2(&actions, source, target) }
        cspawn_close_from(&actions, lowest)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        if newSession { flags |= Int32(cspawn_setsid) }
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var processID = pid_t()
        let code = posix_spawn(&processID, arguments[0], &actions, &attributes, argv, envp)
        guard code == 0 else { throw .unavailable(reason: "\(arguments[0]) does not start: \(systemMessage(code))") }
        return ChildProcess(processID: processID)
    }

    /// How a process ended, and what it and its waited-for children used.
    struct End {
        /// Exit status, or nil when a signal ended it.
        var exitStatus: Int32?
        var signal: Int32?
        var cpuSeconds: Double
    }

    /// The end, if it has come.
    func poll() -> End? {
        var status: Int32 = 0
        var usage = rusage()
        let result = wait4(processID, &status, WNOHANG, &usage)
        guard result == processID else {
            return result < 0 && errno == ECHILD ? End(exitStatus: nil, signal: nil, cpuSeconds: 0) : nil
        }
        let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        let signal = status & 0x7f
        return signal == 0
            ? End(exitStatus: (status >> 8) & 0xff, signal: nil, cpuSeconds: cpu)
            : End(exitStatus: nil, signal: signal, cpuSeconds: cpu)
    }

    private func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}

/// The sentence of an `errno`.
func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }

/// A pipe whose ends are closed by name, each once.
final class Pipe2 {
    private(set) var readEnd: Int32
    private(set) var writeEnd: Int32

    init() throws(SandboxError) {
        var ends: [Int32] = [-1, -1]
        guard cspawn_pipe(&ends) == 0 else {
            throw .broken(reason: "no free file descriptors (\(systemMessage(errno)))")
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    /// A pipe that holds something short (at most what the kernel buffers, 64 KiB) and ends after it.
    convenience init(holding data: Data) throws(SandboxError) {
        try self.init()
        let bytes = [UInt8](data)
        guard write(writeEnd, bytes, bytes.count) == bytes.count else {
            throw .broken(reason: "a pipe did not take \(bytes.count) bytes")
        }
        closeWriteEnd()
    }

    func closeReadEnd() {
        if readEnd >= 0 { close(readEnd) }
        readEnd = -1
    }

    func closeWriteEnd() {
        if writeEnd >= 0 { close(writeEnd) }
        writeEnd = -1
    }

    deinit {
        closeReadEnd()
        closeWriteEnd()
    }
}
