import Files
import Foundation
import Sandbox
import TensorRuntime

/// What architecture the U-Net of a Python file has, and whether our runtime agrees with its framework on it: PyTorch, or TensorFlow where
/// the runner's environment is that of Keras. The file runs in the sandbox.
public struct UNetExamination: Sendable {
    public var runner: any SandboxRunner
    public var interpreter: String
    public var helper: URL
    public var limits: SandboxLimits

    /// - Throws: `CaptureError.helperMissing`.
    public init(
        runner: any SandboxRunner, interpreter: String, helper: URL? = nil,
        limits: SandboxLimits = SandboxLimits(wallSeconds: 300, cpuSeconds: 600, memoryBytes: 16 << 30)
    ) throws(CaptureError) {
        guard let helper = helper ?? HelperFiles.url else { throw .helperMissing }
        self.runner = runner
        self.interpreter = interpreter
        self.helper = helper
        self.limits = limits
    }

    /// The facts of an architecture, by the names that scripts rely on.
    public struct Description: Sendable, Hashable, Codable {
        /// Of a Keras model, of the function or class that makes it.
        public var className: String
        /// The call that worked.
        public var constructor: String
        public var inputChannels: Int
        public var trainableParameters: Int
        public var encoderStages: Int
        public var decoderStages: Int
        public var encoderChannels: [Int?]
        public var decoderChannels: [Int?]
        public var bottleneckChannels: Int?
        public var convBlock: String
        public var normalization: String
        public var upsampling: String
        public var skip: String
        public var finalLayer: String
        public var outputActivation: String

        enum CodingKeys: String, CodingKey {
            case constructor, normalization, upsampling, skip
            case className = "class"
            case inputChannels = "input_channels"
            case trainableParameters = "trainable_parameters"
            case encoderStages = "encoder_stages"
            case decoderStages = "decoder_stages"
            case encoderChannels = "encoder_channels"
            case decoderChannels = "decoder_channels"
            case bottleneckChannels = "bottleneck_channels"
            case convBlock = "conv_block"
            case finalLayer = "final_layer"
            case outputActivation = "output_activation"
        }
    }

    /// How far our runtime is from the model's framework: max|a − b| / max|b|.
    public struct Agreement: Sendable, Hashable, Codable {
        public var className: String
        /// Of the raw output in evaluation mode.
        public var forwardError: Double
        /// The largest over the parameters of max|a − b| / max|b|. A parameter whose true gradient vanishes (a bias before batch
        /// norm) has rounding noise alone, so max|b| counts as at least a thousandth of the largest gradient of the model.
        public var gradientError: Double
        /// The parameter with that error.
        public var worstGradient: String?
        /// Both errors are below 10⁻³.
        public var agrees: Bool

        enum CodingKeys: String, CodingKey {
            case agrees
            case className = "class"
            case forwardError = "forward_error"
            case gradientError = "gradient_error"
            case worstGradient = "worst_gradient"
        }
    }

    public static let tolerance = 1e-3

    /// The framework that a file imports: PyTorch where it imports both, or neither.
    public static func framework(of source: String) -> PythonStack {
        var found: Set<Substring> = []
        for line in source.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: { " \t,".contains($0) })
            guard let first = words.first, first == "import" || first == "from" else { continue }
            let named = first == "from" ? words.dropFirst().prefix(1) : words.dropFirst()
            found.formUnion(named.compactMap { $0.split(separator: ".").first })
        }
        return !found.contains("torch") && !found.isDisjoint(with: ["tensorflow", "keras"]) ? .tensorflow : .pytorch
    }

    /// Describes the U-Net of a file.
    ///
    /// - Throws: `CaptureError.notDescribed` when none is found or it does not run, `SandboxError`.
    public func describe(_ file: URL, className: String? = nil) async throws -> Description {
        try await withRecord(of: file, mode: "describe", className: className) { record in
            try Self.description(file, record)
        }
    }

    /// Computes one training step and one prediction with our runtime and compares them with the framework's.
    ///
    /// - Throws: `CaptureError`, `RuntimeError` for an operation that the runtime lacks, `SandboxError`.
    public func verify(
        _ file: URL, className: String? = nil, options: RuntimeOptions = RuntimeOptions()
    ) async throws -> Agreement {
        try await withRecord(of: file, mode: "verify", className: className) { record in
            let description = try Self.description(file, record)
            let weights = try Self.tensors("weights.safetensors", record)
            let reference = try Self.tensors("reference.safetensors", record)
            let session = try GraphSession(
                train: Self.graph("train-graph.json", record), evaluation: Self.graph("eval-graph.json", record),
                tensors: weights, options: options)
            return try Self.compare(session, with: reference, name: description.className)
        }
    }

    static func compare(
        _ session: GraphSession, with reference: [String: Tensor], name: String
    ) throws -> Agreement {
        guard let image = reference["image"], let mask = reference["mask"], let output = reference["output"] else {
            throw CaptureError.badRecord(file: "reference.safetensors", reason: "image, mask or output is missing")
        }
        let forward = error(try session.predict(["image": image]).values, output.values, floor: 0)
        _ = try session.step(["image": image, "mask": mask])
        let gradients = reference.filter { $0.key.hasPrefix("gradient.") }
        let largest = gradients.values.map { Self.largest($0.values) }.max() ?? 0
        var (worst, worstName): (Double, String?) = (0, nil)
        for (key, expected) in gradients.sorted(by: { $0.key < $1.key }) {
            let parameter = String(key.dropFirst("gradient.".count))
            let found =
                try session.parameters.gradient(parameter)?.values ?? [Float](repeating: 0, count: expected.count)
            let difference = error(found, expected.values, floor: largest * 1e-3)
            if !(difference <= worst) { (worst, worstName) = (difference, parameter) }
        }
        return Agreement(
            className: name, forwardError: forward, gradientError: worst, worstGradient: worstName,
            agrees: forward < tolerance && worst < tolerance && !gradients.isEmpty)
    }

    private static func largest(_ values: [Float]) -> Double {
        values.reduce(0) { max($0, Double(abs($1))) }
    }

    /// max|a − b| / max(max|b|, floor); infinite where the counts differ or a difference is not finite.
    private static func error(_ a: [Float], _ b: [Float], floor: Double) -> Double {
        guard a.count == b.count else { return .infinity }
        var difference = 0.0
        for (x, y) in zip(a, b) {
            let d = Double(abs(x - y))
            guard d.isFinite else { return .infinity }
            difference = max(difference, d)
        }
        let scale = max(largest(b), floor)
        return scale > 0 ? difference / scale : (difference == 0 ? 0 : .infinity)
    }

    private static func description(_ file: URL, _ record: RecordFolder) throws -> Description {
        guard let json = try record.read("describe.json", maximumBytes: 1 << 20) else {
            throw CaptureError.notDescribed(file: file.lastPathComponent, reason: "the run left no description")
        }
        struct Failure: Decodable { var error: String }
        if let failure = try? JSONDecoder().decode(Failure.self, from: json) {
            throw CaptureError.notDescribed(
                file: file.lastPathComponent, reason: printable(String(failure.error.prefix(2000))))
        }
        do {
            return try JSONDecoder().decode(Description.self, from: json)
        } catch {
            throw CaptureError.badRecord(file: "describe.json", reason: "it is not of the expected form")
        }
    }

    private static func graph(_ name: String, _ record: RecordFolder) throws -> Graph {
        guard let json = try record.read(name, maximumBytes: 64 << 20) else {
            throw CaptureError.badRecord(file: name, reason: "it is missing")
        }
        return try Graph(json: json)
    }

    private static func tensors(_ name: String, _ record: RecordFolder) throws -> [String: Tensor] {
        guard let content = try record.read(name, maximumBytes: 4 << 30) else {
            throw CaptureError.badRecord(file: name, reason: "it is missing")
        }
        return try SafeTensors(data: content, name: name).tensors()
    }

    /// Runs the helper on a copy of the file alone, so that nothing beside it on the host is seen.
    private func withRecord<Value>(
        of file: URL, mode: String, className: String?, body: (RecordFolder) throws -> Value
    ) async throws -> Value {
        let scratch = FileManager.default.temporaryDirectory.appending(
            path: "llmbench-unet-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let code = scratch.appending(path: "code", directoryHint: .isDirectory)
        let out = scratch.appending(path: "out", directoryHint: .isDirectory)
        try HostFile.makeFolder(out)
        guard let source = try? Data(contentsOf: file), source.count <= 16 << 20 else {
            throw CaptureError.notDescribed(
                file: file.lastPathComponent, reason: "it cannot be read, or is larger than 16 MiB")
        }
        try HostFile.write(source, to: code.appending(path: "model.py"))
        let errors = scratch.appending(path: "stderr")
        let request = SandboxRequest(
            command: [interpreter, "-B", "/helper/run.py", mode, "--record", "/out/.llmbench"]
                + (className.map { ["--class", $0] } ?? []) + ["--", "/code/model.py"],
            mounts: [
                .init(host: code, inside: "/code"), .init(host: helper, inside: "/helper"),
                .init(host: out, inside: "/out", writable: true),
            ],
            environment: ["PYTHONHASHSEED": "0"], limits: limits,
            standardOutput: scratch.appending(path: "stdout"), standardError: errors)
        let outcome = try await runner.run(request)
        if case .limit(let limit) = outcome.termination {
            throw CaptureError.notDescribed(
                file: file.lastPathComponent, reason: "it passed the limit of \(limit.rawValue) and was ended")
        }
        return try body(RecordFolder(out: out))
    }
}
