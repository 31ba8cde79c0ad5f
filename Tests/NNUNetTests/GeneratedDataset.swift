import Foundation
import Testing

@testable import NNUNet

/// A data set whose cases are hashed from their indices: the same numbers as `Reference/plans.py` writes for nnunetv2.
struct GeneratedDataset: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var format: String
    var channels: [String]
    var classes: Int
    var cases: Int
    var shape: [Int]
    var jitter: [Int]
    var spacings: [[Double]]
    var margin: Int
    var range: [Int]
    var samples: Int

    var testDescription: String { name }

    static func all() throws -> [GeneratedDataset] {
        let file = NNUNetReference.folder.appending(path: "datasets.json")
        return try JSONDecoder().decode([GeneratedDataset].self, from: Data(contentsOf: file))
    }

    /// 32 bits of a case and an index.
    static func hashed(_ number: Int, _ index: Int) -> UInt32 {
        var x = UInt32(truncatingIfNeeded: number &* 0x9E37_79B1 &+ index &* 0x85EB_CA77 &+ 0x1656_67B1)
        x ^= x >> 15
        x = x &* 0x2C1B_3C6D
        x ^= x >> 12
        x = x &* 0x297A_2D39
        return x ^ (x >> 15)
    }

    func labelledCase(_ number: Int) throws -> LabelledCase {
        let size = (0..<3).map { shape[$0] + Int(GeneratedDataset.hashed(number, 1_000_003 + $0)) % (jitter[$0] + 1) }
        let pixels = size.reduce(1, *)
        var values = [Float](repeating: 0, count: channels.count * pixels)
        var labels = [Int16](repeating: 0, count: pixels)
        let (my, mx) = (size[1] * margin / 100, size[2] * margin / 100)
        for pixel in 0..<pixels {
            let (y, x) = (pixel / size[2] % size[1], pixel % size[2])
            if (my..<size[1] - my).contains(y), (mx..<size[2] - mx).contains(x) {
                for channel in channels.indices {
                    let index = channel * pixels + pixel
                    values[index] = Float(range[0] + Int(GeneratedDataset.hashed(number, index)) % range[1])
                }
            }
            if y * 3 / size[1] == 1, x * 3 / size[2] == 1 {
                labels[pixel] = Int16(1 + (x + y + number) % (classes - 1))
            }
        }
        let spacing = spacings[number % spacings.count]
        let image =
            spacing.count == 2
            ? try CaseImage(
                channels: channels.count, height: size[1], width: size[2], spacing: spacing, values: values)
            : try CaseImage(channels: channels.count, shape: size, spacing: spacing, values: values)
        return try LabelledCase(
            name: "case_\(number)", image: image, labels: LabelMap(shape: size, values: labels))
    }

    func fingerprint() throws -> Fingerprint {
        try Fingerprint(count: cases, samples: samples) { try labelledCase($0) }
    }
}

extension GeneratedDataset {
    /// Whether nnunetv2 plans it within a second or two; a network of a stack or of a huge image takes it longer.
    var isQuick: Bool {
        !["huge", "large", "ct_stack", "sideways_stack", "rgb_128", "many_small_four_channels"].contains(name)
    }
}
