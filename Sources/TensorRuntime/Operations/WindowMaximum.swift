/// The largest value of each window along the last one to three axes of N C … or C …: PyTorch's `max_pool1d` and `3d`, and
/// `adaptive_max_pool1d` to `3d`. (`max_pool2d` has a kernel of its own, `MaxPool`.)
extension OperationTable {
    static let maximumPooling: [String: Factory] = {
        var family: [String: Factory] = [:]
        for axes in [1, 3] {
            family["max_pool\(axes)d"] = {
                WindowMaximum(axes: axes, rule: WindowElements(windows: try Windows($0, axes: axes)))
            }
        }
        for axes in 1...3 {
            family["adaptive_max_pool\(axes)d"] = {
                WindowMaximum(axes: axes, rule: AdaptiveWindows(output: try $0.sizes("output_size", axes: axes)))
            }
        }
        return family
    }()
}

/// The elements of the image that lie in each window.
struct WindowElements: AxisRule {
    var windows: Windows

    func weights(_ size: Int, axis: Int) throws -> AxisWeights {
        AxisWeights(
            taps: (0..<(try windows.count(size, axis))).map { position in
                (0..<windows.kernel[axis]).map {
                    position * windows.stride[axis] - windows.padding[axis] + $0 * windows.dilation[axis]
                }
                .filter { $0 >= 0 && $0 < size }.map { AxisWeights.Tap(index: $0, weight: 1) }
            })
    }
}

struct WindowMaximum: Operation {
    var axes: Int
    var rule: any AxisRule

    func shape(_ inputs: [[Int]?]) throws -> [Int] {
        let shape = try Resampling(axes: axes, rule: rule).shape(inputs)
        guard (inputs[0] ?? []).reduce(1, *) < Int(Int32.max) else { throw ShapeFault("an image of 2³¹ elements") }
        return shape
    }

    private func kernel(_ x: [Int], _ volume: [Int]) -> WindowMaximumKernel? {
        let tables = try? (0..<axes).map { try rule.weights(x[x.count - axes + $0], axis: $0) }
        return tables.map { WindowMaximumKernel($0, input: volume) }
    }

    func forward(_ builder: ProgramBuilder, _ node: PlanNode) {
        let shape = builder.shape(node.input(0))
        let x = builder.pixels(builder.view(node.input(0)).volume(axes))
        guard let kernel = kernel(shape, x.view.shape) else { return }
        let y = builder.output(node)
        let winners = builder.training && builder.wants(node.output) ? builder.saved(node, 0, count: y.count) : nil
        builder.writeVolume(y.volume(axes)) { target, stride in
            builder.emit([x.view, target, winners], result: y) { memory, pool in
                kernel.forward(
                    memory.pixels(x.view, stride: x.stride), into: memory.pixels(target, stride: stride),
                    winners: winners.map { MaxPool.integers(memory[$0]) }, pool)
            }
        }
    }

    func backward(_ builder: ProgramBuilder, _ node: PlanNode, _ gradient: GradientSlot) {
        let shape = builder.shape(node.input(0))
        let dy = builder.pixels(gradient.view.volume(axes))
        let winners = builder.saved(node, 0, count: dy.view.count)
        builder.overwrite(node.input(0)) { dx in
            let whole = dx.volume(axes)
            guard let kernel = kernel(shape, whole.shape) else { return }
            builder.writeVolume(whole) { target, stride in
                builder.emit([dy.view, winners, target], result: dx) { memory, pool in
                    kernel.backward(
                        memory.pixels(dy.view, stride: dy.stride), winners: MaxPool.integers(memory[winners]),
                        into: memory.pixels(target, stride: stride), pool)
                }
            }
        }
    }
}

/// Maxima over windows of N D H W C. Cost: the elements of the windows.
final class WindowMaximumKernel {
    private let planes: AxisTable
    private let rows: AxisTable
    private let columns: AxisTable
    private let batch: Int
    private let channels: Int
    private let size: (depth: Int, height: Int, width: Int)

    init(_ tables: [AxisWeights], input: [Int]) {
        let single = AxisWeights(taps: [[AxisWeights.Tap(index: 0, weight: 1)]])
        let all = [AxisWeights](repeating: single, count: 3 - tables.count) + tables
        (planes, rows, columns) = (AxisTable(all[0]), AxisTable(all[1]), AxisTable(all[2]))
        (batch, channels) = (input[0], input[1])
        size = (input[2], input[3], input[4])
    }

    /// `winners` (densely stored, as many as y) receives the pixel of its image that won, or -1 for an empty window. The first of
    /// equal values wins, and a value that is not a number wins over all numbers, as in PyTorch.
    func forward(_ x: Pixels, into y: Pixels, winners: UnsafeMutablePointer<Int32>?, _ pool: ThreadPool) {
        pool.parallel(batch * planes.count * rows.count, with: (self, x, y, winners)) { job, line, _ in
            job.0.forward(line, job.1, into: job.2, job.3)
        }
    }

    /// One line of outputs, counted through all planes of the batch.
    private func forward(_ line: Int, _ x: Pixels, into y: Pixels, _ winners: UnsafeMutablePointer<Int32>?) {
        let (depth, height, width) = (planes.count, rows.count, columns.count)
        let (plane, row) = line.quotientAndRemainder(dividingBy: height)
        let image = x.base + plane / depth * size.depth * size.height * size.width * x.stride
        for column in 0..<width {
            let pixel = line * width + column
            for channel in stride(from: 0, to: channels, by: lanes) {
                let count = channels - channel
                let (best, winner) = window(image + channel, x.stride, plane % depth, row, column, count)
                store(best, y.base + pixel * y.stride + channel, upTo: count)
                guard let winners else { continue }
                for lane in 0..<min(count, lanes) { winners[pixel * channels + channel + lane] = winner[lane] }
            }
        }
    }

    @inline(__always)
    private func window(
        _ image: UnsafePointer<Float>, _ pixelStride: Int, _ plane: Int, _ row: Int, _ column: Int, _ count: Int
    ) -> (Vector, SIMD16<Int32>) {
        var best = Vector(repeating: -.infinity)
        var winner = SIMD16<Int32>(repeating: -1)
        for p in planes[plane] {
            for r in rows[row] {
                let line = (p.index &* size.height &+ r.index) &* size.width
                for c in columns[column] {
                    let pixel = line &+ c.index
                    let value = load(image + pixel &* pixelStride, upTo: count)
                    let wins = (value .> best) .| (value .!= value) .| (winner .< SIMD16<Int32>())
                    best.replace(with: value, where: wins)
                    winner.replace(with: SIMD16(repeating: Int32(truncatingIfNeeded: pixel)), where: wins)
                }
            }
        }
        return (best, winner)
    }

    /// dx from dy and the winners of the forward pass; dx is overwritten. One thread an image and 16 channels.
    func backward(_ dy: Pixels, winners: UnsafePointer<Int32>, into dx: Pixels, _ pool: ThreadPool) {
        let blocks = (channels + lanes - 1) / lanes
        pool.parallel(batch * blocks, with: (self, dy, winners, dx)) { job, part, _ in
            job.0.backward(part, job.1, job.2, into: job.3)
        }
    }

    private func backward(_ part: Int, _ dy: Pixels, _ winners: UnsafePointer<Int32>, into dx: Pixels) {
        let inputs = size.depth * size.height * size.width
        let outputs = planes.count * rows.count * columns.count
        let (n, block) = part.quotientAndRemainder(dividingBy: (channels + lanes - 1) / lanes)
        let range = block * lanes..<min((block + 1) * lanes, channels)
        for pixel in n * inputs..<(n + 1) * inputs {
            (dx.base + pixel * dx.stride + range.lowerBound).update(repeating: 0, count: range.count)
        }
        for output in n * outputs..<(n + 1) * outputs {
            for c in range {
                let place = Int(winners[output * channels + c])
                guard place >= 0 else { continue }
                dx.base[(n * inputs + place) * dx.stride + c] += dy.base[output * dy.stride + c]
            }
        }
    }
}
