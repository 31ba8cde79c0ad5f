import Foundation

/// Everything that a training needs to go on to the same bits, in one safetensors file: weights and running statistics, state of
/// the optimizer, the scheduler and averaged weights, the position of the random numbers, and what the caller adds. Gradients that
/// are being accumulated are not in it: save after an optimizer step.
///
/// ```swift
/// try Checkpoint(session, optimizer: optimizer, scheduler: scheduler, metadata: ["epoch": "3"]).write(to: url)
///
/// let checkpoint = try Checkpoint(contentsOf: url)
/// try checkpoint.restore(session, optimizer: optimizer, scheduler: &scheduler)  // var scheduler: Scheduler?
/// ```
///
/// Tensors are named `model/…`, `optimizer/<parameter>.<state>`, `average/…`; numbers between steps are strings of the metadata,
/// bit patterns in hexadecimal where they are not whole. A file is replaced as a whole: a killed process leaves the one before.
/// Holds copies of all that it saves.
public struct Checkpoint: Sendable {
    /// Tensors by name.
    public var tensors: [String: Tensor] = [:]
    /// Strings by name.
    public var metadata: [String: String]

    /// Copies the present state. Tensors of the caller's own may be added to `tensors` under other prefixes.
    ///
    /// Throws `RuntimeError.invalidCheckpoint` while the session holds averaged weights.
    public init(
        _ session: GraphSession, optimizer: Optimizer? = nil, scheduler: Scheduler? = nil,
        average: ExponentialMovingAverage? = nil, metadata: [String: String] = [:]
    ) throws {
        try self.init(
            session.parameters, session.randomState, optimizer: optimizer, scheduler: scheduler, average: average,
            metadata: metadata)
    }

    init(
        _ store: ParameterStore, _ random: RandomState, optimizer: Optimizer?, scheduler: Scheduler?,
        average: ExponentialMovingAverage?, metadata: [String: String]
    ) throws {
        guard average?.isSwapped != true else {
            throw RuntimeError.invalidCheckpoint("the session holds averaged weights, not the trained ones")
        }
        self.metadata = metadata
        add(try store.state(), "model/")
        if let optimizer {
            add(try optimizer.stateTensors(store), "optimizer/")
            add(optimizer.metadata())
        }
        if let scheduler { add(scheduler.metadata()) }
        if let average {
            add(try average.state(store), "average/")
            add(average.metadata())
        }
        add(["random.seed": String(random.seed), "random.step": String(random.step)])
    }

    /// Reads a file. Throws `RuntimeError.file`, `.invalidSafeTensors`.
    public init(contentsOf url: URL, maximumBytes: Int = 8 << 30) throws {
        try self.init(SafeTensors(contentsOf: url, maximumBytes: maximumBytes))
    }

    /// Reads what a file holds.
    public init(_ file: SafeTensors) throws {
        (tensors, metadata) = (try file.tensors(), file.metadata)
    }

    private mutating func add(_ part: [String: Tensor], _ prefix: String) {
        for (name, tensor) in part { tensors[prefix + name] = tensor }
    }

    private mutating func add(_ part: [String: String]) {
        metadata.merge(part) { _, new in new }
    }

    /// The tensors under a prefix, without it.
    public func part(_ prefix: String) -> [String: Tensor] {
        var part: [String: Tensor] = [:]
        for (name, tensor) in tensors where name.hasPrefix(prefix) {
            part[String(name.dropFirst(prefix.count))] = tensor
        }
        return part
    }

    /// Writes beside `url`, flushes to the disk, and renames. Throws `RuntimeError.file`; what was there before then stays.
    public func write(to url: URL) throws {
        try SafeTensors.write(tensors, metadata: metadata, to: url)
    }

    /// The bytes of the file.
    public func encoded() throws -> Data {
        try SafeTensors.encode(tensors, metadata: metadata)
    }

    /// Takes everything over, or throws and changes nothing.
    ///
    /// The optimizer, scheduler and average are made anew first, with the same rules as in the run that was saved. Throws
    /// `RuntimeError.invalidCheckpoint`, `.missingTensor`, `.tensorMismatch` for a checkpoint of another model or other rules.
    public func restore(
        _ session: GraphSession, optimizer: Optimizer? = nil, scheduler: inout Scheduler?,
        average: ExponentialMovingAverage? = nil
    ) throws {
        session.randomState = try restore(
            session.parameters, optimizer: optimizer, scheduler: &scheduler, average: average)
    }

    /// Returns the position of the random numbers.
    func restore(
        _ store: ParameterStore, optimizer: Optimizer?, scheduler: inout Scheduler?, average: ExponentialMovingAverage?
    ) throws -> RandomState {
        guard let seed = metadata["random.seed"].flatMap({ UInt64($0) }),
            let step = metadata["random.step"].flatMap({ UInt64($0) })
        else { throw RuntimeError.invalidCheckpoint("the state of the random numbers is missing") }
        let moved = try optimizer?.restored(part("optimizer/"), metadata: metadata, store)
        var schedule = scheduler
        try schedule?.restore(metadata)
        let averaged = try average?.restored(part("average/"), metadata: metadata, store)
        try store.restore(part("model/"))
        if let moved { optimizer?.apply(moved) }
        if let averaged { average?.apply(averaged) }
        scheduler = schedule
        return RandomState(seed: seed, step: step)
    }

    /// Takes everything over where no scheduler is used.
    public func restore(
        _ session: GraphSession, optimizer: Optimizer? = nil, average: ExponentialMovingAverage? = nil
    ) throws {
        var none: Scheduler?
        try restore(session, optimizer: optimizer, scheduler: &none, average: average)
    }
}
