/// How one convolution is computed: decided once from its shape, then run each step.
///
/// ```swift
/// let plan = ConvolutionPlan(shape, threads: pool.threadCount)
/// // once: memory for plan.packedCount(.forward) floats and plan.workspaceBytes(.forward) bytes
/// plan.pack(weights, for: .forward, into: packed, pool: pool)      // after each change of the weights
/// plan.forward(x, packed: packed, bias: bias, relu: false, into: y, workspace: workspace, pool: pool)
/// ```
///
/// Weights come and weight gradients leave in PyTorch's layout. Workspaces hold nothing between calls; they must be aligned to
/// 64 bytes and may be shared by all plans that do not run at the same time.
package struct ConvolutionPlan: Sendable {
    package let shape: ConvolutionShape
    package let threads: Int
    package let policy: ConvolutionPolicy
    private let forwardDirect: GatherConvolution
    private let inputGradientDirect: GatherConvolution
    private let weightGradientDirect: GatherWeightGradient

    package init(_ shape: ConvolutionShape, threads: Int, policy: ConvolutionPolicy = .automatic) {
        precondition(shape.isValid, "no convolution has the shape \(shape)")
        self.shape = shape
        self.threads = threads
        self.policy = policy
        let taps = TapGeometry(shape)
        forwardDirect = GatherConvolution(taps, scatters: shape.transposed)
        inputGradientDirect = GatherConvolution(taps, scatters: !shape.transposed)
        weightGradientDirect = GatherWeightGradient(taps)
    }

    /// Floats that the packed weights of a pass take; zero when the pass needs none.
    package func packedCount(_ pass: ConvolutionPass) -> Int {
        switch pass {
        case .forward: forwardDirect.packedCount
        case .inputGradient: inputGradientDirect.packedCount
        case .weightGradient: 0
        }
    }

    /// Bytes of scratch memory that a pass needs with this plan's number of threads.
    package func workspaceBytes(_ pass: ConvolutionPass) -> Int {
        switch pass {
        case .forward: 4 * forwardDirect.workspaceFloats(threads: threads)
        case .inputGradient: 4 * inputGradientDirect.workspaceFloats(threads: threads)
        case .weightGradient:
            4
                * max(
                    weightGradientDirect.workspaceFloats(threads: threads),
                    ChannelSums.workspaceFloats(channels: shape.outputChannels, threads: threads))
        }
    }

    /// Brings weights (PyTorch's layout) into the form that a pass reads.
    package func pack(
        _ weights: UnsafePointer<Float>, for pass: ConvolutionPass, into packed: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) {
        switch pass {
        case .forward: forwardDirect.pack(weights, into: packed, pool: pool)
        case .inputGradient: inputGradientDirect.pack(weights, into: packed, pool: pool)
        case .weightGradient: break
        }
    }

    /// y = conv(x) (+ bias), then max(0, ·) when `relu`. x: N H W C, y: N H' W' K.
    package func forward(
        _ x: Pixels, packed: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let scratch = workspace.assumingMemoryBound(to: Float.self)
        forwardDirect.run(x, packed: packed, bias: bias, relu: relu, into: y, workspace: scratch, pool: pool)
    }

    /// dx from dy; dx is overwritten.
    package func inputGradient(
        _ dy: Pixels, packed: UnsafePointer<Float>, into dx: Pixels, workspace: UnsafeMutableRawPointer,
        pool: ThreadPool
    ) {
        let scratch = workspace.assumingMemoryBound(to: Float.self)
        inputGradientDirect.run(dy, packed: packed, bias: nil, relu: false, into: dx, workspace: scratch, pool: pool)
    }

    /// dw (PyTorch's layout) and db from x and dy; both are overwritten.
    package func weightGradient(
        _ x: Pixels, _ dy: Pixels, into dw: UnsafeMutablePointer<Float>, bias db: UnsafeMutablePointer<Float>?,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let scratch = workspace.assumingMemoryBound(to: Float.self)
        let (big, small) = shape.transposed ? (dy, x) : (x, dy)
        weightGradientDirect.run(big: big, small: small, into: dw, workspace: scratch, pool: pool)
        guard let db else { return }
        ChannelSums.sum(
            dy, pixels: shape.batch * shape.outputHeight * shape.outputWidth, channels: shape.outputChannels, into: db,
            workspace: scratch, pool: pool)
    }

    /// One line a pass: which algorithm, and why.
    package var explanation: [(pass: ConvolutionPass, algorithm: String, reason: String)] {
        ConvolutionPass.allCases.map { ($0, "direct", "the only one so far") }
    }
}
