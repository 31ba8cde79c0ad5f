import Datasets
import Exchanges
import Foundation
import Metrics
import Polygons
import ResultStore

/// What one look shows of a picture.
struct DrawingView {
    /// Beside the request, so that an answer is taken back to the original from where it was asked for.
    static let file = "view.json"

    /// In pixels of the original; nil for all of it.
    var window: Box?
    /// Where the neighbouring slices have the target, on the original grid.
    var siblings: Mask?

    private struct Stored: Codable {
        var window: [Double]?
    }

    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let stored = Stored(window: window.map { [$0.left, $0.top, $0.right, $0.bottom] })
        try ExchangeFiles.write(try encoder.encode(stored), to: folder.appending(path: Self.file))
    }

    /// What an earlier process showed.
    ///
    /// - Throws: `DrawingError.damaged`.
    init(in folder: URL) throws(DrawingError) {
        let url = folder.appending(path: Self.file)
        guard let data = try? Data(contentsOf: url), data.count < 1 << 16,
            let stored = try? JSONDecoder().decode(Stored.self, from: data)
        else {
            throw .damaged(
                what: url.path(percentEncoded: false), reason: "it does not say what was shown of the picture")
        }
        guard let sides = stored.window else { return }
        guard sides.count == 4, sides.allSatisfy(\.isFinite), sides[0] < sides[2], sides[1] < sides[3] else {
            throw .damaged(what: url.path(percentEncoded: false), reason: "its window has no four sides in order")
        }
        window = Box(left: sides[0], top: sides[1], right: sides[2], bottom: sides[3])
    }

    init(window: Box? = nil, siblings: Mask? = nil) {
        (self.window, self.siblings) = (window, siblings)
    }
}

/// Where each look of a draw is directed, from what was drawn before.
struct DrawingViews: Sendable {
    let store: ResultStore
    let set: Int64
    let look: DrawingSkill.Look?
    /// Of the static box, as fractions of a picture's sides.
    private let box: Box?
    /// Slices in order, by sample.
    private let volumes: [String: [String]]

    /// - Throws: `DrawingError.noTraining`, `DatasetError`.
    init(_ session: DrawingSession, set: Int64, part: DrawingRecord.Part) throws {
        (store, self.set, look) = (session.store, set, session.settings.skill?.look)
        let dataset = session.dataset
        var box: Box?
        if look == .staticBox {
            do {
                box = try Windows.staticBox(
                    of: DrawingSkill.boxLabels(in: dataset).map { try Mask(try dataset.truth($0)) }, width: 1, height: 1
                )
            } catch PolygonsError.noLabels {
                throw DrawingError.noTraining(dataset: dataset.name)
            }
        }
        self.box = box
        var volumes: [String: [String]] = [:]
        if look == .crossSlice {
            let samples = part == .heldOut ? dataset.split.heldOut : dataset.split.training
            for volume in dataset.volumes(of: samples) { for sample in volume { volumes[sample] = volume } }
        }
        self.volumes = volumes
    }

    /// - Returns: nil where there is nothing to look at: the look before found nothing, or no neighbouring slice has a drawing.
    func view(_ sample: String, draw: Int, turn: Int, of original: Image) throws -> DrawingView? {
        switch look {
        case .staticBox:
            let (width, height) = (Double(original.width), Double(original.height))
            return DrawingView(
                window: box.map {
                    Box(
                        left: $0.left * width, top: $0.top * height, right: $0.right * width,
                        bottom: $0.bottom * height)
                })
        case .pyramid where turn > 0:
            guard let mask = try mask(sample, draw, turn - 1, original) else { return nil }
            let windows = Windows.pyramid(around: mask)
            return windows.indices.contains(turn - 1) ? DrawingView(window: windows[turn - 1]) : nil
        case .crossSlice where turn > 0:
            return try prior(sample, draw, original).map { DrawingView(window: $0.window, siblings: $0.siblings) }
        default: return DrawingView()
        }
    }

    /// Slices on either side whose drawings count.
    private static let reach = 2

    private func prior(_ sample: String, _ draw: Int, _ original: Image) throws -> CrossSlicePrior? {
        guard let slices = volumes[sample], let place = slices.firstIndex(of: sample) else { return nil }
        let near = max(0, place - Self.reach)...min(slices.count - 1, place + Self.reach)
        let masks = try near.map { index in
            try mask(slices[index], draw, 0, original) ?? Mask(width: original.width, height: original.height)
        }
        return try CrossSlicePrior.priors(of: masks, reach: Self.reach)[place - near.lowerBound]
    }

    /// What was drawn, on the grid of a picture of the same size; nil where nothing could be read.
    private func mask(_ sample: String, _ draw: Int, _ turn: Int, _ original: Image) throws -> Mask? {
        let rows = try store.drawings(set: set, sample: sample, draw: draw, turn: turn)
        return try DrawnMasks(rows, width: original.width, height: original.height, turn: turn).masks.last
    }
}
