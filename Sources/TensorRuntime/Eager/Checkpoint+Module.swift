extension Checkpoint {
    /// Copies the present state of a module, and the position of dropout's random numbers in the engine.
    ///
    /// ```swift
    /// try Checkpoint(model, optimizer: optimizer, metadata: ["epoch": "3"]).write(to: url)
    /// try Checkpoint(contentsOf: url).restore(model, optimizer: optimizer)
    /// ```
    ///
    /// Throws `RuntimeError.invalidCheckpoint` while the module holds averaged weights.
    public init(
        _ module: Module, optimizer: Optimizer? = nil, scheduler: Scheduler? = nil,
        average: ExponentialMovingAverage? = nil, metadata: [String: String] = [:], engine: Engine = .current
    ) throws {
        try self.init(
            module.parameters, engine.randomState, optimizer: optimizer, scheduler: scheduler, average: average,
            metadata: metadata)
    }

    /// Takes everything over into a module of the same parts, or throws and changes nothing.
    ///
    /// The engine must have the seed of the run that was saved, for the same dropout masks. Throws
    /// `RuntimeError.invalidCheckpoint`, `.missingTensor`, `.tensorMismatch` for a checkpoint of another model, seed or rules.
    public func restore(
        _ module: Module, optimizer: Optimizer? = nil, scheduler: inout Scheduler?,
        average: ExponentialMovingAverage? = nil, engine: Engine = .current
    ) throws {
        if let seed = metadata["random.seed"], seed != String(engine.options.seed) {
            throw RuntimeError.invalidCheckpoint("its seed is \(seed), the engine's \(engine.options.seed)")
        }
        engine.randomState = try restore(
            module.parameters, optimizer: optimizer, scheduler: &scheduler, average: average)
    }

    /// Takes everything over where no scheduler is used.
    public func restore(
        _ module: Module, optimizer: Optimizer? = nil, average: ExponentialMovingAverage? = nil,
        engine: Engine = .current
    ) throws {
        var none: Scheduler?
        try restore(module, optimizer: optimizer, scheduler: &none, average: average, engine: engine)
    }
}
