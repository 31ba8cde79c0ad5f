import Foundation
import TensorRuntime

/// How far a training is.
public struct TrainingProgress: Sendable, Hashable {
    /// Counts from 1.
    public var epoch: Int
    /// 0 where the engine does not know it, and `batches` with it.
    public var epochs: Int
    /// Batches done in this epoch.
    public var batch: Int
    public var batches: Int
    /// Of the last batch (`emitted`: the epoch's mean so far); nil before the first and where an engine does not tell.
    public var loss: Double?

    public init(epoch: Int, epochs: Int, batch: Int, batches: Int, loss: Double?) {
        self.epoch = epoch
        self.epochs = epochs
        self.batch = batch
        self.batches = batches
        self.loss = loss
    }
}

/// What hears of a training while it runs.
public struct TrainingObserver: Sendable {
    public var progress: @Sendable (TrainingProgress) -> Void
    /// Called after the epoch is safe on disk, and for every epoch of an earlier process before the training goes on.
    public var epoch: @Sendable (EpochResult) throws -> Void
    /// One line a person should read: a damaged checkpoint was passed over.
    public var note: @Sendable (String) -> Void

    public init(
        progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in },
        epoch: @escaping @Sendable (EpochResult) throws -> Void = { _ in },
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.progress = progress
        self.epoch = epoch
        self.note = note
    }
}

/// What a training came to.
public struct TrainingOutcome: Sendable {
    public var history: [EpochResult]
    /// Parameters and buffers of the weights that the pipeline evaluates.
    public var weights: [String: Tensor]
    /// The epoch of those weights, where it is not the last.
    public var bestEpoch: Int?
    /// The last epoch, where early stopping ended the training.
    public var stoppedAtEpoch: Int?
    /// Of all epochs, earlier processes included.
    public var seconds: Double { history.reduce(0) { $0 + $1.seconds } }
}

/// The engine `swift`: trains a captured pipeline on the tensor runtime.
///
/// ```swift
/// let trainer = try SwiftTrainer(CapturedPipeline(folder: capture), folder: run.training(engine: "swift", seed: 0))
/// let outcome = try trainer.train()
/// ```
///
/// The loop is the captured one. Two things are laid down here, because captures do not tell them: gradients that are left over
/// when an epoch ends in the middle of an accumulation are applied then, and validation batches are taken in the order of the
/// dataset. A checkpoint is written after every epoch; a killed training goes on from it to the same bits, given the same
/// number of threads. Not for use from two threads at once.
public final class SwiftTrainer {
    public struct Options: Sendable {
        /// nil: as many as the pipeline chose.
        public var epochs: Int?
        /// Of batch order and dropout; the first weights come from the capture.
        public var seed: Int
        public var runtime: RuntimeOptions

        public init(epochs: Int? = nil, seed: Int = 0, threads: Int? = nil) {
            self.epochs = epochs
            self.seed = seed
            runtime = RuntimeOptions(threads: threads, seed: UInt64(bitPattern: Int64(seed)))
        }
    }

    let pipeline: CapturedPipeline
    let options: Options
    let session: GraphSession
    private let optimizer: Optimizer
    private var scheduler: Scheduler?
    private let schedulerSteps: String
    private let clipping: PipelineClipping?
    private let validator: Validator?
    private let checkpoints: CheckpointFolder
    private let patience: Int?
    private var state: TrainingState
    private var bestWeights: [String: Tensor] = [:]

    public let epochs: Int
    public let order: BatchOrder

    /// - Parameter folder: Receives the checkpoints.
    /// - Throws: `TrainingError.notCapturable`, `.badCapture`, `.memory`.
    public init(_ pipeline: CapturedPipeline, options: Options = Options(), folder: URL) throws {
        self.pipeline = pipeline
        self.options = options
        guard let epochs = options.epochs ?? pipeline.loop.epochs, epochs > 0 else {
            throw TrainingError.notCapturable(reasons: ["its number of epochs was not seen; give --epochs N"])
        }
        self.epochs = epochs
        order = pipeline.order(seed: options.seed)
        checkpoints = CheckpointFolder(url: folder)
        do {
            let train = pipeline.train
            session = try GraphSession(
                train: train, evaluation: pipeline.evaluation, tensors: pipeline.weights, options: options.runtime)
            optimizer = try pipeline.loop.makeOptimizer(session.parameters)
            (scheduler, schedulerSteps) = try pipeline.loop.makeScheduler(optimizer)
            clipping = try pipeline.loop.makeClipping()
            validator = try Validator(pipeline, session: session, options: options.runtime)
            try Self.requireMemory(pipeline, session, optimizer, order, validator)
        } catch let error as RuntimeError {
            throw TrainingError(error, file: "train-graph.json")
        }
        state = TrainingState(
            random: session.randomState, identity: "\(pipeline.identity)/\(options.seed)/\(epochs)")
        state.best = try pipeline.loop.bestWeights()
        let stopping = try pipeline.loop.stopping()
        state.stopping = stopping?.monitor
        patience = stopping?.patience
    }

    /// Trains to the end, from the last checkpoint where there is one.
    ///
    /// - Throws: `TrainingError`; after `.diskFull` and `.file` the same call continues, after `.notFinite` it fails again.
    ///   `CancellationError` where the task was ended: the same call continues.
    public func train(_ observer: TrainingObserver = TrainingObserver()) throws -> TrainingOutcome {
        try resume(observer)
        for epoch in state.history { try observer.epoch(epoch) }
        while state.epoch < epochs, !state.isStopped {
            let result = try trainEpoch(state.epoch + 1, observer)
            try finish(result)
            try save()
            try observer.epoch(result)
        }
        return try outcome()
    }

    /// The losses of the first steps, without validation or checkpoints: for the comparison with another engine.
    ///
    /// Every dropout mask keeps everything.
    public func firstLosses(_ steps: Int) throws -> [Double] {
        try withRuntimeErrors(epoch: 1, batch: 1) {
            try order.firstBatches(steps).map { batch in
                try session.setMasks(pipeline.train.masksThatKeepEverything(batch: batch.count))
                return try step(batch, first: true, last: true)
            }
        }
    }

    /// The gradients of the first batch by parameter, before any clipping, dropout off. Running statistics move on by one batch, so
    /// this belongs at the end of a trainer's life.
    func firstGradients() throws -> [String: Tensor] {
        try withRuntimeErrors(epoch: 1, batch: 1) {
            guard let batch = order.firstBatches(1).first else { return [:] }
            try session.parameters.restore(pipeline.weights)
            try session.setMasks(pipeline.train.masksThatKeepEverything(batch: batch.count))
            let (images, masks) = try pipeline.training.batch(batch)
            _ = try session.step(CapturedPipeline.inputs(of: pipeline.train, images: images, masks: masks))
            var found: [String: Tensor] = [:]
            for binding in pipeline.train.parameters {
                found[binding.name] = try session.parameters.gradient(binding.name)
            }
            return found
        }
    }

    private func trainEpoch(_ epoch: Int, _ observer: TrainingObserver) throws -> EpochResult {
        let start = ContinuousClock.now
        let batches = order.batches(epoch: epoch)
        let accumulation = pipeline.loop.accumulation ?? 1
        let rates = optimizer.learningRates
        var (sum, weights) = (0.0, 0.0)
        for (index, batch) in batches.enumerated() {
            // A training that its caller ends goes on from the last whole epoch.
            try Task.checkCancellation()
            let loss = try withRuntimeErrors(epoch: epoch, batch: index + 1) {
                try step(
                    batch, first: index % accumulation == 0,
                    last: (index + 1) % accumulation == 0 || index + 1 == batches.count)
            }
            let weight = (pipeline.loop.lossMean ?? .batches).weight(batch)
            (sum, weights) = (sum + loss * weight, weights + weight)
            observer.progress(
                TrainingProgress(epoch: epoch, epochs: epochs, batch: index + 1, batches: batches.count, loss: loss))
        }
        var result = EpochResult(
            epoch: epoch, trainLoss: batches.isEmpty ? .nan : sum / weights, learningRates: rates,
            seconds: 0)
        try withRuntimeErrors(epoch: epoch, batch: batches.count) { try validator?.measure(&result) }
        let elapsed = (ContinuousClock.now - start).components
        result.seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
        return result
    }

    private func step(_ indices: [Int], first: Bool, last: Bool) throws -> Double {
        let (images, masks) = try pipeline.training.batch(indices)
        let inputs = try CapturedPipeline.inputs(of: pipeline.train, images: images, masks: masks)
        let loss = try session.step(inputs, accumulating: !first)
        if last {
            try clipping?.apply(to: session.parameters)
            try optimizer.step(session.parameters)
            if schedulerSteps == "batch" { scheduler?.step(optimizer) }
        }
        return Double(loss)
    }

    private func finish(_ result: EpochResult) throws {
        state.epoch = result.epoch
        state.history.append(result)
        if schedulerSteps == "epoch" {
            scheduler?.step(optimizer)
        } else if schedulerSteps.hasPrefix("metric:") {
            scheduler?.step(optimizer, metric: result.value(of: String(schedulerSteps.dropFirst(7))) ?? .nan)
        }
        if var best = state.best {
            if best.observe(result.value(of: best.monitor), epoch: result.epoch) {
                bestWeights = try session.parameters.state()
            }
            state.best = best
        }
        if var stopping = state.stopping, let patience {
            _ = stopping.observe(result.value(of: stopping.monitor), epoch: result.epoch)
            state.isStopped = stopping.waited >= max(1, patience)
            state.stopping = stopping
        }
    }

    /// What the evaluated weights say about some images.
    ///
    /// - Parameter batch: at most so many at a time.
    func predict(_ samples: SampleTensors, weights: [String: Tensor], batch: Int) throws -> Tensor {
        try withRuntimeErrors(epoch: state.epoch, batch: 0) {
            try session.parameters.restore(weights)
            let order = BatchOrder(samples: samples.count, batchSize: batch, dropLast: false, shuffle: false, seed: 0)
            var values: [Float] = []
            var shape = [0, 1, samples.images.shape[2], samples.images.shape[3]]
            for indices in order.batches(epoch: 1) {
                let images = try samples.batch(indices).images
                let inputs = try CapturedPipeline.inputs(of: pipeline.evaluation, images: images, masks: nil)
                let probability = try session.predict(inputs)
                values += probability.values
                shape = [samples.count] + probability.shape.dropFirst()
            }
            return try Tensor(shape: shape, values: values)
        }
    }

    private func outcome() throws -> TrainingOutcome {
        let best = state.best?.bestEpoch
        let weights = try bestWeights.isEmpty ? session.parameters.state() : bestWeights
        return TrainingOutcome(
            history: state.history, weights: weights, bestEpoch: best == state.epoch ? nil : best,
            stoppedAtEpoch: state.isStopped && state.epoch < epochs ? state.epoch : nil)
    }

    private static func requireMemory(
        _ pipeline: CapturedPipeline, _ session: GraphSession, _ optimizer: Optimizer, _ order: BatchOrder,
        _ validator: Validator?
    ) throws {
        let store = session.parameters
        let state = optimizer.memory(store).optimizerState
        let weights = try session.memory(train: []).parameters
        let best = try pipeline.loop.bestWeights() == nil ? 0 : weights
        // A checkpoint is copied out of the store, and encoded as a whole.
        var beside = best + 2 * (weights + state) + best
        if pipeline.loop.accumulation ?? 1 > 1 { beside += weights }
        beside += try validator?.memory() ?? 0
        try session.requireMemory(
            train: order.batches(epoch: 1).map(\.count), evaluation: validator?.batchSizes ?? [], optimizer: optimizer,
            beside: beside)
    }

    private func withRuntimeErrors<T>(epoch: Int, batch: Int, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch RuntimeError.notFinite(let what, let location) {
            let module = location.hasPrefix("first at ") ? String(location.dropFirst(9)) : location
            throw TrainingError.notFinite(
                what: what, module: module.isEmpty ? nil : module, epoch: epoch, batch: batch)
        } catch let error as RuntimeError {
            throw TrainingError(error, file: "train-graph.json")
        }
    }
}

extension SwiftTrainer {
    private func save() throws {
        state.random = session.randomState
        var tensors: [String: Tensor] = [:]
        for (name, tensor) in try session.parameters.state() { tensors["model/\(name)"] = tensor }
        for (name, tensor) in try optimizer.stateTensors(session.parameters) { tensors["optimizer/\(name)"] = tensor }
        for (name, tensor) in bestWeights { tensors["best/\(name)"] = tensor }
        var metadata = optimizer.metadata()
        metadata.merge(scheduler?.metadata() ?? [:]) { first, _ in first }
        metadata["state"] = try state.text()
        try checkpoints.save(epoch: state.epoch, tensors: tensors, metadata: metadata)
    }

    private func resume(_ observer: TrainingObserver) throws {
        guard let saved = try checkpoints.latest() else { return }
        for name in saved.damaged {
            observer.note("the checkpoint \(name) is damaged: going on from epoch \(saved.epoch)")
        }
        do {
            let restored = try TrainingState(text: saved.tensors.metadata["state"] ?? "")
            guard restored.identity == state.identity else {
                throw TrainingError.harness(
                    reason:
                        "the checkpoints in \(checkpoints.url.path) belong to another capture, seed or number of epochs: "
                        + "start over with --again")
            }
            try session.parameters.restore(Self.part("model/", of: saved.tensors))
            try optimizer.restore(
                Self.part("optimizer/", of: saved.tensors), metadata: saved.tensors.metadata, session.parameters)
            try scheduler?.restore(saved.tensors.metadata)
            bestWeights = try Self.part("best/", of: saved.tensors)
            session.randomState = restored.random
            state = restored
        } catch let error as TrainingError {
            throw error
        } catch {
            throw TrainingError.harness(
                reason: "the checkpoint of epoch \(saved.epoch) does not fit (\(error)): start over with --again")
        }
    }

    private static func part(_ prefix: String, of file: SafeTensors) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for name in file.entries.keys where name.hasPrefix(prefix) {
            tensors[String(name.dropFirst(prefix.count))] = try file.tensor(name)
        }
        return tensors
    }
}
