import Foundation

/// What the system says about a failure, without what Foundation wraps around it.
public enum SystemReason {
    /// The words for the error number below an error of Foundation, or Foundation's own; nil for an error that is none of the system's.
    public static func of(_ error: any Error) -> String? {
        let error = error as NSError
        if error.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(truncatingIfNeeded: error.code)))
        }
        // Those of files; others of that domain are about what a file holds.
        guard error.domain == NSCocoaErrorDomain, (0..<1024).contains(error.code) else { return nil }
        if let below = error.userInfo[NSUnderlyingErrorKey] as? any Error, let reason = of(below) { return reason }
        return error.localizedDescription
    }
}
