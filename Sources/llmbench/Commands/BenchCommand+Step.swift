import ArgumentParser
import Foundation
import TensorRuntime

extension BenchCommand {
    struct Step: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One training step of a U-Net: forward, backward, Adam.",
            discussion: """
                The difference is max|a - b| / max|b| of the loss and of the gradient as one vector, before the first update. \
                The worst tensor alone differs more, between any two programs: a pre-activation that one of them rounds to the \
                other side of zero changes the gradient of its channel by a few per cent.

                  llmbench bench step --base 64 --size 256 --batch 2 --against pytorch --json
                """)

        @OptionGroup var options: Options

        func run() async throws {
            let setup = try NetworkBench(options)
            let optimizer = try Optimizer(.adam(), parameters: setup.session.parameters)
            let parameters = setup.session.parameters
            try setup.session.requireMemory(train: [options.batch], optimizer: optimizer)
            var difference: Double?
            var worstTensor = 0.0
            let loss = try setup.session.step(setup.batch)
            if let peer = setup.peer {
                try peer.ask("check \(setup.folder.url.path)")
                let theirs = try SafeTensors(contentsOf: setup.folder.file("theirs.safetensors"))
                var (ours, other): ([Float], [Float]) = ([], [])
                for name in setup.order {
                    guard let gradient = try parameters.gradient(name) else { continue }
                    let reference = try theirs.tensor(name).values
                    ours += gradient.values
                    other += reference
                    worstTensor = max(worstTensor, relativeDifference(gradient.values, reference))
                }
                difference = max(
                    relativeDifference([loss], try theirs.tensor("loss").values), relativeDifference(ours, other))
            }
            try setup.report(
                "training step", operationsFactor: 3, difference: difference, worstTensor: worstTensor, command: "step"
            ) {
                _ = try setup.session.step(setup.batch)
                try optimizer.step(parameters)
            }
        }
    }

    struct Infer: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One prediction of a U-Net: from a batch of images to probabilities.",
            discussion: "  llmbench bench infer --against pytorch --json")

        @OptionGroup var options: Options

        func run() async throws {
            let setup = try NetworkBench(options)
            let images = setup.batch.filter { $0.key == "image" }
            var difference: Double?
            let probability = try setup.session.predict(images)
            if let peer = setup.peer {
                try peer.ask("infer-check \(setup.folder.url.path)")
                let theirs = try SafeTensors(contentsOf: setup.folder.file("theirs.safetensors"))
                difference = relativeDifference(probability.values, try theirs.tensor("probability").values)
            }
            try setup.report("prediction", operationsFactor: 1, difference: difference, command: "infer") {
                _ = try setup.session.predict(images)
            }
        }
    }
}

/// The same network, weights and batch on both sides.
private struct NetworkBench {
    let options: BenchCommand.Options
    /// The names of the parameters in the order of the network.
    let order: [String]
    let session: GraphSession
    let batch: [String: Tensor]
    let folder: BenchFolder
    let peer: PyTorchPeer?

    init(_ options: BenchCommand.Options) throws {
        self.options = options
        let network = UNetGraph(baseChannels: options.base, depth: 4, size: options.size)
        let train = network.train
        let tensors = network.initialTensors(seed: 1)
        order = train.parameters.map(\.name)
        batch = try BenchData.batch(options.batch, size: options.size)
        session = try GraphSession(
            train: train, evaluation: network.evaluation, tensors: tensors,
            options: RuntimeOptions(threads: options.threadCount))
        folder = try BenchFolder()
        guard let opponent = options.against else {
            peer = nil
            return
        }
        let names = String(decoding: try JSONEncoder().encode(order), as: UTF8.self)
        try SafeTensors.write(tensors, metadata: ["order": names], to: folder.file("weights.safetensors"))
        try SafeTensors.write(batch, to: folder.file("batch.safetensors"))
        let started = try PyTorchPeer(base: options.base, threads: options.threadCount, layout: opponent.layout)
        try started.ask("load \(folder.url.path)")
        peer = started
    }

    /// Measures both sides in turn and prints the result.
    func report(
        _ what: String, operationsFactor: Double, difference: Double?, worstTensor: Double? = nil,
        command: String, _ body: () throws -> Void
    ) throws {
        let bar = ProgressBar(title: "bench \(command)", total: options.rounds + 1)
        func once() throws -> Double {
            try Timings.measure { for _ in 0..<options.repeats { try body() } } / Double(options.repeats)
        }
        _ = try once()
        _ = try peer?.time("\(command) 1")
        var (ours, theirs) = (Timings(), Timings())
        for round in 0..<options.rounds {
            bar.update(round + 1)
            ours.add(try once())
            if let peer { theirs.add(try peer.time("\(command) \(options.repeats)")) }
        }
        bar.finish()
        let convolutions = UNetConvolutions(base: options.base, size: options.size, batch: options.batch)
        var result = BenchResult(
            ours: ours, theirs: peer == nil ? nil : theirs, operations: operationsFactor * convolutions.operations,
            threads: options.threadCount)
        result.maxDifference = difference
        result.worstTensorDifference = peer == nil ? nil : worstTensor
        result.pytorch = peer?.version
        result.against = options.against?.rawValue
        if options.output.json { return try JSONOption.print(result) }
        result.printTable(what)
    }
}
