import CSpawn
import Foundation
import Synchronization

/// Asked to end a run from another thread.
final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
}

/// Watches one program from its start to the end of its last process: stores what it prints, samples what it uses, and ends it
/// where a limit is passed.
///
/// One thread does all of it, the same that starts the program, because bubblewrap's tie to its parent is a tie to that thread.
struct Supervisor {
    /// What to start. The arrays and dictionaries are as `ChildProcess.spawn` takes them.
    struct Program {
        var arguments: [String]
        var environment: [String: String]
        /// Pipes whose reading ends the child gets, by its number for them.
        var inputs: [Int32: Pipe2] = [:]
        /// The child waits for the end of this one, which is also among its inputs; nil where it starts at once.
        var go: Pipe2?
        /// The child's number for bubblewrap's status channel; nil where no bubblewrap is between.
        var statusDescriptor: Int32?
    }

    /// How the program ended, before anyone judged whose fault it was.
    struct Report {
        var end: ChildProcess.End
        var verdict: Verdict?
        var status: BubblewrapStatus
        var errorHead: String
        var outcome: SandboxOutcome
        /// True where the machine's out-of-memory killer acted meanwhile.
        var machineRanOutOfMemory: Bool
    }

    /// Why the watchdog ended a program.
    enum Verdict: Equatable {
        case limit(SandboxOutcome.Limit)
        case stopped
        case failure(SandboxError)
    }

    let limits: SandboxLimits
    let writable: [URL]
    let standardOutput: URL
    let standardError: URL
    /// Below this much free space the machine's disk counts as full, whoever filled it.
    let diskReserveBytes: Int
    let stop: StopFlag
    /// The program's, where the kernel enforces limits too.
    var group: ControlGroup?
    /// Seconds between two looks.
    var samplingInterval = 0.05

    /// A stream that prints this many times what is stored is a flood, and ends the program.
    static let floodFactor = 4
    /// Seconds the processes get to vanish after SIGKILL.
    static let patience = 15.0

    func run(_ program: Program) throws(SandboxError) -> Report {
        let output = try OutputCapture(to: standardOutput, limit: limits.outputBytes)
        let error = try OutputCapture(to: standardError, limit: limits.outputBytes)
        let status = try Pipe2()
        _ = fcntl(status.readEnd, F_SETFL, O_NONBLOCK)
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(null) }

        var descriptors: [Int32: Int32] = [0: null, 1: output.writeEnd, 2: error.writeEnd]
        for (target, pipe) in program.inputs { descriptors[target] = pipe.readEnd }
        if let target = program.statusDescriptor { descriptors[target] = status.writeEnd }
        let killsBefore = Self.outOfMemoryKills()
        let child = try ChildProcess.spawn(
            program.arguments, environment: program.environment, descriptors: descriptors,
            newSession: true)
        output.closeWriteEnd()
        error.closeWriteEnd()
        status.closeWriteEnd()
        for pipe in program.inputs.values { pipe.closeReadEnd() }

        var watch = Watch(
            supervisor: self, child: child, isConfined: program.statusDescriptor != nil, go: program.go)
        defer { watch.close() }
        try watch.untilTheEnd(output: output, error: error, status: status)
        return watch.report(
            output: output, error: error,
            // The machine's count holds the kills of other runs' groups too.
            machineRanOutOfMemory: group?.machineRanOutOfMemory ?? (Self.outOfMemoryKills() > killsBefore))
    }

    private static func outOfMemoryKills() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/vmstat", encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
        return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }
}

/// The state of one supervised run.
private struct Watch {
    let supervisor: Supervisor
    let child: ChildProcess
    let isConfined: Bool
    /// What the program waits for; nil once it may go.
    var go: Pipe2?
    let started = ContinuousClock.now

    var status = BubblewrapStatus()
    var end: ChildProcess.End?
    var verdict: Supervisor.Verdict?
    var killedAt: ContinuousClock.Instant?
    var cpuSeconds = 0.0
    var peakMemory = 0
    var lastTree = ProcessTree()
    var disk: DiskWatch
    /// Descriptor of the namespace's first process; -1 until it is known.
    private var first: Int32 = -1
    private var lastSample: ContinuousClock.Instant?
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(supervisor: Supervisor, child: ChildProcess, isConfined: Bool, go: Pipe2?) {
        self.supervisor = supervisor
        self.child = child
        self.isConfined = isConfined
        self.go = go
        disk = DiskWatch(
            writable: supervisor.writable, output: supervisor.standardOutput.deletingLastPathComponent(),
            reserveBytes: supervisor.diskReserveBytes)
    }

    mutating func untilTheEnd(output: OutputCapture, error: OutputCapture, status pipe: Pipe2) throws(SandboxError) {
        while true {
            wait(for: [output.descriptor, error.descriptor, pipe.readEnd])
            output.drain(&buffer)
            error.drain(&buffer)
            readStatus(pipe)
            findFirst()
            letGo()
            if end == nil { end = child.poll() }
            // The streams close when the last process that could still write to them is gone.
            if end != nil, !output.isOpen, !error.isOpen, pipe.readEnd < 0 { return settle() }
            if end != nil, !isConfined, verdict == nil { killLeftovers() }
            judge(output: output, error: error)
            if let killedAt, seconds(since: killedAt) > Supervisor.patience {
                if end != nil, !isConfined { return }
                throw .broken(
                    reason:
                        "processes of the program are still there \(Int(Supervisor.patience)) s after they were killed")
            }
        }
    }

    mutating func close() {
        if first >= 0 { Foundation.close(first) }
        first = -1
    }

    private func wait(for descriptors: [Int32]) {
        var polled = descriptors.filter { $0 >= 0 }.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        if polled.isEmpty {
            usleep(5_000)
        } else {
            // A closed end answers at once; without bubblewrap there may be nothing to wait for but the exit itself.
            poll(&polled, nfds_t(polled.count), end == nil && status.exitCode == nil ? 50 : 5)
        }
    }

    private mutating func readStatus(_ pipe: Pipe2) {
        guard pipe.readEnd >= 0 else { return }
        let count = read(pipe.readEnd, &buffer, buffer.count)
        if count > 0 { status.append(buffer[..<count]) }
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { pipe.closeReadEnd() }
    }

    private mutating func findFirst() {
        guard first < 0, let id = status.childID, end == nil else { return }
        first = cspawn_process_descriptor(id)
    }

    /// The namespaces stand, the program does not run yet: the moment to put it into its control group.
    private mutating func letGo() {
        guard let pipe = go, status.childID != nil else { return }
        go = nil
        if let group = supervisor.group {
            for id in ProcessTree.sample(below: child.processID).processes {
                guard let message = group.add(id) else { continue }
                return end(.failure(.broken(reason: "the program cannot be put into its control group: \(message)")))
            }
        }
        // The end of the pipe is as good as a byte, and cannot raise SIGPIPE where bubblewrap has died meanwhile.
        pipe.closeWriteEnd()
    }

    /// Looks at everything that is limited, and ends the program for the first thing found.
    private mutating func judge(output: OutputCapture, error: OutputCapture) {
        guard verdict == nil, end == nil else {
            // A kill that came while processes were being born is repeated.
            if verdict != nil { kill() }
            return
        }
        let limits = supervisor.limits
        if supervisor.stop.isRaised { return end(.stopped) }
        if let code = output.failure ?? error.failure {
            let path = supervisor.standardOutput.deletingLastPathComponent().path(percentEncoded: false)
            return end(
                .failure(
                    code == ENOSPC || code == EDQUOT
                        ? .diskFull(path: path) : .broken(reason: "cannot write below \(path): \(systemMessage(code))"))
            )
        }
        if max(output.printed, error.printed) > limits.outputBytes * Supervisor.floodFactor {
            return end(.limit(.outputBytes))
        }
        if seconds(since: started) > limits.wallSeconds { return end(.limit(.wallTime)) }
        if let lastSample, seconds(since: lastSample) < supervisor.samplingInterval { return }
        sample()
        lastSample = .now
    }

    private mutating func sample() {
        let limits = supervisor.limits
        let tree = ProcessTree.sample(below: child.processID)
        if !tree.processes.isEmpty { lastTree = tree }
        cpuSeconds = max(cpuSeconds, tree.cpuSeconds, supervisor.group?.cpuSeconds ?? 0)
        // bubblewrap's two processes are not the program's.
        let processes = tree.processes.count - (isConfined ? 2 : 0)
        if processes > limits.processes || tree.threads > 16 * limits.processes { return end(.limit(.processes)) }
        if cpuSeconds > limits.cpuSeconds { return end(.limit(.cpuTime)) }
        if let violation = supervisor.group?.violation { return end(.limit(violation)) }

        disk.sample(tree: tree, initProcess: status.childID)
        // The sum of resident memory counts shared pages often; only where it is suspicious the exact sum is worth its cost.
        var memory = tree.residentBytes
        if memory + disk.namelessMemory > limits.memoryBytes { memory = tree.proportionalBytes() }
        memory += disk.namelessMemory
        peakMemory = max(peakMemory, memory)
        if memory > limits.memoryBytes { return end(.limit(.memory)) }
        if disk.writtenBytes > limits.writtenBytes { return end(.limit(.writtenBytes)) }
        if disk.writtenFiles > limits.writtenFiles { return end(.limit(.writtenFiles)) }
        if let path = disk.fullPath { return end(.failure(.diskFull(path: path))) }
    }

    /// What the last sample came too early to see.
    private mutating func settle() {
        guard verdict == nil else { return }
        cpuSeconds = max(cpuSeconds, supervisor.group?.cpuSeconds ?? 0)
        if let violation = supervisor.group?.violation { verdict = .limit(violation) }
        disk.settle()
        if disk.writtenBytes > supervisor.limits.writtenBytes { verdict = .limit(.writtenBytes) }
        if disk.writtenFiles > supervisor.limits.writtenFiles { verdict = .limit(.writtenFiles) }
    }

    private mutating func end(_ verdict: Supervisor.Verdict) {
        self.verdict = verdict
        killedAt = .now
        kill()
    }

    /// Ending the namespace's first process ends everything in it. Its tie to bubblewrap's life is made late, and until then it
    /// survives bubblewrap and is in nobody's tree: it is ended by its descriptor, or, before bubblewrap has told of it, by the
    /// process group that it has not left yet.
    private func kill() {
        if end == nil {
            for id in ProcessTree.sample(below: child.processID).processes { Foundation.kill(id, SIGKILL) }
        }
        if first >= 0 { cspawn_kill(first) }
        Foundation.kill(-child.processID, SIGKILL)
        if end == nil { Foundation.kill(child.processID, SIGKILL) }
    }

    /// Without a namespace the children of a program may outlive it: those that stayed in its group or were seen are ended.
    private mutating func killLeftovers() {
        if killedAt == nil { killedAt = .now }
        Foundation.kill(-child.processID, SIGKILL)
        for id in lastTree.processes where id != child.processID && getpgid(id) == child.processID {
            Foundation.kill(id, SIGKILL)
        }
    }

    private func seconds(since instant: ContinuousClock.Instant) -> Double {
        let elapsed = (ContinuousClock.now - instant).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
    }

    func report(output: OutputCapture, error: OutputCapture, machineRanOutOfMemory: Bool) -> Supervisor.Report {
        let end = end ?? ChildProcess.End(exitStatus: nil, signal: SIGKILL, cpuSeconds: 0)
        return Supervisor.Report(
            end: end, verdict: verdict, status: status, errorHead: String(decoding: error.head, as: UTF8.self),
            outcome: SandboxOutcome(
                termination: .exited(end.exitStatus ?? 0), wallSeconds: seconds(since: started),
                cpuSeconds: max(cpuSeconds, end.cpuSeconds), peakMemoryBytes: peakMemory,
                droppedOutputBytes: output.dropped + error.dropped),
            machineRanOutOfMemory: machineRanOutOfMemory)
    }
}

/// What bubblewrap says on `--json-status-fd`: one JSON object once its namespaces exist, one when the program has ended.
struct BubblewrapStatus {
    /// The namespaces' first process, as the host numbers it.
    private(set) var childID: pid_t?
    /// Present only if the program was started at all: 128 + n for signal n.
    private(set) var exitCode: Int32?
    private var pending: [UInt8] = []

    private struct Line: Decodable {
        var childID: pid_t?
        var exitCode: Int32?

        enum CodingKeys: String, CodingKey {
            case childID = "child-pid"
            case exitCode = "exit-code"
        }
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        pending += bytes
        while let newline = pending.firstIndex(of: 0x0a) {
            if let line = try? JSONDecoder().decode(Line.self, from: Data(pending[..<newline])) {
                childID = line.childID ?? childID
                exitCode = line.exitCode ?? exitCode
            }
            pending.removeSubrange(...newline)
        }
    }
}
