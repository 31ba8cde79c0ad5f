import Foundation

/// A line of `events.jsonl`, which the driver writes.
enum NNUNetEvent: Sendable, Hashable {
    struct Epoch: Decodable, Sendable, Hashable {
        var epoch: Int
        var trainLoss: Double?
        var validationLoss: Double?
        var pseudoDice: Double?
        var learningRate: Double?
        var seconds: Double?
    }

    struct Versions: Decodable, Sendable, Hashable {
        var nnunetv2: String
        var torch: String
        var device: String
        var threads: Int
    }

    struct Plan: Decodable, Sendable, Hashable {
        var batchSize: Int
        var patch: [Int]
    }

    struct Predictions: Decodable, Sendable, Hashable {
        var cases: Int
        /// From file to file.
        var seconds: Double
        /// Of them, from preprocessed images to class scores; nil from an earlier driver.
        var networkSeconds: Double?
        var postprocessing: Bool
    }

    struct Refusal: Decodable, Sendable, Hashable {
        var kind: String
        var found: String?
        var patch: [Int]?
        var needed: Int?
        var available: Int?
        var batch: Int?
        var fitting: Int?
    }

    case stage(String)
    case versions(Versions)
    case plan(Plan)
    case epoch(Epoch)
    case predictions(Predictions)
    case refusal(Refusal)
    case failure(String)
    case done

    private struct Head: Decodable {
        var event: String
        var stage: String?
        var reason: String?
    }

    /// nil for a line that is none of these: what a killed process left half, or a later driver's.
    init?(line: Data) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        func body<Value: Decodable>(_ type: Value.Type) -> Value? { try? decoder.decode(type, from: line) }
        guard let head = body(Head.self) else { return nil }
        let found: NNUNetEvent? =
            switch head.event {
            case "stage": head.stage.map { .stage($0) }
            case "versions": body(Versions.self).map { .versions($0) }
            case "plan": body(Plan.self).map { .plan($0) }
            case "epoch": body(Epoch.self).flatMap { (1...1_000_000).contains($0.epoch) ? .epoch($0) : nil }
            case "predictions": body(Predictions.self).map { .predictions($0) }
            case "refusal": body(Refusal.self).map { .refusal($0) }
            case "failure": .failure(head.reason ?? "no reason given")
            case "done": .done
            default: nil
            }
        guard let found else { return nil }
        self = found
    }
}

/// Reads `events.jsonl` as it grows.
struct NNUNetEventReader {
    /// No line of the driver's is near it.
    static let longestLine = 64 << 10

    private let file: URL
    private var offset: UInt64 = 0
    private var pending = Data()

    init(_ file: URL) {
        self.file = file
    }

    /// What was added since the last call. A line that is not whole yet is kept for the next one.
    mutating func next() -> [NNUNetEvent] {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return [] }
        defer { try? handle.close() }
        guard (try? handle.seek(toOffset: offset)) != nil, let added = try? handle.readToEnd(), !added.isEmpty
        else { return [] }
        offset += UInt64(added.count)
        pending.append(added)
        var lines = pending.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Data($0) }
        pending = lines.popLast() ?? Data()
        if pending.count > Self.longestLine { pending = Data() }
        return lines.filter { $0.count <= Self.longestLine }.compactMap(NNUNetEvent.init(line:))
    }
}

/// How far a baseline is.
public struct BaselineProgress: Sendable, Hashable {
    /// fingerprint, plan, preprocess, train, validate, predict
    public var stage: String
    /// Counts from 1; nil outside of training.
    public var epoch: Int?
    /// nil where the time is the limit.
    public var epochs: Int?
    public var iteration: Int?
    public var iterations: Int?
    public var loss: Double?
    /// Of the time, where it is the limit; in [0, 1].
    public var share: Double?

    init(stage: String) {
        self.stage = stage
    }

    private struct File: Decodable {
        var epoch: Int
        var epochs: Int?
        var iteration: Int
        var iterations: Int
        var loss: Double?
        var share: Double?
    }

    /// `progress.json`; nil where there is none, or none that can be meant.
    init?(file: URL) {
        guard let data = try? Data(contentsOf: file), data.count < 4096,
            let found = try? JSONDecoder().decode(File.self, from: data)
        else { return nil }
        let countable = 1...10_000_000
        guard countable.contains(found.epoch), countable.contains(found.iterations),
            (1...found.iterations).contains(found.iteration), found.epochs.map(countable.contains) ?? true,
            found.share.map((0...1).contains) ?? true
        else { return nil }
        stage = "train"
        (epoch, epochs, iteration, iterations) = (found.epoch, found.epochs, found.iteration, found.iterations)
        (loss, share) = (found.loss, found.share)
    }
}
