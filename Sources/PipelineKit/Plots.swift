import Foundation
import TensorRuntime

/// The two figures of a pipeline.
enum Plots {
    /// Training and validation loss by epoch.
    static func losses(training: [Double], validation: [Double], to url: URL) throws {
        let drawing = Drawing(width: 800, height: 500)
        let box = (left: 90.0, right: 770.0, top: 40.0, bottom: 430.0)
        let finite = (training + validation).filter(\.isFinite)
        let (low, high) = (min(0, finite.min() ?? 0), max(finite.max() ?? 1, 1e-9))
        func x(_ epoch: Int) -> Double {
            box.left + (box.right - box.left) * (Double(epoch) - 0.5) / Double(max(1, training.count))
        }
        func y(_ loss: Double) -> Double { box.bottom - (box.bottom - box.top) * (loss - low) / (high - low) }
        for step in 0...4 {
            let loss = low + (high - low) * Double(step) / 4
            drawing.line([(box.left, y(loss)), (box.right, y(loss))], Drawing.faint, width: 1)
            drawing.text(String(format: "%.3g", loss), x: box.left - 8, y: y(loss) + 5, share: 1)
        }
        let every = max(1, (training.count + 9) / 10)
        for epoch in stride(from: 1, through: max(1, training.count), by: every) {
            drawing.text("\(epoch)", x: x(epoch), y: box.bottom + 22, share: 0.5)
        }
        for (index, (name, losses)) in [("training loss", training), ("validation loss", validation)].enumerated() {
            let points = losses.enumerated().filter { $0.element.isFinite }.map {
                (x: x($0.offset + 1), y: y($0.element))
            }
            let colour = Drawing.series[index]
            drawing.line(points, colour)
            for point in points { drawing.circle(x: point.x, y: point.y, radius: 3, colour) }
            let legend = box.left + 40 + Double(index) * 200
            drawing.line([(legend, 20), (legend + 30, 20)], colour)
            drawing.text(name, x: legend + 38, y: 25)
        }
        drawing.text("epoch", x: (box.left + box.right) / 2, y: box.bottom + 52, share: 0.5)
        try drawing.write(to: url)
    }

    /// A row a sample: input image, true mask, predicted mask; its file name above.
    static func samples(_ samples: Samples, predicted: Tensor, to url: URL) throws {
        let (side, gap, heading) = (180.0, 12.0, 26.0)
        let (channels, height, width) = (samples.images.shape[1], samples.images.shape[2], samples.images.shape[3])
        let drawing = Drawing(
            width: Int(3 * side + 4 * gap), height: Int(Double(samples.count) * (side + heading) + gap + heading))
        for (column, title) in ["input image", "true mask", "predicted mask"].enumerated() {
            drawing.text(title, x: gap + Double(column) * (side + gap), y: 18)
        }
        for row in 0..<samples.count {
            let top = heading + Double(row) * (side + heading)
            drawing.text(samples.names[row], x: gap, y: top + 18, size: 12)
            let image = try samples.images.rows([row]).values
            let interleaved = (0..<image.count).map { image[$0 % channels * height * width + $0 / channels] }
            let panels = [
                (interleaved, channels), (try samples.masks.rows([row]).values, 1),
                (try predicted.rows([row]).values, 1),
            ]
            for (column, panel) in panels.enumerated() {
                drawing.pixels(
                    panel.0, columns: width, rows: height, channels: panel.1, x: gap + Double(column) * (side + gap),
                    y: top + heading, width: side, height: side)
            }
        }
        try drawing.write(to: url)
    }
}
