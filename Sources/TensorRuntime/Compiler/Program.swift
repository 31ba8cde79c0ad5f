/// What a compiled graph does, in order: kernels with the buffers that each reads and writes.
struct Program {
    /// One kernel call.
    struct Step {
        var buffers: [Int]
        /// The node that the step belongs to.
        var node: Int?
        /// The view whose elements the step completes, for finding the first value that is not finite.
        var result: View?
        /// What the step does for its node, where a node has several steps that one wants to tell apart.
        var part = ""
        /// Multiplications and additions by the definition, where that is known.
        var operations = 0.0
        var run: (Memory, ThreadPool) -> Void
    }

    /// A piece of memory.
    struct Buffer {
        enum Kind: Equatable {
            /// Planned into the arena, which buffers share whose lives do not overlap.
            case temporary
            /// Owned by the compiled graph for its whole life.
            case persistent
            /// Memory of the parameter store.
            case external(UnsafeMutablePointer<Float>)
        }

        var kind: Kind
        /// Floats.
        var count: Int
    }

    var buffers: [Buffer] = []
    /// Run when parameters have changed: weights brought into the form that kernels read.
    var preparation: [Step] = []
    var forward: [Step] = []
    var backward: [Step] = []
    /// Run once a step has succeeded: running statistics.
    var completion: [Step] = []
    /// Bytes of scratch memory that kernels share.
    var workspaceBytes = 64
}

/// Places the temporary buffers of a program in one arena so that buffers alive at the same time never overlap.
///
/// Largest first, each at the lowest offset that is free during its whole life (Pisarchyk and Lee 2020, "Efficient memory
/// management for deep neural net inference", greedy by size). Cost: quadratic in the number of buffers.
struct MemoryPlan {
    /// Offset in floats of each temporary buffer; unused ones have none.
    private(set) var offsets: [Int: Int] = [:]
    /// Floats of the arena.
    private(set) var total = 0

    init(_ program: Program) {
        var lives: [Int: ClosedRange<Int>] = [:]
        for (time, step) in (program.forward + program.backward + program.completion).enumerated() {
            for buffer in step.buffers where program.buffers[buffer].kind == .temporary {
                lives[buffer] = min(lives[buffer]?.lowerBound ?? time, time)...time
            }
        }
        let order = lives.keys.sorted { (program.buffers[$0].count, $1) > (program.buffers[$1].count, $0) }
        var placed: [(life: ClosedRange<Int>, range: Range<Int>)] = []
        for buffer in order {
            guard let life = lives[buffer] else { continue }
            let size = (program.buffers[buffer].count + 31) / 32 * 32
            var offset = 0
            for other in placed where other.life.overlaps(life) && offset + size > other.range.lowerBound {
                offset = max(offset, other.range.upperBound)
            }
            offsets[buffer] = offset
            total = max(total, offset + size)
            let index = placed.firstIndex { $0.range.lowerBound > offset } ?? placed.count
            placed.insert((life, offset..<offset + size), at: index)
        }
    }
}
