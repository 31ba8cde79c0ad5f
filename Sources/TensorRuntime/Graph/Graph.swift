import Foundation

/// A computation captured from a pipeline: values in single assignment, and the nodes that compute them.
///
/// ```swift
/// let graph = try Graph(contentsOf: url)
/// let session = try GraphSession(train: graph, evaluation: nil, tensors: weights)
/// ```
///
/// The format is described in `Documentation/GraphFormat.md`. A graph that was read is sound: values are defined once and before
/// use, operations are known, sizes are bounded. Whether shapes fit is checked when it is compiled for a batch size.
public struct Graph: Sendable, Equatable, Codable {
    /// What a graph computes.
    public enum Kind: String, Sendable, Codable {
        /// From a batch to the scalar loss.
        case train
        /// From a batch of images to probabilities.
        case evaluation = "eval"
    }

    /// A value: its number, shape and type.
    public struct Value: Sendable, Equatable, Codable {
        /// Names the value within its graph.
        public var id: Int
        /// The size along each axis.
        public var shape: [Dimension]
        /// `float32`, `float64`, `int64` or `bool`; the runtime computes in 32-bit floats.
        public var dtype: String

        /// A value that something defines.
        public init(id: Int, shape: [Dimension], dtype: String = "float32") {
            self.id = id
            self.shape = shape
            self.dtype = dtype
        }
    }

    /// A value with a name: an input, parameter, buffer or constant.
    public struct Binding: Sendable, Equatable, Codable {
        /// The value that is bound.
        public var value: Int
        /// What it is bound to.
        public var name: String

        /// A value under a name.
        public init(value: Int, name: String) {
            self.value = value
            self.name = name
        }
    }

    /// One operation.
    public struct Node: Sendable, Equatable {
        /// The name in the table of operations.
        public var op: String
        /// Operands by value; nil for an absent one.
        public var inputs: [Int?]
        /// The values that the node defines.
        public var outputs: [Int]
        /// Settings of the operation.
        public var attributes: [String: AttributeValue]
        /// The innermost line of the generated files, `file:line`.
        public var source: String?
        /// The qualified name of the innermost module.
        public var module: String?

        /// A use of an operation.
        public init(
            op: String, inputs: [Int?], outputs: [Int], attributes: [String: AttributeValue] = [:],
            source: String? = nil, module: String? = nil
        ) {
            self.op = op
            self.inputs = inputs
            self.outputs = outputs
            self.attributes = attributes
            self.source = source
            self.module = module
        }

        /// Where the node came from, for error messages.
        public var location: String {
            [module, source].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ", ")
        }
    }

    /// Training or evaluation.
    public var kind: Kind
    /// The batch size that was captured.
    public var batch: Int
    /// Everything that is computed or given.
    public var values: [Value]
    /// What a batch gives.
    public var inputs: [Binding]
    /// What training moves.
    public var parameters: [Binding]
    /// Running statistics.
    public var buffers: [Binding]
    /// What never changes.
    public var constants: [Binding]
    /// The operations, each after what it reads.
    public var nodes: [Node]
    /// What is asked for.
    public var outputs: GraphOutputs
    /// How a probability becomes a mask; only in evaluation graphs.
    public var threshold: Threshold?

    /// A graph from its parts; `validate()` says whether they go together.
    public init(
        kind: Kind, batch: Int, values: [Value], inputs: [Binding], parameters: [Binding], buffers: [Binding] = [],
        constants: [Binding] = [], nodes: [Node], outputs: GraphOutputs, threshold: Threshold? = nil
    ) {
        self.kind = kind
        self.batch = batch
        self.values = values
        self.inputs = inputs
        self.parameters = parameters
        self.buffers = buffers
        self.constants = constants
        self.nodes = nodes
        self.outputs = outputs
        self.threshold = threshold
    }

    /// Reads and validates a graph file (at most 64 MiB, no symbolic link).
    public init(contentsOf url: URL) throws {
        try self.init(json: PlainFile.map(url, maximumBytes: Limits.fileBytes))
    }

    /// Decodes and validates a graph.
    public init(json: Data) throws {
        guard json.count <= Limits.fileBytes else { throw RuntimeError.tooLarge("a graph file of \(json.count) bytes") }
        do {
            self = try JSONDecoder().decode(Graph.self, from: json)
        } catch let error as RuntimeError {
            throw error
        } catch let error as DecodingError {
            throw RuntimeError.malformedGraph(error.sentence)
        }
        try validate()
    }

    /// The JSON form, keys sorted.
    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    /// What a graph may ask for.
    enum Limits {
        static let fileBytes = 64 << 20
        static let values = 200_000
        static let batch = 65_536
        /// Elements of one value.
        static let elements = 1 << 30
    }
}

/// The values that a graph yields.
public struct GraphOutputs: Sendable, Equatable, Codable {
    /// The scalar loss of a train graph.
    public var loss: Int?
    /// The probability map of an evaluation graph.
    public var probability: Int?

    /// The values that are asked for.
    public init(loss: Int? = nil, probability: Int? = nil) {
        self.loss = loss
        self.probability = probability
    }
}

/// How a probability becomes a mask.
public struct Threshold: Sendable, Equatable, Codable {
    /// How a probability is held against the threshold.
    public enum Comparison: String, Sendable, Codable {
        case greater = "gt"
        case greaterOrEqual = "ge"
    }

    /// The probability at the border.
    public var value: Double
    /// Whether the border itself counts.
    public var comparison: Comparison

    /// A probability and what happens there.
    public init(value: Double, comparison: Comparison) {
        self.value = value
        self.comparison = comparison
    }

    /// Whether a probability counts as foreground.
    public func admits(_ probability: Float) -> Bool {
        comparison == .greater ? Double(probability) > value : Double(probability) >= value
    }
}

/// A size: fixed, or a multiple of the batch size.
public enum Dimension: Sendable, Equatable, Codable, ExpressibleByIntegerLiteral {
    case fixed(Int)
    case batch(Int)

    public init(integerLiteral value: Int) {
        self = .fixed(value)
    }

    /// The size at a batch size.
    public func size(batch: Int) -> Int {
        switch self {
        case .fixed(let size): return size
        case .batch(let multiple): return multiple * batch
        }
    }

    private enum Key: String, CodingKey {
        case batch
    }

    public init(from decoder: Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: Key.self) {
            let multiple = try keyed.decode(Int.self, forKey: .batch)
            guard multiple > 0, multiple <= Graph.Limits.elements else {
                throw RuntimeError.malformedGraph("a batch multiple of \(multiple)")
            }
            self = .batch(multiple)
        } else {
            self = .fixed(try decoder.singleValueContainer().decode(Int.self))
        }
    }

    public func encode(to encoder: Encoder) throws {
        switch self {
        case .fixed(let size):
            var container = encoder.singleValueContainer()
            try container.encode(size)
        case .batch(let multiple):
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(multiple, forKey: .batch)
        }
    }
}

extension DecodingError {
    /// What was wrong and where, in one line.
    var sentence: String {
        func path(_ context: Context) -> String {
            let keys = context.codingPath.map { key in
                key.intValue.map { "[\($0)]" } ?? key.stringValue
            }
            return keys.isEmpty ? "the top level" : keys.joined(separator: ".")
        }
        switch self {
        case .keyNotFound(let key, let context): return "\(key.stringValue) is missing at \(path(context))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return "\(path(context)): \(context.debugDescription)"
        @unknown default: return "it cannot be decoded"
        }
    }
}
