/// What went wrong in one check run, in the terms of the error report.
public struct ErrorReport: Sendable, Hashable, Codable {
    /// The innermost place inside the *generated* files.
    public struct Frame: Sendable, Hashable, Codable {
        public var file: String
        public var line: Int
        public var function: String?

        public init(file: String, line: Int, function: String? = nil) {
            self.file = file
            self.line = line
            self.function = function
        }
    }

    /// What a reader understands without knowing Python.
    public enum Subcategory: String, Sendable, Hashable, Codable, CaseIterable {
        case missingImport = "missing import"
        case shapeMismatch = "shape mismatch"
        case dtype
        case device
        case filePath = "file path"
        case dataHandling = "data handling"
        case apiMisuse = "API misuse"
        case excelOutput = "Excel output"
        case syntax
        /// A name that is declared nowhere (a compiler's complaint; Python's is `NameError`).
        case unknownName = "unknown name"
        case typeMismatch = "type mismatch"
        /// An error that may be thrown and is neither marked nor handled.
        case errorHandling = "error handling"
        /// A constant that is changed, a value that is used before it is set, a declaration made twice.
        case declaration
        /// Nothing where a value was expected.
        case missingValue = "missing value"
        case resources
        case contract
        case extraction
        case other
    }

    /// `SyntaxError`, `RuntimeError`, ..., `Timeout`, `Killed`, `ContractViolation`, `ExtractionError`.
    public var errorClass: String
    public var subcategory: Subcategory
    public var message: String
    public var frame: Frame?
    /// Class, normalised message and frame: the same error has the same signature from run to run.
    public var signature: String

    public init(
        errorClass: String, subcategory: Subcategory, message: String, frame: Frame?, signature: String
    ) {
        self.errorClass = errorClass
        self.subcategory = subcategory
        self.message = message
        self.frame = frame
        self.signature = signature
    }

    enum CodingKeys: String, CodingKey {
        case errorClass = "class"
        case subcategory, message, frame, signature
    }
}
