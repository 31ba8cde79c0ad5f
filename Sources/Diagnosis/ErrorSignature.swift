import Foundation

/// What makes two errors the same: class, message and place, with everything taken out that changes from run to run.
enum ErrorSignature {
    /// The place counts as file and function without the line, which moves when anything above it is edited; a model that adds
    /// an import while the error stays has made the same error again.
    static func make(errorClass: String, message: String, frame: ErrorReport.Frame?) -> String {
        var place = ""
        if let frame { place = " @ " + frame.file + (frame.function.map { ":\($0)" } ?? "") }
        return "\(errorClass): \(normalised(message))\(place)"
    }

    /// Addresses, process numbers, temporary names, times and fractions become marks; whole numbers, and so shapes, stay.
    static func normalised(_ message: String) -> String {
        var text = String(message.prefix(1000))
        text = text.replacing(/\b0x[0-9a-fA-F]+/, with: "0x…")
        text = text.replacing(/[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}/, with: "…")
        text = text.replacing(/\b([Pp][Ii][Dd](?:\(s\))?:? ?)[0-9]+(?:, ?[0-9]+)*/) { "\($0.1)…" }
        text = text.replacing(/\/tmp\/[^\s'":,)]+/, with: "/tmp/…")
        // TensorFlow numbers the functions it makes.
        text = text.replacing(/__inference_([A-Za-z_]+?)_[0-9]+/) { "__inference_\($0.1)_…" }
        text = text.replacing(/worker process [0-9]+/, with: "worker process …")
        text = text.replacing(/\b[0-9]+:[0-9]{2}(?::[0-9]{2})?\b/, with: "…")
        text = text.replacing(/-?\b[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?|-?\b[0-9]+[eE][-+]?[0-9]+\b/, with: "#")
        text = text.replacing(/\s+/, with: " ")
        return String(text.prefix(400)).trimmingCharacters(in: .whitespaces)
    }
}
