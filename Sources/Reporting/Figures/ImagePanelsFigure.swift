import Foundation

/// Held-out images in rows: the input, the ground truth, and what each model made of it, with its Dice.
///
/// A prediction is drawn as its agreement with the truth, which plain masks side by side leave the reader to find.
public struct ImagePanelsFigure: Figure {
    /// A mask on the grid of the image: one value a pixel.
    public typealias Mask = [Bool]

    public struct Prediction: Sendable {
        public var model: String
        public var mask: Mask
        public var dice: Double
        /// Named in grey, before the models.
        public var isBaseline: Bool

        public init(model: String, mask: Mask, dice: Double, isBaseline: Bool = false) {
            (self.model, self.mask, self.dice, self.isBaseline) = (model, mask, dice, isBaseline)
        }
    }

    public struct Row: Sendable {
        /// "worst", "median", "best", or why the image is here.
        public var role: String
        public var sample: String
        public var image: Canvas.Pixels
        public var truth: Mask
        public var predictions: [Prediction]

        /// - Precondition: every mask has one value a pixel.
        public init(role: String, sample: String, image: Canvas.Pixels, truth: Mask, predictions: [Prediction]) {
            let count = image.width * image.height
            precondition(
                truth.count == count && predictions.allSatisfy { $0.mask.count == count },
                "the masks of \(sample) have not the \(image.width)×\(image.height) pixels of the image")
            self.role = role
            self.sample = sample
            self.image = image
            self.truth = truth
            self.predictions = predictions
        }
    }

    public var rows: [Row]
    private let suffix: String
    public var name: String { "held-out-images-\(suffix)" }
    public let caption =
        "Held-out images: the input, the ground truth (outline filled), and each model's prediction with its Dice on the original grid, a baseline's first, named in grey. Blue: found; orange: marked though not there; yellow: missed."

    static let found = Canvas.Colour(0x56B4E9)
    static let added = Canvas.Colour(0xD55E00)
    static let missed = Canvas.Colour(0xF0E442)

    public init(rows: [Row], suffix: String) {
        self.rows = rows
        self.suffix = suffix
    }

    /// Baselines, then models, each once.
    var columnTitles: [(name: String, isBaseline: Bool)] {
        var seen: Set<String> = []
        let all = rows.flatMap(\.predictions)
        return (all.filter(\.isBaseline) + all.filter { !$0.isBaseline })
            .filter { seen.insert($0.model).inserted }.map { ($0.model, $0.isBaseline) }
    }

    private let labelWidth = 34.0
    private let gap = 3.0
    private let header = 16.0
    private let legendHeight = 16.0
    private var columns: Int { 2 + columnTitles.count }
    /// At most an inch and a half a picture, and all of them across the page.
    private var side: Double {
        min(100, (PlotArea.page - labelWidth - 4 - gap * Double(columns)) / Double(columns))
    }

    private func height(of row: Row) -> Double { side * Double(row.image.height) / Double(row.image.width) + 10 }

    public var size: (width: Double, height: Double) {
        // The legend below needs its width also where there are few pictures.
        let width = labelWidth + 4 + (side + gap) * Double(columns)
        return (max(width, 230), header + rows.reduce(0) { $0 + height(of: $1) } + legendHeight)
    }

    public func draw(on canvas: Canvas) {
        let titles = [("input", false), ("ground truth", false)] + columnTitles
        for (column, title) in titles.enumerated() {
            canvas.text(
                canvas.shortened(title.0, to: side, size: 6.5, bold: column < 2), x: x(column) + side / 2, y: 11,
                size: 6.5, colour: title.1 ? .grey : .ink, anchor: .middle, bold: column < 2)
        }
        var y = header
        for row in rows {
            draw(row, at: y, on: canvas)
            y += height(of: row)
        }
        drawLegend(y + 9, on: canvas)
    }

    private func x(_ column: Int) -> Double { labelWidth + Double(column) * (side + gap) }

    private func draw(_ row: Row, at y: Double, on canvas: Canvas) {
        let tall = height(of: row) - 10
        canvas.text(row.role, x: 4, y: y + tall / 2, size: 6.5, bold: true)
        canvas.text(
            canvas.shortened(row.sample, to: labelWidth + side, size: 5.5), x: x(0), y: y + tall + 7, size: 5.5,
            colour: .grey)
        canvas.image(row.image, x: x(0), y: y, width: side, height: tall)
        canvas.image(overlay(row, prediction: row.truth), x: x(1), y: y, width: side, height: tall)
        for prediction in row.predictions {
            guard let column = columnTitles.firstIndex(where: { $0.name == prediction.model }) else { continue }
            let left = x(2 + column)
            canvas.image(overlay(row, prediction: prediction.mask), x: left, y: y, width: side, height: tall)
            // Nothing marked, or an answer that could not be read.
            let score =
                (prediction.mask.contains(true) ? "" : "no mask, ")
                + "Dice \(ReportTable.Cell.fixed(prediction.dice, 3))"
            canvas.text(
                score, x: left + side / 2, y: y + tall + 7, size: 6.5, colour: prediction.isBaseline ? .grey : .ink,
                anchor: .middle)
            canvas.mark(
                x: left, y: y, width: side, height: tall, "\(prediction.model), \(row.sample): \(score)")
        }
    }

    /// The image with what was found, added and missed laid over it.
    func overlay(_ row: Row, prediction: Mask) -> Canvas.Pixels {
        let image = row.image
        var bytes: [UInt8] = []
        bytes.reserveCapacity(image.width * image.height * 3)
        for pixel in 0..<(image.width * image.height) {
            let base = (0..<3).map { image.bytes[pixel * image.channels + (image.channels == 3 ? $0 : 0)] }
            let colour: Canvas.Colour? =
                switch (prediction[pixel], row.truth[pixel]) {
                case (true, true): Self.found
                case (true, false): Self.added
                case (false, true): Self.missed
                case (false, false): nil
                }
            guard let colour else {
                bytes += base
                continue
            }
            for (value, share) in zip(base, [colour.red, colour.green, colour.blue]) {
                bytes.append(UInt8((0.35 * Double(value) + 0.65 * 255 * share).rounded()))
            }
        }
        return Canvas.Pixels(width: image.width, height: image.height, channels: 3, bytes: bytes)
    }

    private func drawLegend(_ y: Double, on canvas: Canvas) {
        var x = labelWidth
        for (name, colour) in [("found", Self.found), ("marked though not there", Self.added), ("missed", Self.missed)]
        {
            canvas.rectangle(x: x, y: y - 5, width: 7, height: 6, fill: colour)
            canvas.text(name, x: x + 10, y: y, size: 6.5)
            x += 20 + canvas.width(of: name, size: 6.5)
        }
    }
}
