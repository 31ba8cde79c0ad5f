import Foundation
import TensorRuntime

/// What one side needed for one unit of work, by the wall clock and in processor seconds of all its threads.
///
/// The second is what to look at where other programs disturb the first; with more than one thread it includes waiting.
struct SideTimings {
    var wall = Timings()
    var processor = Timings()
}

/// The same network, weights and batch on both sides.
final class BenchSides {
    let network: BenchNetwork
    let kind: BenchCase.Kind
    let threads: Int
    /// The names of the parameters in the order of the network.
    let order: [String]
    let session: GraphSession
    let optimizer: Optimizer
    let batch: [String: Tensor]
    /// Multiplications and additions of the convolutions in one unit of work.
    let operations: Double
    private let folder: BenchFolder
    private let peers: [(opponent: BenchCommand.Opponent, peer: PythonPeer)]

    init(
        _ network: BenchNetwork, _ kind: BenchCase.Kind, batch count: Int, threads: Int,
        against: [BenchCommand.Opponent]
    ) throws {
        (self.network, self.kind, self.threads) = (network, kind, threads)
        let train = network.train
        let tensors = network.initialTensors()
        order = train.parameters.map(\.name)
        batch = try BenchData.batch(count, network)
        operations = convolutionOperations(train, batch: count) * (kind == .step ? 3 : 1)
        session = try GraphSession(
            train: kind == .step ? train : nil, evaluation: network.evaluation, tensors: tensors,
            options: RuntimeOptions(threads: threads))
        optimizer = try Optimizer(network.optimizer, parameters: session.parameters)
        if kind == .step { try session.requireMemory(train: [count], optimizer: optimizer) }
        folder = try BenchFolder()
        var started: [(BenchCommand.Opponent, PythonPeer)] = []
        if !against.isEmpty {
            let names = String(decoding: try JSONEncoder().encode(order), as: UTF8.self)
            try SafeTensors.write(tensors, metadata: ["order": names], to: folder.file("weights.safetensors"))
            try SafeTensors.write(batch, to: folder.file("batch.safetensors"))
        }
        for opponent in against {
            let peer = try PythonPeer.pytorch(network: network, threads: threads, layout: opponent.layout)
            try peer.ask("load \(folder.url.path)")
            started.append((opponent, peer))
        }
        peers = started
    }

    var version: String? { peers.first?.peer.version }

    /// One unit of our work: a training step with its update, or a prediction.
    func work() throws {
        switch kind {
        case .step:
            _ = try session.step(batch)
            try optimizer.step(session.parameters)
        case .infer:
            _ = try session.predict(batch)
        }
    }

    /// max|a - b| / max|b| of loss and gradient (as one vector), or of the probabilities, before the first update, against each
    /// opponent; for a step also the worst of its tensors.
    ///
    /// - Throws: `CommandFailure.failed` when a difference is above `mostDifference`: then the two do not compute the same thing.
    func differences() throws -> [(whole: Double, worstTensor: Double?)] {
        guard !peers.isEmpty else { return [] }
        let differences = try computeDifferences()
        for (difference, entry) in zip(differences, peers) where !(difference.whole <= mostDifference) {
            throw CommandFailure.failed(
                "our \(kind.rawValue) and that of \(entry.opponent.rawValue) differ by \(difference.whole) of the largest element; "
                    + "more than \(mostDifference) is no rounding, so there is nothing to compare")
        }
        return differences
    }

    /// What rounding explains with room to spare: a gradient passes dozens of layers, and a pre-activation next to zero may fall on
    /// either side; probabilities depend on rounding only.
    private var mostDifference: Double { kind == .step ? 1e-2 : 1e-4 }

    private func computeDifferences() throws -> [(whole: Double, worstTensor: Double?)] {
        switch kind {
        case .step:
            let loss = try session.step(batch)
            return try peers.map { try gradientDifference(loss, $0.peer) }
        case .infer:
            let probability = try session.predict(batch)
            return try peers.map { _, peer in
                try peer.ask("infer-check \(folder.url.path)")
                let theirs = try SafeTensors(contentsOf: folder.file("theirs.safetensors"))
                return (relativeDifference(probability.values, try theirs.tensor("probability").values), nil)
            }
        }
    }

    private func gradientDifference(
        _ loss: Float, _ peer: PythonPeer
    ) throws -> (whole: Double, worstTensor: Double?) {
        try peer.ask("check \(folder.url.path)")
        let theirs = try SafeTensors(contentsOf: folder.file("theirs.safetensors"))
        var (worst, difference, largest) = (0.0, Float(0), Float(0))
        var tensors: [(size: Double, error: Double)] = []
        for name in order {
            guard let gradient = try session.parameters.gradient(name) else { continue }
            let reference = try theirs.tensor(name).values
            worst = max(worst, relativeDifference(gradient.values, reference))
            tensors.append((norm(reference), norm(zip(gradient.values, reference).map { $0 - $1 })))
            for (a, b) in zip(gradient.values, reference) {
                difference = max(difference, abs(a - b))
                largest = max(largest, abs(b))
            }
        }
        // A layer that is wrong altogether must not hide behind larger gradients; those that are rounding alone (a bias before a
        // batch norm) are passed over.
        let total = norm(tensors.map { Float($0.size) })
        if let wrong = tensors.first(where: { $0.size > 1e-3 * total && !($0.error <= 0.1 * $0.size) }) {
            return (wrong.error / wrong.size, worst)
        }
        let whole = largest == 0 ? Double(difference) : Double(difference / largest)
        return (max(whole, relativeDifference([loss], try theirs.tensor("loss").values)), worst)
    }

    /// Measures both sides in turn: a warm-up, then `rounds` rounds of `repeats` units (of about a third of a second of ours when
    /// nil). Our timings first, then each opponent's.
    func measure(rounds: Int, repeats: Int?, _ progress: (Int) -> Void) throws -> [SideTimings] {
        let first = try Timings.measure { try work() }
        let again = try Timings.measure { try work() }
        let count = repeats ?? max(1, min(20, Int((0.35 / min(first, again)).rounded(.up))))
        for (_, peer) in peers { try peer.ask("\(kind.rawValue) 1") }
        var sides = [SideTimings](repeating: SideTimings(), count: peers.count + 1)
        for round in 0..<rounds {
            let before = BenchMachine.processorSeconds
            sides[0].wall.add(try Timings.measure { for _ in 0..<count { try work() } } / Double(count))
            sides[0].processor.add((BenchMachine.processorSeconds - before) / Double(count))
            for (index, entry) in peers.enumerated() {
                let answer = try entry.peer.ask("\(kind.rawValue) \(count)")
                sides[index + 1].wall.add(answer.seconds ?? .nan)
                sides[index + 1].processor.add(answer.cpu ?? .nan)
            }
            progress(round + 1)
        }
        return sides
    }

    /// The most memory that PyTorch has resident after loading the network and `units` units of work, in a process of its own, and
    /// what it had after its imports.
    static func theirPeak(
        _ network: BenchNetwork, _ kind: BenchCase.Kind, batch count: Int, threads: Int,
        _ opponent: BenchCommand.Opponent
    ) throws -> (peak: Int, start: Int) {
        let folder = try BenchFolder()
        let names = String(decoding: try JSONEncoder().encode(network.train.parameters.map(\.name)), as: UTF8.self)
        try SafeTensors.write(
            network.initialTensors(), metadata: ["order": names], to: folder.file("weights.safetensors"))
        try SafeTensors.write(try BenchData.batch(count, network), to: folder.file("batch.safetensors"))
        let peer = try PythonPeer.pytorch(network: network, threads: threads, layout: opponent.layout)
        try peer.ask("load \(folder.url.path)")
        try peer.ask("\(kind.rawValue) 2")
        let answer = try peer.ask("memory")
        return (answer.peak ?? 0, answer.start ?? 0)
    }

    /// The same of ours, by a child process that runs the case with `--peak`.
    static func ourPeak(_ arguments: [String]) throws -> (peak: Int, start: Int) {
        struct Answer: Decodable {
            var peak: Int
            var start: Int
        }
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments + ["--peak"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard let answer = try? JSONDecoder().decode(Answer.self, from: data) else {
            throw CommandFailure.environment("the child process that measures memory gave no answer")
        }
        return (answer.peak, answer.start)
    }

    /// What the child process does.
    static func printPeak(_ network: BenchNetwork, _ kind: BenchCase.Kind, batch count: Int, threads: Int) throws {
        let start = BenchMachine.peakResident
        let sides = try BenchSides(network, kind, batch: count, threads: threads, against: [])
        try sides.work()
        try sides.work()
        print("{\"peak\": \(BenchMachine.peakResident), \"start\": \(start)}")
    }
}
