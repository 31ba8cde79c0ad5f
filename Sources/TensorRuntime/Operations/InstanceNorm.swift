/// Normalization of each channel of each sample by its own mean and variance (Ulyanov, Vedaldi and Lempitsky 2016), the kernels
/// of batch norm run sample by sample; what group norm with one channel a group becomes.
///
/// With `relu` the following ReLU, leaky when `negativeSlope` is not zero, is computed in the same pass.
struct InstanceNorm: Operation {
    var epsilon: Float
    var relu = false
    var negativeSlope: Float = 0
    var arity: ClosedRange<Int> { 3...3 }

    func isOptional(_ input: Int) -> Bool { input > 0 }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = inputs[0] ?? []
        guard (3...5).contains(shape.count) else {
            throw ShapeFault("shape \(shape) is not N C and one to three spatial axes")
        }
        for case let other? in inputs.dropFirst() where other != [shape[1]] {
            throw ShapeFault("\(other) values for \(shape[1]) channels")
        }
        return shape
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let (x, xs) = builder.pixels(builder.view(node.input(0)).asImage)
        let y = builder.output(node).asImage
        let target = y.pixelStride == nil ? builder.temporary(y.shape) : y
        let ys = target.pixelStride ?? target.shape[1]
        let (batch, channels) = (x.shape[0], x.shape[1])
        let pixels = x.count / (batch * channels)
        let gamma = node.inputs[1].map { builder.rowMajor(builder.view($0)) }
        let beta = node.inputs[2].map { builder.rowMajor(builder.view($0)) }
        let mean = builder.saved(node, 0, count: batch * channels)
        let inverse = builder.saved(node, 1, count: batch * channels)
        let variance = builder.temporary([channels])
        builder.needWorkspace(
            BatchNormalization.workspaceBytes(pixels: pixels, channels: channels, threads: builder.threads))
        builder.emit([x, target, gamma, beta, mean, inverse, variance], result: target) { memory, pool in
            for n in 0..<batch {
                BatchNormalization.forward(
                    Pixels(memory[x] + n * pixels * xs, stride: xs), pixels: pixels, channels: channels,
                    gamma: gamma.map { memory[$0] }, beta: beta.map { memory[$0] }, epsilon: epsilon, relu: relu,
                    negativeSlope: negativeSlope, into: Pixels(memory[target] + n * pixels * ys, stride: ys),
                    mean: memory[mean] + n * channels, variance: memory[variance],
                    inverseDeviation: memory[inverse] + n * channels, workspace: ProgramBuilder.workspace(memory),
                    pool: pool)
            }
        }
        builder.copy(target, to: y)
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let (x, xs) = builder.pixels(builder.view(node.input(0)).asImage)
        let (dy, dys) = builder.pixels(gradient.view.asImage)
        let isCopy = dy.buffer != gradient.view.buffer
        let (batch, channels) = (x.shape[0], x.shape[1])
        let pixels = x.count / (batch * channels)
        let gamma = node.inputs[1].map { builder.rowMajor(builder.view($0)) }
        let beta = node.inputs[2].map { builder.rowMajor(builder.view($0)) }
        let mean = builder.saved(node, 0, count: batch * channels)
        let inverse = builder.saved(node, 1, count: batch * channels)
        let (dgamma, dbeta) = (builder.temporary([channels]), builder.temporary([channels]))
        let partial = builder.temporary([2 * channels])
        let dx = gradient.owned || isCopy ? dy : builder.temporary(dy.shape)
        let dxs = dx.pixelStride ?? channels
        builder.emit([x, dy, gamma, beta, mean, inverse, dgamma, dbeta, partial, dx], result: dx) { memory, pool in
            let (dg, db) = (memory[dgamma], memory[dbeta])
            dg.update(repeating: 0, count: channels)
            db.update(repeating: 0, count: channels)
            let (one, other) = (memory[partial], memory[partial] + channels)
            for n in 0..<batch {
                BatchNormalization.backward(
                    Pixels(memory[x] + n * pixels * xs, stride: xs), Pixels(memory[dy] + n * pixels * dys, stride: dys),
                    pixels: pixels, channels: channels, gamma: gamma.map { memory[$0] }, beta: beta.map { memory[$0] },
                    mean: memory[mean] + n * channels, inverseDeviation: memory[inverse] + n * channels, relu: relu,
                    negativeSlope: negativeSlope, into: Pixels(memory[dx] + n * pixels * dxs, stride: dxs),
                    dgamma: one, dbeta: other, workspace: ProgramBuilder.workspace(memory), pool: pool)
                for c in 0..<channels {
                    dg[c] += one[c]
                    db[c] += other[c]
                }
            }
        }
        if let value = node.inputs[1] { builder.pass(dgamma, to: value, owned: true) }
        if let value = node.inputs[2] { builder.pass(dbeta, to: value, owned: true) }
        if let view = dx.reshaped(builder.shape(node.input(0))) {
            builder.pass(view, to: node.input(0), owned: true)
        } else {
            builder.overwrite(node.input(0)) { builder.copy(dx, to: $0.asImage) }
        }
    }
}
