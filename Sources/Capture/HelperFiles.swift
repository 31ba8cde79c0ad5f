import Foundation

/// Where the Python helper lies on the host.
public enum HelperFiles {
    /// The folder with `run.py`, mounted read-only as `/helper`; nil where the package's resources are missing.
    ///
    /// A built product finds it among the resources of its bundle, which lie beside the executable.
    public static var url: URL? {
        let candidates = [
            Bundle.module.resourceURL?.appending(path: "Helper", directoryHint: .isDirectory),
            Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
                .appending(path: "llmbench_Capture.resources/Helper", directoryHint: .isDirectory),
        ]
        return candidates.compactMap { $0 }.first {
            FileManager.default.isReadableFile(atPath: $0.appending(path: "run.py").path(percentEncoded: false))
        }
    }
}
