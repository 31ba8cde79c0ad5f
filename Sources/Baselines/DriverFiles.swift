import Foundation

/// Where the Python driver of nnU-Net lies.
enum DriverFiles {
    /// The folder with `run.py` and `trainer/`; nil where the package's resources are missing.
    ///
    /// A built product finds it among the resources of its bundle, which lie beside the executable.
    static var url: URL? {
        let candidates = [
            Bundle.module.resourceURL?.appending(path: "Driver", directoryHint: .isDirectory),
            Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
                .appending(path: "llmbench_Baselines.resources/Driver", directoryHint: .isDirectory),
        ]
        return candidates.compactMap { $0 }.first {
            FileManager.default.isReadableFile(atPath: $0.appending(path: "run.py").path(percentEncoded: false))
        }
    }
}
