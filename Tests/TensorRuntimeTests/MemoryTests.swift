import Foundation
import Testing

@testable import TensorRuntime

@Suite
struct MemoryTests {
    private let unet = UNetGraph(baseChannels: 8, depth: 2, size: 32)

    private func session(budget: Int? = nil) throws -> GraphSession {
        try GraphSession(
            train: unet.train, evaluation: unet.evaluation, tensors: unet.initialTensors(seed: 1),
            options: RuntimeOptions(threads: 2, memoryBudget: budget))
    }

    @Test("What a graph takes is known by parts, and is what it allocates", arguments: [1, 2, 16])
    func requirement(batch: Int) throws {
        let session = try session()
        let compiled = try CompiledGraph(graph: unet.train, batch: batch, parameters: session.parameters)
        let memory = compiled.memory
        let parameters = session.parameters.parameterCount * 4
        #expect(memory.gradients >= parameters && memory.gradients < parameters + 200 * unet.train.parameters.count)
        #expect(memory.parameters > memory.gradients, "running statistics too")
        #expect(memory.optimizerState == 0)
        // At least one activation of the first stage at full size, in and out of batch norm.
        #expect(memory.activations > batch * 2 * 8 * 32 * 32 * 4)
        // In training, packed weights share the memory of activations; evaluation keeps them.
        #expect(memory.packedWeights == 0 && memory.workspace > 0)
        #expect(try session.memory(train: [], evaluation: [batch]).packedWeights > 0)
        // Three blocks, each rounded up by less than 128 bytes.
        #expect(compiled.memoryBytes >= memory.graph && compiled.memoryBytes < memory.graph + 3 * 192)
        #expect(memory.total == memory.store + memory.graph)
        #expect(try session.memory(train: [batch]).total == memory.total)
        let twice = try CompiledGraph(graph: unet.train, batch: 2 * batch, parameters: session.parameters).memory
        #expect(twice.activations > memory.activations && twice.activations <= 2 * memory.activations)
    }

    @Test("Two graphs on one store count its parameters once")
    func sideBySide() throws {
        let session = try session()
        let parts = try [
            session.memory(train: [4]), session.memory(train: [3]), session.memory(train: [], evaluation: [2]),
        ]
        let all = try session.memory(train: [4, 3, 4], evaluation: [2])
        #expect(all.activations == parts.reduce(0) { $0 + $1.activations })
        #expect(all.parameters == parts[0].parameters && all.gradients == parts[0].gradients)
        #expect(
            parts[0].description.hasPrefix(MemoryRequirement.text(parts[0].total) + ": parameters ")
                && parts[0].description.contains(", activations "))
    }

    @Test("The state of an optimizer is what it was said to be", arguments: OptimizerRule.names)
    func optimizerState(name: String) throws {
        let settings: [String: AttributeValue] =
            switch name {
            case "SGD": ["momentum": 0.9]
            case "RMSprop": ["momentum": 0.9, "centered": true]
            case "Adam": ["amsgrad": true]
            default: [:]
            }
        let session = try session()
        for settings in [settings, [:]] {
            let optimizer = try Optimizer(
                OptimizerRule(name: name, settings: settings), parameters: session.parameters, threads: 1)
            let predicted = optimizer.memory(session.parameters)
            #expect(predicted.total == predicted.optimizerState)
            #expect(optimizer.heldBytes == 0)
            _ = try session.step(try syntheticBatch(2, size: 32, seed: 1))
            try optimizer.step(session.parameters)
            let state = try optimizer.stateTensors(session.parameters)
            #expect(state.values.reduce(0) { $0 + $1.count * 4 } == predicted.optimizerState)
            #expect(optimizer.heldBytes == predicted.optimizerState)
        }
    }

    @Test(
        "A training that fits is let through; one byte less is refused with both numbers and the largest batch that fits"
    )
    func budget() throws {
        let roomy = try session()
        let optimizer = try Optimizer(.adam(), parameters: roomy.parameters, threads: 1)
        let totals = try (1...12).map { try roomy.memory(train: [$0], optimizer: optimizer).total }
        #expect(zip(totals, totals.dropFirst()).allSatisfy(<))
        let exact = try session(budget: totals[11])
        try exact.requireMemory(train: [12], optimizer: Optimizer(.adam(), parameters: exact.parameters, threads: 1))
        for (budget, fitting) in [(totals[11] - 1, 11), (totals[4], 5), (totals[0], 1), (totals[0] - 1, 0)] {
            let tight = try session(budget: budget)
            let optimizer = try Optimizer(.adam(), parameters: tight.parameters, threads: 1)
            #expect(
                throws: RuntimeError.insufficientMemory(
                    needed: totals[11], available: budget, batch: 12, fitting: fitting)
            ) { try tight.requireMemory(train: [12], optimizer: optimizer) }
            #expect(tight.compiled.isEmpty)
        }
    }

    @Test("A step beyond the budget is refused before anything is allocated or changed")
    func refusedStep() throws {
        let needed = try session().memory(train: [6]).total
        let tight = try session(budget: needed - 1)
        let before = try tight.parameters.state()
        #expect(throws: RuntimeError.insufficientMemory(needed: needed, available: needed - 1, batch: 6, fitting: 5)) {
            try tight.step(try syntheticBatch(6, size: 32, seed: 1))
        }
        #expect(tight.compiled.isEmpty)
        #expect(try tight.parameters.state() == before)
        _ = try tight.step(try syntheticBatch(5, size: 32, seed: 1))
        #expect(throws: RuntimeError.insufficientMemory(needed: needed, available: 1000, batch: 6, fitting: nil)) {
            try CompiledGraph(
                graph: unet.train, batch: 6, parameters: tight.parameters,
                options: RuntimeOptions(threads: 2, memoryBudget: 1000))
        }
    }

    @Test("Graphs of other batch sizes give way before a step is refused")
    func eviction() throws {
        let roomy = try session()
        let tight = try session(budget: roomy.memory(train: [6]).total + 1000)
        let batches = try [6, 5, 6, 2].map { try syntheticBatch($0, size: 32, seed: UInt64($0)) }
        for batch in batches { #expect(try tight.step(batch) == roomy.step(batch)) }
        #expect(roomy.compiled.count == 3)
        #expect(tight.compiled.map(\.batch) == [2])
    }

    @Test("Without a stated budget a training is held against what the system has")
    func system() throws {
        let available = try #require(AvailableMemory.bytes())
        #expect(available > 1 << 20 && available < 1 << 50)
        let session = try session()
        try session.requireMemory(train: [2])
        #expect {
            try session.requireMemory(train: [2], beside: 1 << 51)
        } throws: {
            guard case RuntimeError.insufficientMemory(let needed, let available, 2, 0) = $0 else { return false }
            return needed > 1 << 51 && available < 1 << 50
        }
    }

    #if os(Linux)
        /// A line of /proc/self/status in bytes.
        static func status(_ name: String) throws -> Int {
            let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
            return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
        }

        @Test(
            "Training takes as much resident memory as was said: at most a tenth and 8 MiB more, and at least half",
            // Sanitizers keep shadows of all memory.
            .disabled(if: ProcessInfo.processInfo.environment["LLMBENCH_SANITIZER"] != nil))
        func residentMemory() async {
            await #expect(processExitsWith: .success) {
                let unet = UNetGraph(baseChannels: 16, depth: 3, size: 128)
                let tensors = unet.initialTensors(seed: 1)
                let batch = try syntheticBatch(8, size: 128, seed: 1)
                let before = try MemoryTests.status("VmRSS")
                let session = try GraphSession(
                    train: unet.train, evaluation: nil, tensors: tensors, options: RuntimeOptions(threads: 2))
                let optimizer = try Optimizer(.adam(), parameters: session.parameters, threads: 2)
                let said = try session.memory(train: [8], optimizer: optimizer).total
                for _ in 0..<3 {
                    _ = try session.step(batch)
                    try optimizer.step(session.parameters)
                }
                let took = try MemoryTests.status("VmHWM") - before
                print("residentMemory: said \(said), took \(took)")
                guard took <= said + said / 10 + 8 << 20, took >= said / 2 else { exit(EXIT_FAILURE) }
            }
        }
    #endif

    @Test("The sentence has both numbers and says what to do")
    func sentences() {
        func sentence(_ fitting: Int?) -> String {
            "\(RuntimeError.insufficientMemory(needed: 13_207_024_435, available: 3 << 30, batch: 8, fitting: fitting))"
        }
        let start = "a batch of 8 needs 12.3 GiB of memory and 3.0 GiB are available: "
        #expect(sentence(2) == start + "use a batch of at most 2")
        #expect(sentence(nil) == start + "use a smaller batch")
        #expect(
            sentence(0) == start + "not even a batch of 1 fits; use a smaller network or a machine with more")
        #expect(
            [1, 1024, 1025, 1 << 20, 1 << 20 + 1, 1 << 30].map(MemoryRequirement.text)
                == ["1 KiB", "1 KiB", "2 KiB", "1.0 MiB", "1.1 MiB", "1.0 GiB"])
    }

    /// A machine with the given files.
    private func available(_ files: [String: String]) throws -> Int? {
        try PythonReference.withFolder { folder in
            for (path, text) in files {
                let url = folder.appending(path: path)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: url, atomically: true, encoding: .utf8)
            }
            return AvailableMemory.bytes(root: folder.path + "/")
        }
    }

    @Test("The least of what the machine and each control group have left counts")
    func controlGroups() throws {
        let meminfo = ["proc/meminfo": "MemTotal:  9000 kB\nMemFree: 1 kB\nMemAvailable:    8000 kB\n"]
        func with(_ files: [String: String]) throws -> Int? { try available(meminfo.merging(files) { $1 }) }
        #expect(try available([:]) == nil)
        #expect(try available(["proc/meminfo": "nothing"]) == nil)
        #expect(try with([:]) == 8_192_000)

        let second = ["proc/self/cgroup": "0::/user/job\n"]
        let job = "sys/fs/cgroup/user/job/memory"
        let user = "sys/fs/cgroup/user/memory"
        func v2(_ files: [String: String]) throws -> Int? { try with(second.merging(files) { $1 }) }
        #expect(try v2(["\(job).max": "max\n", "\(job).current": "5000\n"]) == 8_192_000)
        #expect(try v2(["\(job).max": "1000000\n", "\(job).current": "400000\n"]) == 600_000)
        #expect(
            try v2([
                "\(job).max": "1000000\n", "\(job).current": "400000\n",
                "\(job).stat": "anon 9\ninactive_file 100000\nactive_file 7\n",
            ]) == 700_000)
        #expect(
            try v2([
                "\(job).max": "max\n", "\(job).current": "1\n", "\(user).max": "500000\n",
                "\(user).current": "600000\n",
            ]) == 0, "the group above is over its limit")
        #expect(try v2(["sys/fs/cgroup/memory.max": "70000\n", "sys/fs/cgroup/memory.current": "1\n"]) == 69_999)
        #expect(try v2(["\(job).max": "a lot\n", "\(job).current": "-5\n"]) == 8_192_000)

        let first = ["proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n"]
        let tree = "sys/fs/cgroup/memory/memory"
        #expect(
            try with(
                first.merging([
                    "\(tree).limit_in_bytes": "300000\n", "\(tree).usage_in_bytes": "100000\n",
                    "\(tree).stat": "total_inactive_file 50000\n",
                ]) { $1 }) == 250_000, "in a container the path is the one outside")
        #expect(
            try with(
                first.merging([
                    "\(tree).limit_in_bytes": "9223372036854771712\n", "\(tree).usage_in_bytes": "100000\n",
                ]) { $1 }) == 8_192_000)
    }
}
