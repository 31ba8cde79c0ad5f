/// Which packages a Python environment holds: there is one environment a framework, so that a program of one target cannot import
/// what another is asked for.
public enum PythonStack: String, Sendable, Hashable, CaseIterable {
    /// Needed by everything.
    case pytorch
    /// TensorFlow with Keras 3, installed for those who ask for that target.
    case tensorflow

    /// The file at the project's root whose SHA-256 names the environment.
    public var requirements: String {
        switch self {
        case .pytorch: "requirements.txt"
        case .tensorflow: "requirements-tensorflow.txt"
        }
    }

    /// The variable that names an interpreter in place of the one that the scripts make.
    public var variable: String {
        switch self {
        case .pytorch: "LLMBENCH_PYTHON"
        case .tensorflow: "LLMBENCH_TENSORFLOW_PYTHON"
        }
    }

    /// The command that makes the environment.
    public var remedy: String {
        switch self {
        case .pytorch: "scripts/setup"
        case .tensorflow: "scripts/setup --tensorflow"
        }
    }

    /// Its folder below the cache of the user.
    var folder: String {
        switch self {
        case .pytorch: "python"
        case .tensorflow: "tensorflow"
        }
    }

    /// What every pipeline may import, by the names it imports them.
    public var modules: [String] {
        let own =
            switch self {
            case .pytorch: ["torch", "torchvision", "torchinfo"]
            case .tensorflow: ["tensorflow", "keras"]
            }
        return own + [
            "numpy", "pandas", "openpyxl", "matplotlib", "sklearn", "skimage", "cv2", "albumentations", "scipy", "PIL",
            "tqdm",
        ]
    }
}
