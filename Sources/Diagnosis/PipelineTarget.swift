import Sandbox

/// What generated code is written in: its files, and what they leave behind.
public enum PipelineTarget: String, Sendable, Hashable, Codable, CaseIterable {
    case pytorch
    /// TensorFlow with Keras 3.
    case tensorflow
    /// `TensorRuntime` and `PipelineKit`.
    case swift

    /// The files of a pipeline, in the order in which the prompt names them.
    public var files: [String] {
        switch self {
        case .pytorch, .tensorflow: ["dataset.py", "model.py", "train.py", "main.py"]
        case .swift: ["Dataset.swift", "Model.swift", "Train.swift", "main.swift"]
        }
    }

    /// The trained model as it is saved.
    public var models: [String] {
        switch self {
        case .pytorch: ["unet_model.pth", "unet_state_dict.pth"]
        case .tensorflow: ["unet_model.keras", "unet_model.weights.h5"]
        case .swift: ["model.safetensors"]
        }
    }

    /// The Python environment of its programs; nil where they are not written in Python.
    public var pythonStack: PythonStack? {
        switch self {
        case .pytorch: .pytorch
        case .tensorflow: .tensorflow
        case .swift: nil
        }
    }

    /// Whether a training step can be recorded and trained by another engine; otherwise a pipeline is measured by running it.
    public var isCaptured: Bool { self != .swift }

    /// "pytorch, tensorflow or swift"
    public static var list: String {
        let names = allCases.map(\.rawValue)
        return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    }

    /// The target whose programs run in an environment.
    public init(_ stack: PythonStack) {
        switch stack {
        case .pytorch: self = .pytorch
        case .tensorflow: self = .tensorflow
        }
    }
}
