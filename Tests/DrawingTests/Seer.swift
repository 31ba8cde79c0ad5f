import Datasets
import Drawing
import Foundation
import Polygons
import Synchronization
import TestSupport

extension LoopbackServer.Request {
    /// The decoded pictures of the last message.
    var pictures: [Image] {
        let object = (try? JSONSerialization.jsonObject(with: body)) as? [String: Any]
        let message = (object?["messages"] as? [[String: Any]])?.last
        return (message?["content"] as? [[String: Any]] ?? []).compactMap { part in
            guard let url = (part["image_url"] as? [String: Any])?["url"] as? String,
                let comma = url.firstIndex(of: ","),
                let file = Data(base64Encoded: String(url[url.index(after: comma)...]))
            else { return nil }
            return try? PNG.decode(Array(file)).image
        }
    }

    /// What the last message says.
    var text: String {
        let object = (try? JSONSerialization.jsonObject(with: body)) as? [String: Any]
        let parts = (object?["messages"] as? [[String: Any]])?.last?["content"] as? [[String: Any]]
        return parts?.compactMap { $0["text"] as? String }.joined() ?? ""
    }
}

/// A drawer with eyes: the box around the brightest thing of the picture it is sent, in its pixels, drawn on a coarse raster.
struct Seer {
    /// Pixels of the sent picture that its hand moves in.
    var grain = 1

    func answer(_ image: Image) -> String {
        let grey = image.grey().bytes
        let top = Int(grey.max() ?? 0)
        guard top > 120 else { return #"{"polygons": []}"# }
        var (left, right, upper, lower) = (Int.max, Int.min, Int.max, Int.min)
        for (index, value) in grey.enumerated() where Int(value) > top - 25 {
            let (x, y) = (index % image.width, index / image.width)
            (left, right, upper, lower) = (min(left, x), max(right, x + 1), min(upper, y), max(lower, y + 1))
        }
        func down(_ value: Int) -> Int { value / grain * grain }
        func up(_ value: Int) -> Int { min((value + grain - 1) / grain * grain, image.width) }
        let (l, t, r, b) = (down(left), down(upper), up(right), up(lower))
        return #"{"polygons": [[[\#(l), \#(t)], [\#(r), \#(t)], [\#(r), \#(b)], [\#(l), \#(b)]]]}"#
    }

    func server() throws -> LoopbackServer {
        try answering { request in request.pictures.first.map(answer) ?? "I see no picture." }
    }
}

extension DrawingPlace {
    /// Pictures of 160 × 120 pixels with a bright rectangle of 12 × 10.
    ///
    /// - Parameters:
    ///   - groupBy: tells which pictures are of one volume.
    ///   - place: of the rectangle, by the picture's number.
    ///   - decoy: pictures with something brighter and larger in the corner.
    func addSpecks(
        _ name: String, ids: [String], heldOut: Double, groupBy: String? = nil, decoy: Set<String> = [],
        place: (Int) -> (x: Int, y: Int)
    ) throws -> Dataset {
        let source = workspace.root.appending(path: "source-\(name)", directoryHint: .isDirectory)
        for part in ["images", "masks"] {
            try FileManager.default.createDirectory(
                at: source.appending(path: part), withIntermediateDirectories: true)
        }
        for (index, id) in ids.enumerated() {
            var (pixels, mask): ([UInt8], [UInt8]) = ([], [])
            let corner = place(index)
            for y in 0..<120 {
                for x in 0..<160 {
                    let isTarget = (corner.x..<corner.x + 12).contains(x) && (corner.y..<corner.y + 10).contains(y)
                    let isDecoy = decoy.contains(id) && x < 20 && y < 16
                    mask.append(isTarget ? 255 : 0)
                    pixels.append(isDecoy ? 250 : isTarget ? 200 : UInt8(40 + (x * 7 + y * 5 + index) % 30))
                }
            }
            try PNG.write(
                Image(width: 160, height: 120, channels: 1, bytes: pixels),
                to: source.appending(path: "images/\(id).png"))
            try PNG.write(
                Image(width: 160, height: 120, channels: 1, bytes: mask), to: source.appending(path: "masks/\(id).png"))
        }
        return try DatasetPreparer(
            .init(
                name: name, imageKind: "photographs of specks", foreground: "the speck", heldOut: heldOut,
                groupBy: groupBy)
        ).prepare(source, into: DatasetCatalogue(root: workspace.datasets)).dataset
    }
}
