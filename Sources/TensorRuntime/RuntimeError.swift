/// What can go wrong at the public surface of the runtime; each case reads as one sentence.
public enum RuntimeError: Error, Equatable, CustomStringConvertible {
    /// A tensor's values and its shape do not go together, or a dimension is negative or overflows.
    case invalidShape(String)
    /// A `.safetensors` file breaks its own format, or asks for more memory than allowed.
    case invalidSafeTensors(file: String, reason: String)
    /// A file could not be read or written.
    case file(path: String, reason: String)
    /// A graph file is not JSON of the expected form, or contradicts itself.
    case malformedGraph(String)
    /// The graph names an operation that the runtime does not have.
    case unknownOperation(name: String, location: String)
    /// An operation is known but its attributes or operands are not supported or do not fit.
    case invalidOperation(name: String, location: String, reason: String)
    /// The shape that the graph declares for a value is not the one that the operation yields.
    case shapeMismatch(name: String, location: String, declared: [Int], computed: [Int])
    /// Something asks for more memory, values or nodes than the runtime is willing to handle.
    case tooLarge(String)
    /// A plan takes more bytes than there are; `fitting` is the largest batch size that would fit, 0 where none does, nil where
    /// none was sought.
    case insufficientMemory(needed: Int, available: Int, batch: Int, fitting: Int?)
    /// An input, parameter, buffer or constant that the graph needs was not given.
    case missingTensor(String)
    /// A tensor that was given has another shape than the graph says.
    case tensorMismatch(name: String, expected: [Int], got: [Int])
    /// The loss or a gradient is not finite: training cannot go on.
    case notFinite(what: String, location: String)
    /// An optimizer, scheduler or clipping rule that cannot be carried out as asked.
    case invalidOptimizer(String)
    /// A checkpoint that does not belong to the thing it is loaded into.
    case invalidCheckpoint(String)

    /// One sentence, ready to be shown.
    public var description: String {
        switch self {
        case .invalidShape(let reason): return reason
        case .invalidSafeTensors(let file, let reason): return "\(file) is not a usable safetensors file: \(reason)"
        case .file(let path, let reason): return "cannot access \(path): \(reason)"
        case .malformedGraph(let reason): return "the graph is malformed: \(reason)"
        case .unknownOperation(let name, let location):
            return "the runtime has no operation \(name)\(at(location)); train this pipeline with the emitted engine"
        case .invalidOperation(let name, let location, let reason): return "\(name)\(at(location)): \(reason)"
        case .shapeMismatch(let name, let location, let declared, let computed):
            return "\(name)\(at(location)) yields shape \(computed), but the graph declares \(declared)"
        case .tooLarge(let reason): return "refused as too large: \(reason)"
        case .insufficientMemory(let needed, let available, let batch, let fitting):
            let advice =
                switch fitting {
                case nil: "use a smaller batch"
                case 0?: "not even a batch of 1 fits; use a smaller network or a machine with more"
                case let size?: "use a batch of at most \(size)"
                }
            return "a batch of \(batch) needs \(MemoryRequirement.text(needed)) of memory and "
                + "\(MemoryRequirement.text(available)) are available: \(advice)"
        case .missingTensor(let name): return "no tensor was given for \(name)"
        case .tensorMismatch(let name, let expected, let got):
            return "the tensor \(name) has shape \(got) where \(expected) is needed"
        case .notFinite(let what, let location): return "\(what) is not finite\(at(location))"
        case .invalidOptimizer(let reason): return "the optimizer cannot be set up: \(reason)"
        case .invalidCheckpoint(let reason): return "the checkpoint does not fit: \(reason)"
        }
    }

    private func at(_ location: String) -> String {
        location.isEmpty ? "" : " (\(location))"
    }
}
