/// How one convolution is computed: decided once from its shape, then run each step.
///
/// ```swift
/// let plan = ConvolutionPlan(shape, threads: pool.threadCount)
/// // once: memory for plan.packedCount(.forward) floats and plan.workspaceBytes(.forward) bytes
/// plan.pack(weights, for: .forward, into: packed, pool: pool)      // after each change of the weights
/// plan.forward(x, weights: weights, packed: packed, bias: bias, into: y, workspace: workspace, pool: pool)
/// ```
///
/// Weights come and weight gradients leave in PyTorch's layout. Workspaces hold nothing between calls; they must be aligned to
/// 64 bytes and may be shared by all plans that do not run at the same time.
///
/// Values that are not finite: Winograd's transforms mix the values of a tile, so one infinity would spoil all of its outputs. A result
/// of Winograd's that holds a value that is not finite is therefore thrown away and computed again directly, by the definition; that
/// covers magnitudes too large for the transforms (above about 1e36) as well. Rounding errors of Winograd are relative to the
/// largest value of a tile.
package struct ConvolutionPlan: Sendable {
    package let shape: ConvolutionShape
    package let threads: Int
    package let policy: ConvolutionPolicy
    private let taps: TapGeometry
    private let forwardAlgorithm: ImageAlgorithm
    private let inputGradientAlgorithm: ImageAlgorithm
    private let weightGradientAlgorithm: WeightAlgorithm

    package init(_ shape: ConvolutionShape, threads: Int, policy: ConvolutionPolicy = .automatic) {
        precondition(shape.isValid, "no convolution has the shape \(shape)")
        self.shape = shape
        self.threads = threads
        self.policy = policy
        taps = TapGeometry(shape)
        let choice = AlgorithmChoice(taps, policy)
        forwardAlgorithm = ImageAlgorithm(choice, taps, scatters: shape.transposed, threads: threads)
        inputGradientAlgorithm = ImageAlgorithm(choice, taps, scatters: !shape.transposed, threads: threads)
        weightGradientAlgorithm = WeightAlgorithm(choice, taps, threads: threads)
    }

    /// Floats that the packed weights of a pass take; zero when the pass needs none.
    package func packedCount(_ pass: ConvolutionPass) -> Int {
        switch pass {
        case .forward: forwardAlgorithm.packedCount
        case .inputGradient: inputGradientAlgorithm.packedCount
        case .weightGradient: 0
        }
    }

    /// Bytes of scratch memory that a pass needs with this plan's number of threads.
    package func workspaceBytes(_ pass: ConvolutionPass) -> Int {
        let floats =
            switch pass {
            case .forward: forwardAlgorithm.workspaceFloats(threads: threads)
            case .inputGradient: inputGradientAlgorithm.workspaceFloats(threads: threads)
            case .weightGradient:
                max(
                    weightGradientAlgorithm.workspaceFloats(threads: threads),
                    ChannelSums.workspaceFloats(channels: shape.outputChannels, threads: threads))
            }
        return floats * MemoryLayout<Float>.stride
    }

    /// Brings weights (PyTorch's layout) into the form that a pass reads.
    package func pack(
        _ weights: UnsafePointer<Float>, for pass: ConvolutionPass, into packed: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) {
        switch pass {
        case .forward: forwardAlgorithm.pack(weights, into: packed, pool: pool)
        case .inputGradient: inputGradientAlgorithm.pack(weights, into: packed, pool: pool)
        case .weightGradient: break
        }
    }

    /// y = conv(x) (+ bias), then max(0, ·) when `relu`. x: N H W C, y: N H' W' K.
    ///
    /// `weights` are those that were packed; without them a result that is not finite stays as Winograd left it.
    package func forward(
        _ x: Pixels, weights: UnsafePointer<Float>? = nil, packed: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
        relu: Bool = false, into y: Pixels, workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let scratch = workspace.assumingMemoryBound(to: Float.self)
        let isFinite = forwardAlgorithm.run(
            x, packed: packed, bias: bias, relu: relu, into: y, workspace: scratch, pool: pool)
        if !isFinite, let weights {
            runDirect(x, weights: weights, bias: bias, relu: relu, into: y, scatters: shape.transposed, pool: pool)
        }
    }

    /// dx from dy; dx is overwritten. `weights` as in `forward`.
    package func inputGradient(
        _ dy: Pixels, weights: UnsafePointer<Float>? = nil, packed: UnsafePointer<Float>, into dx: Pixels,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let scratch = workspace.assumingMemoryBound(to: Float.self)
        let isFinite = inputGradientAlgorithm.run(
            dy, packed: packed, bias: nil, relu: false, into: dx, workspace: scratch, pool: pool)
        if !isFinite, let weights {
            runDirect(dy, weights: weights, bias: nil, relu: false, into: dx, scatters: !shape.transposed, pool: pool)
        }
    }

    /// dw (PyTorch's layout) and db from x and dy; both are overwritten.
    package func weightGradient(
        _ x: Pixels, _ dy: Pixels, into dw: UnsafeMutablePointer<Float>, bias db: UnsafeMutablePointer<Float>?,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let scratch = workspace.assumingMemoryBound(to: Float.self)
        let (big, small) = shape.transposed ? (dy, x) : (x, dy)
        switch weightGradientAlgorithm {
        case .direct(let direct):
            direct.run(big: big, small: small, into: dw, workspace: scratch, pool: pool)
        case .winograd(let winograd):
            let isFinite = winograd.run(big: big, small: small, into: dw, workspace: scratch, pool: pool)
            if !isFinite { runDirectWeightGradient(big: big, small: small, into: dw, pool: pool) }
        }
        guard let db else { return }
        ChannelSums.sum(
            dy, pixels: shape.outputPixels, channels: shape.outputChannels, into: db,
            workspace: scratch, pool: pool)
    }

    /// One line a pass: which algorithm, and why.
    package var explanation: [(pass: ConvolutionPass, algorithm: String, reason: String)] {
        let reason = AlgorithmChoice(taps, policy).reason
        return [
            (.forward, forwardAlgorithm.description, reason),
            (.inputGradient, inputGradientAlgorithm.description, reason),
            (.weightGradient, weightGradientAlgorithm.description, reason),
        ]
    }

    /// The second attempt at a result that is not finite; it happens once before training stops, so it may allocate.
    private func runDirect(
        _ x: Pixels, weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels,
        scatters: Bool, pool: ThreadPool
    ) {
        let direct = GatherConvolution(taps, scatters: scatters)
        let floats = direct.packedCount + direct.workspaceFloats(threads: pool.threadCount)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, floats)) { memory in
            guard let packed = memory.baseAddress else { return }
            direct.pack(weights, into: packed, pool: pool)
            direct.run(
                x, packed: packed, bias: bias, relu: relu, into: y, workspace: packed + direct.packedCount, pool: pool)
        }
    }

    private func runDirectWeightGradient(
        big: Pixels, small: Pixels, into dw: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) {
        let direct = GatherWeightGradient(taps)
        withUnsafeTemporaryAllocation(
            of: Float.self, capacity: direct.workspaceFloats(threads: pool.threadCount)
        ) { memory in
            guard let workspace = memory.baseAddress else { return }
            direct.run(big: big, small: small, into: dw, workspace: workspace, pool: pool)
        }
    }
}
