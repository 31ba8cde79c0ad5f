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

    package init(_ shape: ConvolutionShape, threads: Int, policy: ConvolutionPolicy = .automatic) {
        precondition(shape.isValid, "no convolution has the shape \(shape)")
        self.shape = shape
        self.threads = threads
        self.policy = policy
    }

    /// Floats that the packed weights of a pass take; zero when the pass needs none.
    package func packedCount(_ pass: ConvolutionPass) -> Int {
        pass == .weightGradient ? 0 : shape.weightCount
    }

    /// Bytes of scratch memory that a pass needs with this plan's number of threads.
    package func workspaceBytes(_ pass: ConvolutionPass) -> Int {
        0
    }

    /// Brings weights (PyTorch's layout) into the form that a pass reads.
    package func pack(
        _ weights: UnsafePointer<Float>, for pass: ConvolutionPass, into packed: UnsafeMutablePointer<Float>,
        pool: ThreadPool
    ) {
        if pass != .weightGradient { packed.update(from: weights, count: shape.weightCount) }
    }

    /// y = conv(x) (+ bias), then max(0, ·) when `relu`. x: N H W C, y: N H' W' K.
    package func forward(
        _ x: Pixels, packed: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool, into y: Pixels,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        let outputs = shape.batch * shape.outputHeight * shape.outputWidth
        for pixel in 0..<outputs {
            for k in 0..<shape.outputChannels { y.base[pixel * y.stride + k] = bias?[k] ?? 0 }
        }
        forEachTap { input, c, output, k, w in
            y.base[output * y.stride + k] += x.base[input * x.stride + c] * packed[w]
        }
        guard relu else { return }
        for pixel in 0..<outputs {
            for k in 0..<shape.outputChannels where y.base[pixel * y.stride + k] < 0 {
                y.base[pixel * y.stride + k] = 0
            }
        }
    }

    /// dx from dy; dx is overwritten.
    package func inputGradient(
        _ dy: Pixels, packed: UnsafePointer<Float>, into dx: Pixels, workspace: UnsafeMutableRawPointer,
        pool: ThreadPool
    ) {
        for pixel in 0..<shape.batch * shape.height * shape.width {
            for c in 0..<shape.inputChannels { dx.base[pixel * dx.stride + c] = 0 }
        }
        forEachTap { input, c, output, k, w in
            dx.base[input * dx.stride + c] += dy.base[output * dy.stride + k] * packed[w]
        }
    }

    /// dw (PyTorch's layout) and db from x and dy; both are overwritten.
    package func weightGradient(
        _ x: Pixels, _ dy: Pixels, into dw: UnsafeMutablePointer<Float>, bias db: UnsafeMutablePointer<Float>?,
        workspace: UnsafeMutableRawPointer, pool: ThreadPool
    ) {
        for index in 0..<shape.weightCount { dw[index] = 0 }
        forEachTap { input, c, output, k, w in
            dw[w] += x.base[input * x.stride + c] * dy.base[output * dy.stride + k]
        }
        guard let db else { return }
        for k in 0..<shape.outputChannels {
            var sum: Float = 0
            for pixel in 0..<shape.batch * shape.outputHeight * shape.outputWidth {
                sum += dy.base[pixel * dy.stride + k]
            }
            db[k] = sum
        }
    }

    /// One line a pass: which algorithm, and why.
    package var explanation: [(pass: ConvolutionPass, algorithm: String, reason: String)] {
        ConvolutionPass.allCases.map { ($0, "definition", "the only one so far") }
    }

    /// Calls `body(input pixel, c, output pixel, k, weight index)` for every product of the definition.
    private func forEachTap(_ body: (Int, Int, Int, Int, Int) -> Void) {
        let s = shape
        let (cg, kg) = (s.inputChannels / s.groups, s.outputChannels / s.groups)
        let (nearHeight, nearWidth) = s.transposed ? (s.height, s.width) : (s.outputHeight, s.outputWidth)
        let (farHeight, farWidth) = s.transposed ? (s.outputHeight, s.outputWidth) : (s.height, s.width)
        for n in 0..<s.batch {
            for y in 0..<nearHeight {
                for x in 0..<nearWidth {
                    for i in 0..<s.kernel.height {
                        let fy = y * s.stride.height - s.padding.height + i * s.dilation.height
                        guard fy >= 0, fy < farHeight else { continue }
                        for j in 0..<s.kernel.width {
                            let fx = x * s.stride.width - s.padding.width + j * s.dilation.width
                            guard fx >= 0, fx < farWidth else { continue }
                            let near = (n * nearHeight + y) * nearWidth + x
                            let far = (n * farHeight + fy) * farWidth + fx
                            for g in 0..<s.groups {
                                for c in 0..<cg {
                                    for k in 0..<kg {
                                        let tap = i * s.kernel.width + j
                                        let area = s.kernel.height * s.kernel.width
                                        if s.transposed {
                                            body(
                                                near, g * cg + c, far, g * kg + k, ((g * cg + c) * kg + k) * area + tap)
                                        } else {
                                            body(
                                                far, g * cg + c, near, g * kg + k, ((g * kg + k) * cg + c) * area + tap)
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
