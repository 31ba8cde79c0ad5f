import Foundation

/// What the system says about a failure, without what Foundation wraps around it.
public enum SystemReason {
    /// The words for the error number below an error of Foundation, or Foundation's own; nil for an error that is none of the system's.
    public static func of(_ error: any Error) -> String? {
        if let code = code(error) { return String(cString: strerror(code)) }
        return isOfFiles(error as NSError) ? error.localizedDescription : nil
    }

    /// The error number (`errno`) that an error of Foundation stands for; nil where it has none.
    public static func code(_ error: any Error) -> Int32? {
        let error = error as NSError
        if error.domain == NSPOSIXErrorDomain { return Int32(truncatingIfNeeded: error.code) }
        guard isOfFiles(error), let below = error.userInfo[NSUnderlyingErrorKey] as? any Error else { return nil }
        return code(below)
    }

    /// Others of that domain are about what a file holds.
    private static func isOfFiles(_ error: NSError) -> Bool {
        error.domain == NSCocoaErrorDomain && (0..<1024).contains(error.code)
    }
}
