/// Which algorithm a convolution gets, and why: the one place where shapes decide.
struct AlgorithmChoice: Sendable {
    let usesWinograd: Bool
    let reason: String

    /// Below this many channels on either side the transforms cost more than the products they save.
    static let fewestChannels = 8
    /// The weight gradient gathers all taps of a pair of channels in a small buffer.
    static let mostSliceTaps = 13

    init(_ taps: TapGeometry, _ policy: ConvolutionPolicy) {
        let channels = min(taps.bigChannels, taps.smallChannels)
        let obstacle: String? =
            if policy == .direct {
                "direct was asked for"
            } else if taps.kernel != Extent(3) {
                "the kernel is \(taps.kernel.height)x\(taps.kernel.width), not 3x3"
            } else if taps.stride != Extent(1) || taps.dilation != Extent(1) || taps.slices.stride != 1 {
                "stride or dilation is not 1"
            } else if taps.slices.kernel > Self.mostSliceTaps {
                "\(taps.slices.kernel) taps along the slices"
            } else if taps.groups != 1 {
                "\(taps.groups) groups"
            } else if max(taps.padding.height, taps.padding.width) > 2 {
                "the padding is wider than the kernel"
            } else if channels < Self.fewestChannels {
                "only \(channels) channels on one side"
            } else {
                nil
            }
        usesWinograd = obstacle == nil
        let kernel = (taps.slices.kernel > 1 ? "\(taps.slices.kernel)x" : "") + "3x3"
        reason = obstacle ?? "\(kernel), stride 1, \(taps.bigChannels) and \(taps.smallChannels) channels"
    }
}

/// How a pass that writes an image is computed: the forward pass and the input gradient.
enum ImageAlgorithm: Sendable, CustomStringConvertible {
    case direct(GatherConvolution)
    case winograd(WinogradConvolution)

    init(_ choice: AlgorithmChoice, _ taps: TapGeometry, scatters: Bool, threads: Int) {
        self =
            choice.usesWinograd
            ? .winograd(WinogradConvolution(taps, scatters: scatters, threads: threads))
            : .direct(GatherConvolution(taps, scatters: scatters))
    }

    var description: String {
        switch self {
        case .direct(let direct): direct.isPointwise ? "direct, pointwise" : "direct"
        case .winograd(let winograd):
            "winograd F(4x4, 3x3), \(winograd.chunk) tiles " + (winograd.isShared ? "by all threads" : "a thread")
        }
    }

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

    /// False when Winograd met a value that is not finite.
    func run(
        _ x: Pixels, packed: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels,
        workspace: UnsafeMutablePointer<Float>, pool: ThreadPool
    ) -> Bool {
        switch self {
        case .direct(let direct):
            direct.run(x, packed: packed, bias: bias, relu: relu, into: y, workspace: workspace, pool: pool)
            return true
        case .winograd(let winograd):
            return winograd.run(x, packed: packed, bias: bias, relu: relu, into: y, workspace: workspace, pool: pool)
        }
    }
}

/// How the weight gradient is computed.
enum WeightAlgorithm: Sendable, CustomStringConvertible {
    case direct(GatherWeightGradient)
    case winograd(WinogradWeightGradient)

    init(_ choice: AlgorithmChoice, _ taps: TapGeometry, threads: Int) {
        self =
            choice.usesWinograd
            ? .winograd(WinogradWeightGradient(taps, threads: threads)) : .direct(GatherWeightGradient(taps))
    }

    var description: String {
        switch self {
        case .direct: "direct"
        case .winograd(let winograd):
            "winograd F(4x4, 3x3), \(winograd.chunk) \(winograd.division.rawValue)"
        }
    }

    func workspaceFloats(threads: Int) -> Int {
        switch self {
        case .direct(let direct): direct.workspaceFloats(threads: threads)
        case .winograd(let winograd): winograd.workspaceFloats(threads: threads)
        }
    }
}
