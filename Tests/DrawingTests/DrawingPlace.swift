import Datasets
import Drawing
import Foundation
import ResultStore
import TestSupport

/// A workspace of its own: the checkout's prompts, a few cards, a dataset of bright blobs.
final class DrawingPlace: Sendable {
    let workspace: Workspace

    static let checkout = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// - Parameters:
    ///   - width: of the pictures, as their height; not square, so that bars are needed.
    ///   - channels: 3 for colour.
    init(width: Int = 48, height: Int = 32, count: Int = 12, channels: Int = 1) throws {
        let root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
            path: "llmbench-drawing-\(UUID().uuidString)", directoryHint: .isDirectory)
        workspace = Workspace(root: root)
        let files = FileManager.default
        try files.createDirectory(at: root.appending(path: "recordings"), withIntermediateDirectories: true)
        try files.createDirectory(at: workspace.datasets, withIntermediateDirectories: true)
        try files.copyItem(at: Self.checkout.appending(path: "prompts"), to: workspace.prompts)
        try Self.cards.write(to: workspace.models, atomically: true, encoding: .utf8)
        let source = root.appending(path: "source", directoryHint: .isDirectory)
        for part in ["images", "masks"] {
            try files.createDirectory(at: source.appending(path: part), withIntermediateDirectories: true)
        }
        for index in 0..<count {
            let name = index < 10 ? "p0\(index).png" : "p\(index).png"
            let (image, mask) = try Self.blob(index, width, height, channels)
            try PNG.write(image, to: source.appending(path: "images/\(name)"))
            try PNG.write(mask, to: source.appending(path: "masks/\(name)"))
        }
        _ = try DatasetPreparer(
            .init(name: "blobs", imageKind: "photographs of blobs", foreground: "the blob", heldOut: 0.25)
        ).prepare(source, into: DatasetCatalogue(root: workspace.datasets))
    }

    deinit {
        try? FileManager.default.removeItem(at: workspace.root)
    }

    private static let cards = """
        schema: 1
        models:
          - {id: seer, name: Seer, vendor: nobody, provider: openai, base_url: "http://127.0.0.1:9/v1", images: true, price: {input_per_million: 10, output_per_million: 100, date: "2026-01", source: a test}}
          - {id: unpriced, name: Unpriced, vendor: nobody, provider: openai, base_url: "http://127.0.0.1:9/v1", images: true, seed: false, temperature: false}
          - {id: blind, name: Blind, vendor: nobody, provider: openai, base_url: "http://127.0.0.1:9/v1"}
          - {id: taped, name: Taped, vendor: llmbench, provider: replay, recording: recordings/taped.jsonl, fixture: true, images: true}

        """

    /// A bright ellipse on a dim, uneven ground.
    static func blob(_ index: Int, _ width: Int, _ height: Int, _ channels: Int) throws -> (Image, Image) {
        var (pixels, mask): ([UInt8], [UInt8]) = ([], [])
        let (cx, cy) = (Double(width) * (0.35 + 0.02 * Double(index)), Double(height) * 0.5)
        for y in 0..<height {
            for x in 0..<width {
                let (dx, dy) = (
                    (Double(x) + 0.5 - cx) / Double(width) * 4, (Double(y) + 0.5 - cy) / Double(height) * 3.4
                )
                let isInside = dx * dx + dy * dy < 1
                mask.append(isInside ? 255 : 0)
                for channel in 0..<channels {
                    pixels.append(UInt8((isInside ? 180 : 40) + (x * 7 + y * 5 + channel * 11 + index) % 30))
                }
            }
        }
        return (
            try Image(width: width, height: height, channels: channels, bytes: pixels),
            try Image(width: width, height: height, channels: 1, bytes: mask)
        )
    }

    func session(
        _ drawer: String, _ settings: DrawingSettings = DrawingSettings(), server: LoopbackServer? = nil,
        study: String = "default", dataset: String = "blobs", record: URL? = nil
    ) throws -> DrawingSession {
        try DrawingSession(
            workspace: workspace, study: study, drawer: drawer, dataset: dataset, settings: settings,
            reach: .init(baseURL: server?.baseURL, record: record, retry: .init(maximumAttempts: 1)))
    }

    var heldOut: [String] {
        get throws { try DatasetCatalogue(root: workspace.datasets).load("blobs").split.heldOut }
    }

    /// What `taped` answers, by subject.
    func tape(_ replies: [(subject: String, reply: String)]) throws {
        let lines = try replies.map { item in
            try JSONSerialization.data(
                withJSONObject: ["schema": 1, "subject": item.subject, "reply": item.reply], options: [.sortedKeys])
        }
        try Data(lines.joined(separator: [0x0A])).write(to: workspace.root.appending(path: "recordings/taped.jsonl"))
    }
}

/// A server that answers every request with the text that a closure makes of it.
func answering(_ reply: @escaping @Sendable (LoopbackServer.Request) -> String) throws -> LoopbackServer {
    try LoopbackServer { request, connection in
        connection.beginEventStream()
        connection.delta(reply(request), finish: "stop")
        connection.usage(input: 400, output: 100)
        connection.done()
    }
}
