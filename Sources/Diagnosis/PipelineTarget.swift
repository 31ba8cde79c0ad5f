/// What generated code is written in: its files, and what they leave behind.
public enum PipelineTarget: String, Sendable, Hashable, Codable, CaseIterable {
    case pytorch
    /// `TensorRuntime` and `PipelineKit`.
    case swift

    /// The files of a pipeline, in the order in which the prompt names them.
    public var files: [String] {
        switch self {
        case .pytorch: ["dataset.py", "model.py", "train.py", "main.py"]
        case .swift: ["Dataset.swift", "Model.swift", "Train.swift", "main.swift"]
        }
    }

    /// The trained model as it is saved.
    public var models: [String] {
        switch self {
        case .pytorch: ["unet_model.pth", "unet_state_dict.pth"]
        case .swift: ["model.safetensors"]
        }
    }

    /// Whether a training step can be recorded and trained by another engine; otherwise a pipeline is measured by running it.
    public var isCaptured: Bool { self == .pytorch }

    /// "pytorch or swift"
    public static var list: String { allCases.map(\.rawValue).joined(separator: " or ") }
}
