/// The largest value of each window of N C H W.
struct MaxPool: Operation {
    var kernel: Extent
    var stride: Extent
    var padding: Extent
    var dilation: Extent
    var ceilMode: Bool

    private func geometry(_ x: [Int]) -> PoolingShape {
        PoolingShape(
            batch: x[0], height: x[2], width: x[3], channels: x[1], kernel: kernel, stride: stride, padding: padding,
            dilation: dilation, ceilMode: ceilMode)
    }

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        guard let x = inputs[0], x.count == 4 else { throw ShapeFault("only images N C H W can be pooled") }
        let shape = geometry(x)
        guard shape.outputHeight > 0, shape.outputWidth > 0, padding.height * 2 <= kernel.height,
            padding.width * 2 <= kernel.width
        else { throw ShapeFault("windows of \(kernel.height)×\(kernel.width) do not fit an input of shape \(x)") }
        return [x[0], x[1], shape.outputHeight, shape.outputWidth]
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let shape = geometry(builder.shape(node.input(0)))
        let x = builder.pixels(builder.view(node.input(0)))
        let y = builder.output(node)
        let ys = y.pixelStride ?? shape.channels
        let winners = builder.training && builder.wants(node.output) ? builder.saved(node, 0, count: y.count) : nil
        builder.emit([x.view, y, winners], result: y) { memory, pool in
            MaxPooling.forward(
                shape, memory.pixels(x.view, stride: x.stride), into: memory.pixels(y, stride: ys),
                winners: winners.map { MaxPool.integers(memory[$0]) }, pool: pool)
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let shape = geometry(builder.shape(node.input(0)))
        let dy = builder.pixels(gradient.view)
        let winners = builder.saved(node, 0, count: builder.shape(node.output).reduce(1, *))
        builder.accumulate(node.input(0)) { dx, adds in
            let target = dx.pixelStride == nil ? builder.temporary(dx.shape) : dx
            let stride = target.pixelStride ?? shape.channels
            builder.emit([dy.view, winners, target], result: target) { memory, pool in
                MaxPooling.backward(
                    shape, memory.pixels(dy.view, stride: dy.stride), winners: MaxPool.integers(memory[winners]),
                    into: memory.pixels(target, stride: stride), adds: adds && target == dx, pool: pool)
            }
            guard target != dx else { return }
            if adds { builder.add(target, to: dx) } else { builder.copy(target, to: dx) }
        }
    }

    /// Memory for floats, used for integers of the same size.
    static func integers(_ floats: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(floats).assumingMemoryBound(to: Int32.self)
    }
}
