/// Why a baseline was not made.
///
/// `isTrainingsFault` tells what the training itself came to (recorded as its result) from what the machine, the data or the user did:
/// then nothing is recorded, and the same command goes on or begins once it is mended.
public enum BaselineError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no interpreter, or it has no nnU-Net.
    case notInstalled(path: String, remedy: String)
    case wrongVersion(path: String, found: String)
    case driverMissing
    case tooFewImages(dataset: String, count: Int)
    case noHeldOut(dataset: String)
    case noForeground(dataset: String)
    /// `width` and `height` in pixels.
    case imageTooSmall(dataset: String, sample: String, width: Int, height: Int)
    /// nnU-Net planned a network without deep supervision: what is left after cropping is smaller than the images.
    case patchTooSmall(dataset: String, patch: [Int])
    /// `fitting` is the largest batch size that would fit, below 1 where none does. Bytes.
    case memory(dataset: String, needed: Int, available: Int, batch: Int, fitting: Int)
    case noDevice
    /// The engine swift has no GPU.
    case onlyCPU
    /// The engine swift counts epochs.
    case onlyEpochs
    /// The engine swift makes patches itself.
    case noWorkers
    /// The engine swift refuses what it was given; `reason` is a sentence.
    case unusable(reason: String)
    /// Another process works on the same baseline.
    case busy(path: String)
    case datasetChanged(dataset: String)
    /// A signal ended the process: the system's, for want of memory, or a person's.
    case killed(signal: Int32)
    /// The package failed in a way that is its own.
    case failed(reason: String, log: String)
    case notFinite(reason: String)
    case file(path: String, reason: String)

    public var isTrainingsFault: Bool {
        if case .notFinite = self { return true }
        return false
    }

    /// Whether the data or the plan rule the baseline out, so that nothing of it is kept.
    var isRefusal: Bool {
        switch self {
        case .tooFewImages, .noHeldOut, .noForeground, .imageTooSmall, .patchTooSmall, .memory, .noDevice, .onlyCPU,
            .onlyEpochs, .noWorkers, .unusable:
            true
        default: false
        }
    }

    public var description: String {
        switch self {
        case .notInstalled(let path, let remedy):
            "nnU-Net is not installed: \(path); \(remedy)"
        case .wrongVersion(let path, let found):
            "\(path) has nnunetv2 \(found), and baselines are made with \(NNUNetPython.version): "
                + "run scripts/setup, or install nnunetv2==\(NNUNetPython.version) there"
        case .driverMissing:
            "the driver of nnU-Net is missing beside the program: build llmbench again with `swift build`"
        case .tooFewImages(let dataset, let count):
            "\(dataset) has \(count) training images, and nnU-Net needs five or more to plan: add images, or use another dataset"
        case .noHeldOut(let dataset):
            "\(dataset) has no held-out images to score a baseline on: prepare it again with --held-out"
        case .noForeground(let dataset):
            "no training mask of \(dataset) has foreground, so there is nothing to learn: check the masks with "
                + "`llmbench datasets check`"
        case .imageTooSmall(let dataset, let sample, let width, let height):
            "the image \(sample) of \(dataset) has \(width)×\(height) pixels, and nnU-Net's smallest patch is "
                + "\(NNUNetData.smallestSide)×\(NNUNetData.smallestSide): use larger images"
        case .patchTooSmall(let dataset, let patch):
            "nnU-Net plans patches of \(patch.map(String.init).joined(separator: "×")) pixels for \(dataset), too small for its "
                + "network: use larger images, or images with less empty border"
        case .memory(let dataset, let needed, let available, let batch, let fitting):
            "nnU-Net on \(dataset) needs \(Self.gibibytes(needed)) of memory at its batch size of \(batch) and "
                + "\(Self.gibibytes(available)) are free: "
                + (fitting >= 2 ? "a batch of \(fitting) would fit (--batch-size \(fitting)); else " : "")
                + "close other programs or use a machine with more"
        case .noDevice:
            "--device cuda: PyTorch finds no CUDA device here; use --device cpu"
        case .onlyCPU:
            "--engine swift trains on the CPU: leave --device out, or use --engine nnunetv2"
        case .onlyEpochs:
            "--engine swift trains so many epochs: give --epochs in place of --minutes, or use --engine nnunetv2"
        case .noWorkers:
            "--engine swift makes its patches itself: leave --workers out, or use --engine nnunetv2"
        case .unusable(let reason):
            reason
        case .busy(let path):
            "another process works on \(path): wait for it"
        case .datasetChanged(let dataset):
            "\(dataset) has changed since this baseline was begun: start over with --again"
        case .killed(let signal):
            "nnU-Net was ended by signal \(signal)\(signal == 9 ? ", as the system does when memory runs out" : ""): "
                + "the same command goes on from the last checkpoint"
        case .failed(let reason, let log):
            "nnU-Net failed (\(reason)): see \(log); the same command tries again"
        case .notFinite(let reason):
            "nnU-Net's training came to nothing: \(reason)"
        case .file(let path, let reason):
            "\(path): \(reason)"
        }
    }

    private static func gibibytes(_ bytes: Int) -> String {
        let tenths = (bytes + 53_687_091) / 107_374_182
        return "\(tenths / 10).\(tenths % 10) GiB"
    }
}
