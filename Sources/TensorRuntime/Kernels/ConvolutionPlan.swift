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
    private let forwardWay: Way
    private let inputGradientWay: Way
    private let weightGradientWay: WeightWay
    private let taps: TapGeometry

    /// How a pass over images is computed.
    fileprivate enum Way: Sendable {
        case direct(GatherConvolution)
        case winograd(WinogradConvolution)
    }

    fileprivate enum WeightWay: Sendable {
        case direct(GatherWeightGradient)
        case winograd(WinogradWeightGradient)
    }

    package init(_ shape: ConvolutionShape, threads: Int, policy: ConvolutionPolicy = .automatic) {
        precondition(shape.isValid, "no convolution has the shape \(shape)")
        self.shape = shape
        self.threads = threads
        self.policy = policy
        taps = TapGeometry(shape)
        forwardWay = Self.way(taps, scatters: shape.transposed, threads, policy)
        inputGradientWay = Self.way(taps, scatters: !shape.transposed, threads, policy)
        weightGradientWay =
            Self.winogradFits(taps, policy) && min(taps.bigChannels, taps.smallChannels) >= 8
            ? .winograd(WinogradWeightGradient(taps, threads: threads)) : .direct(GatherWeightGradient(taps))
    }

    private static func way(_ taps: TapGeometry, scatters: Bool, _ threads: Int, _ policy: ConvolutionPolicy) -> Way {
        winogradFits(taps, policy) && min(taps.bigChannels, taps.smallChannels) >= 8
            ? .winograd(WinogradConvolution(taps, scatters: scatters, threads: threads))
            : .direct(GatherConvolution(taps, scatters: scatters))
    }

    private static func winogradFits(_ taps: TapGeometry, _ policy: ConvolutionPolicy) -> Bool {
        policy == .automatic && taps.kernel == Extent(3) && taps.stride == Extent(1) && taps.dilation == Extent(1)
            && taps.groups == 1 && taps.padding.height <= 2 && taps.padding.width <= 2
    }

    /// Floats that the packed weights of a pass take; zero when the pass needs none.
    package func packedCount(_ pass: ConvolutionPass) -> Int {
        switch pass {
        case .forward: forwardWay.packedCount
        case .inputGradient: inputGradientWay.packedCount
        case .weightGradient: 0
        }
    }

    /// Bytes of scratch memory that a pass needs with this plan's number of threads.
    package func workspaceBytes(_ pass: ConvolutionPass) -> Int {
        switch pass {
        case .forward: 4 * forwardWay.workspaceFloats(threads: threads)
        case .inputGradient: 4 * inputGradientWay.workspaceFloats(threads: threads)
        case .weightGradient:
            4
                * max(
                    weightGradientWay.workspaceFloats(threads: threads),
                    ChannelSums.workspaceFloats(channels: shape.outputChannels, threads: threads))
        }
    }

    /// Brings weights (PyTorch's layout) into the form that a pass reads.
    package func pack(
        _ weights: UnsafePointer<Float>, for pass: ConvolutionPass, into packed: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) {
        switch pass {
        case .forward: forwardWay.pack(weights, into: packed, pool: pool)
        case .inputGradient: inputGradientWay.pack(weights, into: packed, pool: pool)
        case .weightGradient: break
        }
    }

    /// y = conv(x) (+ bias), then max(0, ·) when `relu`. x: N H W C, y: N H' W' K.
    package func forward(
        _ x: Pixels, packed: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let scratch = workspace.assumingMemoryBound(to: Float.self)
        forwardWay.run(x, packed: packed, bias: bias, relu: relu, into: y, workspace: scratch, pool: pool)
    }

    /// dx from dy; dx is overwritten.
    package func inputGradient(
        _ dy: Pixels, packed: UnsafePointer<Float>, into dx: Pixels, workspace: UnsafeMutableRawPointer,
        pool: ThreadPool
    ) {
        let scratch = workspace.assumingMemoryBound(to: Float.self)
        inputGradientWay.run(dy, packed: packed, bias: nil, relu: false, into: dx, workspace: scratch, pool: pool)
    }

    /// dw (PyTorch's layout) and db from x and dy; both are overwritten.
    package func weightGradient(
        _ x: Pixels, _ dy: Pixels, into dw: UnsafeMutablePointer<Float>, bias db: UnsafeMutablePointer<Float>?,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let scratch = workspace.assumingMemoryBound(to: Float.self)
        let (big, small) = shape.transposed ? (dy, x) : (x, dy)
        switch weightGradientWay {
        case .direct(let direct):
            direct.run(big: big, small: small, into: dw, workspace: scratch, pool: pool)
        case .winograd(let winograd):
            winograd.run(
                big: big, small: small, into: dw, channelSums: shape.transposed ? nil : db, workspace: scratch,
                pool: pool)
            if !shape.transposed { return }
        }
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

extension ConvolutionPlan.Way {
    var packedCount: Int {
        switch self {
        case .direct(let direct): direct.packedCount
        case .winograd(let winograd): winograd.packedCount
        }
    }

    func workspaceFloats(threads: Int) -> Int {
        switch self {
        case .direct(let direct): direct.workspaceFloats(threads: threads)
        case .winograd(let winograd): winograd.workspaceFloats(threads: threads)
        }
    }

    func pack(_ weights: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>, pool: ThreadPool) {
        switch self {
        case .direct(let direct): direct.pack(weights, into: packed, pool: pool)
        case .winograd(let winograd): winograd.pack(weights, into: packed, pool: pool)
        }
    }

    func run(
        _ x: Pixels, packed: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels,
        workspace: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) {
        switch self {
        case .direct(let direct):
            direct.run(x, packed: packed, bias: bias, relu: relu, into: y, workspace: workspace, pool: pool)
        case .winograd(let winograd):
            _ = winograd.run(x, packed: packed, bias: bias, relu: relu, into: y, workspace: workspace, pool: pool)
        }
    }
}

extension ConvolutionPlan.WeightWay {
    func workspaceFloats(threads: Int) -> Int {
        switch self {
        case .direct(let direct): direct.workspaceFloats(threads: threads)
        case .winograd(let winograd): winograd.workspaceFloats(threads: threads)
        }
    }
}
