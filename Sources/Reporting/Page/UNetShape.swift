import Foundation
import TensorRuntime

/// The stages of a captured U-Net, as its graph has them.
struct UNetShape: Sendable {
    struct Size: Sendable, Hashable {
        var height, width: Int
        var shown: String { "\(height)×\(width)" }
    }

    /// Channels, from the input down.
    var encoder: [Int]
    var bottleneck: Int?
    /// Channels, from the bottleneck up.
    var decoder: [Int]
    /// Of each encoder stage and the bottleneck; empty where the graph does not tell.
    var sizes: [Size]
    var inputChannels: Int?
    var parameters: Int?
    var block, upsampling, skip, finalLayer, activation: String?

    /// More stages than this are no U-Net, and no drawing.
    private static let mostStages = 8

    /// - Parameters:
    ///   - facts: the `facts` of pipeline.json; written beside generated code, so nothing of its shape is trusted.
    ///   - graph: the evaluation graph, for the sizes.
    init?(facts: JSONFacts, graph: Graph?) {
        encoder = Self.channels(facts["encoder_channels"])
        decoder = Self.channels(facts["decoder_channels"])
        guard (1...Self.mostStages).contains(encoder.count), decoder.count <= encoder.count else { return nil }
        bottleneck = Self.whole(facts["bottleneck_channels"])
        inputChannels = Self.whole(facts["channels"])
        parameters = Self.whole(facts["trainable_parameters"])
        func text(_ key: String) -> String? { facts[key].map { StoredText.line($0.shown, limit: 40) } }
        block = text("conv_block")
        upsampling = text("upsampling")
        skip = text("skip")
        finalLayer = text("final_layer")
        activation = text("output_activation")
        let found = graph.map(Self.descending) ?? []
        sizes = found.count == encoder.count + 1 ? found : []
        // Without a graph the size of the images is still known, and nothing below it is guessed.
        if sizes.isEmpty, case .list(let values)? = facts["image_size"], values.count == 2,
            let height = Self.whole(values[0]), let width = Self.whole(values[1])
        {
            sizes = [Size(height: height, width: width)]
        }
    }

    private static func channels(_ value: JSONFacts.Value?) -> [Int] {
        guard case .list(let values)? = value else { return [] }
        let numbers = values.compactMap(whole)
        return numbers.count == values.count ? numbers : []
    }

    private static func whole(_ value: JSONFacts.Value?) -> Int? {
        guard case .number(let number)? = value, number >= 0, number < 1e12, number == number.rounded() else {
            return nil
        }
        return Int(number)
    }

    /// The sizes of the activations on the way down: each is smaller than the one before.
    private static func descending(_ graph: Graph) -> [Size] {
        let shapes = Dictionary(graph.values.map { ($0.id, $0.shape) }, uniquingKeysWith: { first, _ in first })
        var sizes: [Size] = []
        for node in graph.nodes {
            guard let output = node.outputs.first, let shape = shapes[output], shape.count == 4,
                case .fixed(let height) = shape[2], case .fixed(let width) = shape[3], height > 1, width > 1
            else { continue }
            guard let last = sizes.last else {
                sizes.append(Size(height: height, width: width))
                continue
            }
            if height < last.height, width < last.width { sizes.append(Size(height: height, width: width)) }
            // Up again: the bottleneck was passed.
            if height > last.height { break }
        }
        return sizes
    }

    /// The network in a sentence, for who does not see the drawing.
    var sentence: String {
        var parts = ["U-Net with \(encoder.count) encoder stages of \(Self.list(encoder)) channels"]
        if let bottleneck { parts.append("a bottleneck of \(bottleneck)") }
        if !decoder.isEmpty { parts.append("\(decoder.count) decoder stages of \(Self.list(decoder))") }
        if let skip { parts.append("skips: \(skip)") }
        if let upsampling { parts.append("up-sampling: \(upsampling)") }
        if let activation { parts.append("output: \(activation)") }
        return parts.joined(separator: "; ") + "."
    }

    private static func list(_ values: [Int]) -> String { values.map(String.init).joined(separator: ", ") }
}
