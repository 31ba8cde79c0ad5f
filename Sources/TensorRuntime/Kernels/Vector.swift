/// Sixteen floats: one AVX-512 register, or as many narrower ones as it takes.
typealias Vector = SIMD16<Float>

/// Lanes of a `Vector`.
let lanes = 16

/// The next multiple of the vector width.
@inline(__always)
func padded(_ count: Int) -> Int {
    (count &+ 15) & ~15
}

@inline(__always)
func load(_ pointer: UnsafePointer<Float>) -> Vector {
    UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inline(__always)
func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: Vector.self)
}

/// The first `count` (below 16) floats, the other lanes zero.
@inline(__always)
func loadPartial(_ pointer: UnsafePointer<Float>, _ count: Int) -> Vector {
    var vector = Vector()
    for lane in 0..<count { vector[lane] = pointer[lane] }
    return vector
}

@inline(__always)
func storePartial(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    for lane in 0..<count { pointer[lane] = vector[lane] }
}

/// `load` for a whole vector, `loadPartial` for the tail of a row of channels.
@inline(__always)
func load(_ pointer: UnsafePointer<Float>, upTo count: Int) -> Vector {
    count >= lanes ? load(pointer) : loadPartial(pointer, count)
}

@inline(__always)
func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>, upTo count: Int) {
    if count >= lanes { store(vector, pointer) } else { storePartial(vector, pointer, count) }
}

/// sum + a · b: one instruction where the instruction set has it, two roundings where it does not (a library call a lane would
/// be a hundred times slower).
@inline(__always)
func multiplyAdd(_ sum: Vector, _ a: Vector, _ b: Vector) -> Vector {
    #if LLMBENCH_FMA
        sum.addingProduct(a, b)
    #else
        sum + a * b
    #endif
}

/// max(0, x) that keeps values that are not numbers.
@inline(__always)
func rectified(_ vector: Vector) -> Vector {
    vector.replacing(with: Vector(), where: vector .< Vector())
}

/// `rectified`, or with a slope other than zero the leaky form: slope · x where x < 0.
@inline(__always)
func rectified(_ vector: Vector, _ negativeSlope: Float) -> Vector {
    if negativeSlope == 0 { return rectified(vector) }
    return vector.replacing(with: vector * negativeSlope, where: vector .< Vector())
}

/// 448 floats on the stack: six rows of four vectors, or twelve of two, and one row more.
///
/// `withUnsafeTemporaryAllocation` takes more than a kilobyte from the heap; kernels that run in each training step must not.
@inline(__always)
func withStackTile<Result>(_ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
    var storage = (
        SIMD64<Float>(), SIMD64<Float>(), SIMD64<Float>(), SIMD64<Float>(), SIMD64<Float>(), SIMD64<Float>(),
        SIMD64<Float>()
    )
    return withUnsafeMutablePointer(to: &storage) {
        body(UnsafeMutableRawPointer($0).assumingMemoryBound(to: Float.self))
    }
}

/// 2560 floats on the stack; see `withStackTile`.
@inline(__always)
func withStackStage<Result>(_ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
    typealias Eight = (
        SIMD64<Float>, SIMD64<Float>, SIMD64<Float>, SIMD64<Float>, SIMD64<Float>, SIMD64<Float>, SIMD64<Float>,
        SIMD64<Float>
    )
    let zero = SIMD64<Float>()
    let eight: Eight = (zero, zero, zero, zero, zero, zero, zero, zero)
    var storage = (eight, eight, eight, eight, eight)
    return withUnsafeMutablePointer(to: &storage) {
        body(UnsafeMutableRawPointer($0).assumingMemoryBound(to: Float.self))
    }
}

/// Copies pixels of some channels from one stride to another.
@inline(__always)
func copyPixels(
    _ source: UnsafePointer<Float>, stride sourceStride: Int, to target: UnsafeMutablePointer<Float>,
    stride targetStride: Int, pixels: Int, channels: Int
) {
    if channels == 1 {
        for pixel in 0..<pixels { target[pixel &* targetStride] = source[pixel &* sourceStride] }
    } else if channels % lanes == 0 {
        for pixel in 0..<pixels {
            var channel = 0
            while channel < channels {
                store(load(source + (pixel &* sourceStride &+ channel)), target + (pixel &* targetStride &+ channel))
                channel &+= lanes
            }
        }
    } else {
        for pixel in 0..<pixels {
            (target + pixel &* targetStride).update(from: source + pixel &* sourceStride, count: channels)
        }
    }
}
