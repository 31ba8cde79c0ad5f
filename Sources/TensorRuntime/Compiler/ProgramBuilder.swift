/// Collects the kernels of a program while operations emit them, and knows where each value and each gradient lies.
final class ProgramBuilder {
    private enum Phase {
        case forward, backward, completion
    }

    let threads: Int
    let policy: ConvolutionPolicy
    let training: Bool
    let random: RandomStream
    private(set) var program = Program()
    private var shapes: [Int: [Int]]
    private var views: [Int: View] = [:]
    /// Where the producer of a value is to write it: its part of a concatenation.
    private var placements: [Int: View] = [:]
    private var gradients: [Int: GradientSlot] = [:]
    /// Memory that the gradients of parameters go to.
    private var parameterGradients: [Int: View] = [:]
    private var savedViews: [[Int]: View] = [:]
    private var wanting: Set<Int> = []
    private var stable: Set<Int> = []
    private var phase = Phase.forward
    private var current: Int?

    init(shapes: [Int: [Int]], threads: Int, policy: ConvolutionPolicy, training: Bool, random: RandomStream) {
        self.shapes = shapes
        self.threads = threads
        self.policy = policy
        self.training = training
        self.random = random
    }

    // Values

    func shape(_ value: Int) -> [Int] { shapes[value] ?? [] }

    func view(_ value: Int) -> View { views[value] ?? View(buffer: 0, shape: [], strides: []) }

    /// Binds a value to memory outside the program. Parameters pass the memory of their gradient. `stable` values change only
    /// between steps.
    func bind(_ value: Int, _ pointer: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>?) {
        let view = external(pointer, shape(value))
        views[value] = view
        stable.insert(value)
        if let gradient {
            parameterGradients[value] = external(gradient, shape(value))
            wanting.insert(value)
        }
    }

    func bindInput(_ value: Int) {
        let view = temporary(shape(value))
        views[value] = view
        // Filled before the first kernel runs: its memory must be its own from the start.
        emit([view]) { _, _ in }
    }

    func isStable(_ value: Int) -> Bool { stable.contains(value) }

    /// Where an operation writes its result.
    func output(_ node: PlanNode) -> View {
        let view = placements[node.output] ?? temporary(shape(node.output))
        views[node.output] = view
        return view
    }

    /// Lets the result of an operation be a view of memory that is already there.
    func alias(_ node: PlanNode, _ view: View) {
        views[node.output] = view
    }

    func place(_ value: Int, _ view: View) { placements[value] = view }
    func placement(_ value: Int) -> View? { placements[value] }

    // Memory

    private func newBuffer(_ kind: Program.Buffer.Kind, _ count: Int) -> Int {
        program.buffers.append(Program.Buffer(kind: kind, count: max(count, 1)))
        return program.buffers.count - 1
    }

    private func external(_ pointer: UnsafeMutablePointer<Float>, _ shape: [Int]) -> View {
        let buffer = newBuffer(.external(pointer), shape.reduce(1, *))
        return View(buffer: buffer, shape: shape, strides: View.strides(rowMajor: shape))
    }

    /// New memory for the duration of its use.
    func temporary(_ shape: [Int], rowMajor: Bool = false) -> View {
        let strides = rowMajor ? View.strides(rowMajor: shape) : View.strides(canonical: shape)
        return View(buffer: newBuffer(.temporary, shape.reduce(1, *)), shape: shape, strides: strides)
    }

    /// Memory that keeps its content between steps.
    func persistent(_ count: Int) -> View {
        View(buffer: newBuffer(.persistent, count), shape: [count], strides: [1])
    }

    /// Memory that the forward pass of a node leaves for its backward pass; the same for the same slot.
    func saved(_ node: PlanNode, _ slot: Int, count: Int) -> View {
        let key = [node.output, slot]
        if let view = savedViews[key] { return view }
        let view = temporary([count])
        savedViews[key] = view
        return view
    }

    func needWorkspace(_ bytes: Int) {
        program.workspaceBytes = max(program.workspaceBytes, bytes)
    }

    /// The scratch memory shared by all kernels, aligned to 64 bytes.
    static func workspace(_ memory: Memory) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(memory.bases[-1])
    }

    // Kernels

    /// The plan of a reduction, and scratch memory for it.
    func reduction(of input: View, into output: View) -> ReductionPlan {
        let plan = ReductionPlan(input: input, output: output)
        needWorkspace(plan.workspaceBytes)
        return plan
    }

    func emit(
        _ touched: [View?], result: View? = nil, part: String = "", operations: Double = 0,
        _ run: @escaping (Memory, ThreadPool) -> Void
    ) {
        let step = Program.Step(
            buffers: touched.compactMap { $0?.buffer }, node: current, result: result, part: part,
            operations: operations, run: run)
        switch phase {
        case .forward: program.forward.append(step)
        case .backward: program.backward.append(step)
        case .completion: program.completion.append(step)
        }
    }

    /// Keeps the memory of a value until the end of the step.
    func keep(_ view: View) {
        emitCompletion([view]) { _, _ in }
    }

    /// A kernel that runs only when parameters have changed since the last run.
    func emitPreparation(_ touched: [View], _ run: @escaping (Memory, ThreadPool) -> Void) {
        program.preparation.append(
            Program.Step(buffers: touched.map(\.buffer), node: current, result: nil, run: run))
    }

    /// A kernel that runs after a successful step.
    func emitCompletion(_ touched: [View], _ run: @escaping (Memory, ThreadPool) -> Void) {
        let before = phase
        phase = .completion
        emit(touched, run)
        phase = before
    }

    /// Says that the last kernel of the forward pass completes a value.
    func markResult(_ view: View) {
        guard phase == .forward, let last = program.forward.indices.last else { return }
        program.forward[last].result = view
    }

    func copy(_ source: View, to target: View) {
        guard source != target else { return }
        let plan = Nest([target, source]).plan
        emit([source, target]) { memory, pool in Elementwise.copy(plan, memory[target], memory[source], pool) }
    }

    func add(_ source: View, to target: View) {
        let plan = Nest([target, source]).plan
        emit([source, target]) { memory, pool in Elementwise.accumulate(plan, memory[target], memory[source], pool) }
    }

    func fill(_ target: View, _ value: Float) {
        let plan = Nest([target]).plan
        emit([target]) { memory, pool in Elementwise.fill(plan, memory[target], value, pool) }
    }

    /// The same elements as channels-last images; a copy when they lie otherwise.
    func pixels(_ view: View) -> (view: View, stride: Int) {
        if let stride = view.pixelStride { return (view, stride) }
        let target = temporary(view.shape)
        copy(view, to: target)
        return (target, view.shape[1])
    }

    /// The same elements in row-major order; a copy when they lie otherwise.
    func rowMajor(_ view: View) -> View {
        if view.isRowMajor { return view }
        let target = temporary(view.shape, rowMajor: true)
        copy(view, to: target)
        return target
    }

    // Gradients

    /// Whether the loss depends on a value through which gradients flow.
    func wants(_ value: Int?) -> Bool {
        guard let value else { return false }
        return wanting.contains(value)
    }

    func setWanting(_ value: Int) { wanting.insert(value) }

    func gradient(_ value: Int) -> GradientSlot? { gradients[value] }

    /// The memory outside the program that the gradient of a parameter goes to.
    func parameterGradient(_ value: Int) -> View? { parameterGradients[value] }

    /// The parameters that received a gradient.
    var reached: Set<Int> { Set(parameterGradients.keys.filter { gradients[$0] != nil }) }

    func beginBackward() { phase = .backward }
    func begin(node: Int?) { current = node }

    /// The gradient of the loss with respect to itself.
    func seed(_ loss: Int) {
        let view = temporary(shape(loss))
        fill(view, 1)
        gradients[loss] = GradientSlot(view: view, owned: true)
    }

    /// Emits a contribution by a kernel that overwrites its target.
    func overwrite(
        _ value: Int, rowMajor: Bool = false, inPlaceOf offer: GradientSlot? = nil, _ body: (View) -> Void
    ) {
        guard wants(value) else { return }
        guard gradients[value] != nil else {
            let target = reusable(offer, for: value) ?? newGradient(value, rowMajor: rowMajor)
            body(target)
            gradients[value] = GradientSlot(view: target, owned: true)
            return
        }
        let part = temporary(shape(value), rowMajor: rowMajor)
        body(part)
        add(part, to: own(value))
    }

    /// Emits a contribution by a kernel that can add to its target; the flag says whether it must.
    /// `inPlaceOf` offers memory that the kernel may overwrite while it reads it.
    func accumulate(_ value: Int, inPlaceOf offer: GradientSlot? = nil, _ body: (View, Bool) -> Void) {
        guard wants(value) else { return }
        guard gradients[value] == nil else { return body(own(value), true) }
        let target = reusable(offer, for: value) ?? newGradient(value, rowMajor: false)
        body(target, false)
        gradients[value] = GradientSlot(view: target, owned: true)
    }

    /// Contributes memory that is already filled. `owned` gives it away: nobody else reads or writes it later.
    func pass(_ view: View, to value: Int, owned: Bool) {
        guard wants(value) else { return }
        if gradients[value] != nil {
            add(view, to: own(value))
        } else if let target = parameterGradients[value] {
            copy(view, to: target)
            gradients[value] = GradientSlot(view: target, owned: true)
        } else {
            gradients[value] = GradientSlot(view: view, owned: owned)
        }
    }

    /// Contributes to a part of a value; `part` maps the gradient of the value to that of the part.
    func passPart(_ view: View, of value: Int, _ part: (View) -> View) {
        guard wants(value) else { return }
        if gradients[value] != nil {
            add(view, to: part(own(value)))
        } else {
            let target = newGradient(value, rowMajor: false)
            fill(target, 0)
            copy(view, to: part(target))
            gradients[value] = GradientSlot(view: target, owned: true)
        }
    }

    /// Contributes a gradient of a broadcast shape, summed over the axes along which the value was repeated.
    func passSummed(_ view: View, to value: Int, owned: Bool) {
        guard wants(value) else { return }
        if view.shape == shape(value) { return pass(view, to: value, owned: owned) }
        accumulate(value) { target, adds in
            let reduction = reduction(of: view, into: target.broadcast(to: view.shape))
            emit([view, target]) { memory, pool in
                reduction.run(Sum(), memory, view, target, scale: 1, adds: adds, pool)
            }
        }
    }

    private func reusable(_ offer: GradientSlot?, for value: Int) -> View? {
        guard let offer, offer.owned, parameterGradients[value] == nil, offer.view.shape == shape(value) else {
            return nil
        }
        return offer.view
    }

    private func newGradient(_ value: Int, rowMajor: Bool) -> View {
        parameterGradients[value] ?? temporary(shape(value), rowMajor: rowMajor)
    }

    /// The gradient of a value in memory that may be written.
    private func own(_ value: Int) -> View {
        guard let slot = gradients[value] else { return view(value) }
        if slot.owned { return slot.view }
        let target = temporary(slot.view.shape)
        copy(slot.view, to: target)
        gradients[value] = GradientSlot(view: target, owned: true)
        return target
    }
}
