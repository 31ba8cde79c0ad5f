import Datasets
import Files
import Foundation

/// Why a pipeline could not be captured at all, or what the capture left cannot be believed. A pipeline that merely cannot be held
/// by the graph format is no error: its description says so in `refusals`.
public enum CaptureError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The Python helper is not among the package's resources.
    case helperMissing
    /// The run ended before the helper could write its record.
    case noRecord(reason: String)
    /// A file of the record is not what it should be.
    case badRecord(file: String, reason: String)
    /// The host could not read or write its own files.
    case unwritable(WriteFailure)
    /// The U-Net of a file could not be found, made or run.
    case notDescribed(file: String, reason: String)

    public var description: String {
        switch self {
        case .helperMissing:
            "the Python helper is missing beside the executable: build the package again"
        case .noRecord(let reason):
            "the pipeline could not be captured: \(reason)"
        case .badRecord(let file, let reason):
            "the capture's \(file) cannot be used: \(reason)"
        case .unwritable(let failure): failure.description
        case .notDescribed(let file, let reason):
            "\(file): \(reason)"
        }
    }
}
