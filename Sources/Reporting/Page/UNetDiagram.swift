import Foundation

/// A captured U-Net drawn as its name says: down the encoder, through the bottleneck, up the decoder, skips across.
struct UNetDiagram {
    let shape: UNetShape

    private let step = 84.0
    private let drop = 74.0
    private let left = 64.0
    private let top = 46.0
    private var levels: Int { shape.encoder.count }
    private var width: Double { left + step * Double(levels + 1 + shape.decoder.count) + 66 }
    private var height: Double { top + drop * Double(levels) + 76 }

    var markup: Markup {
        var markup = Markup()
        markup.element(
            "svg",
            [
                "class": "unet", "viewBox": "0 0 \(number(width)) \(number(height))", "width": number(width),
                "height": number(height), "role": "img", "aria-label": shape.sentence,
            ]
        ) { markup in
            skips(&markup)
            arrows(&markup)
            for (index, channels) in shape.encoder.enumerated() {
                stage("encoder", "encoder stage \(index + 1)", channels, column: index, level: index, &markup)
            }
            if let bottleneck = shape.bottleneck {
                stage("bottleneck", "bottleneck", bottleneck, column: levels, level: levels, &markup)
            }
            for (index, channels) in shape.decoder.enumerated() {
                stage(
                    "decoder", "decoder stage \(index + 1)", channels, column: levels + 1 + index,
                    level: level(ofDecoder: index), &markup)
            }
            ends(&markup)
        }
        return markup
    }

    private func level(ofDecoder index: Int) -> Int { max(0, levels - 1 - index) }

    private func centre(_ column: Int, _ level: Int) -> (x: Double, y: Double) {
        (left + step * (Double(column) + 0.5), top + drop * Double(level) + 24)
    }

    /// Wider for more channels, on a logarithmic scale, and lower for a smaller map.
    private func extent(_ channels: Int, _ level: Int) -> (width: Double, height: Double) {
        (min(56, 8 + 4.6 * log2(Double(max(1, channels)))), max(20, 48 - 6 * Double(level)))
    }

    private func stage(
        _ kind: String, _ name: String, _ channels: Int, column: Int, level: Int, _ markup: inout Markup
    ) {
        let (x, y) = centre(column, level)
        let (width, height) = extent(channels, level)
        let size = level < shape.sizes.count ? shape.sizes[level].shown : nil
        markup.element("g", ["class": kind]) { markup in
            let block = shape.block.map { ", \($0)" } ?? ""
            markup.element("title", text: "\(name): \(channels) channels\(size.map { " of \($0)" } ?? "")\(block)")
            markup.element(
                "rect",
                [
                    "x": number(x - width / 2), "y": number(y - height / 2), "width": number(width),
                    "height": number(height), "rx": "3",
                ], text: "")
            label("\(channels)", x, y - height / 2 - 5, "channels", &markup)
            guard let size else { return }
            // Where no arrow runs: outside of the U, below it at its foot.
            switch kind {
            case "encoder": label(size, x - width / 2 - 5, y + height / 2 + 3, "size end", &markup)
            case "decoder": label(size, x + width / 2 + 5, y + height / 2 + 3, "size start", &markup)
            default: label(size, x, y + height / 2 + 13, "size", &markup)
            }
        }
    }

    private func skips(_ markup: inout Markup) {
        for (index, channels) in shape.decoder.enumerated() {
            let level = level(ofDecoder: index)
            let (from, to) = (centre(level, level), centre(levels + 1 + index, level))
            let start = from.x + extent(shape.encoder[level], level).width / 2 + 4
            let end = to.x - extent(channels, level).width / 2 - 4
            line("skip", [(start, from.y), (end - 5, from.y)], &markup)
            head("skip", at: (end, from.y), towards: (1, 0), &markup)
            if level == 0, let skip = shape.skip { label(skip, (start + end) / 2, from.y - 6, "note", &markup) }
        }
    }

    /// Down from the middle of a stage and into the side of the next; out of a side and up into the middle.
    private func arrows(_ markup: inout Markup) {
        let columns = levels + (shape.bottleneck == nil ? 0 : 1)
        for column in 0..<max(0, columns - 1) {
            let (from, to) = (centre(column, column), centre(column + 1, column + 1))
            let end = to.x - half(column + 1) - 4
            let start = from.y + extent(shape.encoder[column], column).height / 2 + 4
            line("down", [(from.x, start), (from.x, to.y), (end - 5, to.y)], &markup)
            head("down", at: (end, to.y), towards: (1, 0), &markup)
        }
        for (index, channels) in shape.decoder.enumerated() {
            let level = level(ofDecoder: index)
            let (from, to) = (centre(levels + index, level + 1), centre(levels + 1 + index, level))
            let below = index == 0 ? half(levels) : extent(shape.decoder[index - 1], level + 1).width / 2
            let end = to.y + extent(channels, level).height / 2 + 4
            line("up", [(from.x + below + 4, from.y), (to.x, from.y), (to.x, end + 5)], &markup)
            head("up", at: (to.x, end), towards: (0, -1), &markup)
        }
        if let upsampling = shape.upsampling, let last = shape.decoder.indices.last {
            let place = centre(levels + 1 + last, level(ofDecoder: last))
            label("up: \(upsampling)", place.x + 7, place.y + drop * 0.72, "note start", &markup)
        }
    }

    /// Half the width of a stage on the way down, the bottleneck among them.
    private func half(_ column: Int) -> Double {
        extent(column < levels ? shape.encoder[column] : shape.bottleneck ?? 1, column).width / 2
    }

    private func ends(_ markup: inout Markup) {
        let first = centre(0, 0)
        let entry = first.x - extent(shape.encoder[0], 0).width / 2 - 4
        line("through", [(entry - 24, first.y), (entry - 5, first.y)], &markup)
        head("through", at: (entry, first.y), towards: (1, 0), &markup)
        let planes = shape.inputChannels.map { "\($0) ch" } ?? ""
        label("image", entry - 28, first.y - 4, "note end", &markup)
        label(planes, entry - 28, first.y + 9, "note end", &markup)
        guard let last = shape.decoder.indices.last else { return }
        let place = centre(levels + 1 + last, level(ofDecoder: last))
        let exit = place.x + extent(shape.decoder[last], level(ofDecoder: last)).width / 2 + 4
        line("through", [(exit, place.y), (exit + 19, place.y)], &markup)
        head("through", at: (exit + 24, place.y), towards: (1, 0), &markup)
        label(shape.finalLayer ?? "", exit + 28, place.y - 4, "note start", &markup)
        label(shape.activation ?? "", exit + 28, place.y + 9, "note start", &markup)
    }

    private func line(_ name: String, _ points: [(x: Double, y: Double)], _ markup: inout Markup) {
        let text = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        markup.element("polyline", ["class": name, "points": text], text: "")
    }

    private func head(
        _ name: String, at tip: (x: Double, y: Double), towards: (x: Double, y: Double), _ markup: inout Markup
    ) {
        let length = max(0.001, (towards.x * towards.x + towards.y * towards.y).squareRoot())
        let (dx, dy) = (towards.x / length, towards.y / length)
        let back = (x: tip.x - 6 * dx, y: tip.y - 6 * dy)
        let corners = [tip, (back.x - 3 * dy, back.y + 3 * dx), (back.x + 3 * dy, back.y - 3 * dx)]
        let text = corners.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
        markup.element("polygon", ["class": name, "points": text], text: "")
    }

    private func label(_ text: String, _ x: Double, _ y: Double, _ kind: String, _ markup: inout Markup) {
        guard !text.isEmpty else { return }
        markup.element("text", ["class": kind, "x": number(x), "y": number(y)], text: text)
    }

    private func number(_ value: Double) -> String { ReportTable.Cell.fixed(value, 1) }
}
