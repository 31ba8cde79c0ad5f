/// Where a tensor lies: a buffer, an offset, and a stride per logical axis, in floats.
///
/// Axes are PyTorch's (N C H W). What new values get is decided by `View.strides(canonical:)`: four and five axes are stored
/// channels last (N H W C, N D H W C), everything else row-major. Slices, selections and the parts of a concatenation are views into a larger buffer.
struct View: Equatable {
    var buffer: Int
    var offset = 0
    var shape: [Int]
    var strides: [Int]

    var count: Int { shape.reduce(1, *) }
    var rank: Int { shape.count }

    /// Strides of a row-major tensor.
    static func strides(rowMajor shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in stride(from: shape.count - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * max(shape[axis + 1], 1)
        }
        return strides
    }

    /// Strides of a new value: channels last for four and five axes, row-major otherwise.
    static func strides(canonical shape: [Int]) -> [Int] {
        guard shape.count == 4 || shape.count == 5 else { return strides(rowMajor: shape) }
        return strides(pixels: shape, stride: max(shape[1], 1))
    }

    /// Strides of N C … whose pixels lie `stride` apart, the channels next to each other.
    private static func strides(pixels shape: [Int], stride: Int) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        var step = stride
        for axis in Array((2..<shape.count).reversed()) + [0] {
            strides[axis] = step
            step *= max(shape[axis], 1)
        }
        return strides
    }

    /// Whether the elements lie as these strides say; the stride of an axis of size one does not matter.
    func lies(as strides: [Int]) -> Bool {
        zip(shape, zip(self.strides, strides)).allSatisfy { $0 == 1 || $1.0 == $1.1 }
    }

    var isRowMajor: Bool { lies(as: View.strides(rowMajor: shape)) }

    /// The distance between neighbouring pixels when this is a channels-last batch of images or volumes, possibly a slice of the
    /// channels of a wider one; nil for any other arrangement.
    var pixelStride: Int? {
        guard rank == 4 || rank == 5 else { return nil }
        let axes = Array((2..<rank).reversed()) + [0]
        let stride = axes.first { shape[$0] > 1 }.map { strides[$0] } ?? shape[1]
        guard stride >= shape[1], lies(as: View.strides(pixels: shape, stride: stride)) else { return nil }
        return stride
    }

    /// The part `start..<start + size` along an axis.
    func narrowed(axis: Int, start: Int, size: Int, step: Int = 1) -> View {
        var view = self
        view.offset += start * strides[axis]
        view.shape[axis] = size
        view.strides[axis] *= step
        return view
    }

    /// The same elements seen with a larger shape; the added positions repeat (stride zero), as in broadcasting.
    func broadcast(to target: [Int]) -> View {
        var view = self
        let missing = target.count - rank
        view.shape = target
        view.strides = [Int](repeating: 0, count: missing)
        for axis in 0..<rank {
            view.strides.append(shape[axis] == target[missing + axis] ? strides[axis] : 0)
        }
        return view
    }
}

/// Pointers of all buffers of a program while it runs.
struct Memory {
    let bases: UnsafeMutablePointer<UnsafeMutablePointer<Float>>

    /// The first element of a view.
    subscript(_ view: View) -> UnsafeMutablePointer<Float> {
        bases[view.buffer] + view.offset
    }

    func pixels(_ view: View, stride: Int) -> Pixels {
        Pixels(self[view], stride: stride)
    }
}
