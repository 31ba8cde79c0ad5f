import Foundation
import Hashing

/// What a training of ours came to, kept between runs of the comparison with nnunetv2, which takes hours.
///
/// It is found again under a digest of what it depends on: every source of `NNUNet` and `TensorRuntime`, what it was trained
/// on and scored by (images, masks and nnunetv2's plan), and the setting. The number of threads is not among it, but stands in the file.
struct KeptTraining: Codable {
    /// Dice of each held-out image, before postprocessing and after.
    var dice: [Double]
    var postprocessed: [Double]
    /// Wall seconds of an iteration, its patches included.
    var step: Double
    /// By epoch.
    var losses: [Double]
    var threads: Int

    /// The training that `file` holds, or what `make` gives, which is then kept there. `file` nil keeps nothing.
    static func find(_ file: URL?, _ make: () throws -> KeptTraining) throws -> KeptTraining {
        if let file, let data = try? Data(contentsOf: file) {
            return try JSONDecoder().decode(KeptTraining.self, from: data)
        }
        let made = try make()
        if let file {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(made).write(to: file, options: .atomic)
        }
        return made
    }

    /// The file in the folder `LLMBENCH_AGREEMENT_KEPT`; nil where it is not set.
    static func file(dataset: String, reference: Data, setting: String) throws -> URL? {
        guard let folder = ProcessInfo.processInfo.environment["LLMBENCH_AGREEMENT_KEPT"], !folder.isEmpty else {
            return nil
        }
        let parts = try sources() + [SHA256.hexadecimal(reference), setting]
        let digest = SHA256.hexadecimal(Data(parts.joined(separator: "\n").utf8)).prefix(16)
        return URL(filePath: folder).appending(path: "\(dataset)-ours-\(digest).json")
    }

    private static func sources() throws -> [String] {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        return try ["NNUNet", "TensorRuntime"].flatMap { target in
            let folder = package.appending(path: target)
            let names = (FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? [])
                .filter { $0.hasSuffix(".swift") }.sorted()
            return try names.map { "\($0) \(SHA256.hexadecimal(try Data(contentsOf: folder.appending(path: $0))))" }
        }
    }
}
