import Testing

@testable import Training

@Suite("Whether a pipeline's images are plain resizes")
struct GeometryCheckTests {
    typealias Plane = GeometryCheck.Plane

    /// A head-like scene without symmetry: an ellipse, two blobs, texture.
    private func scene(height: Int = 112, width: Int = 96, seed: Int = 1) -> Plane {
        var generator = SplitMix64(seed: UInt64(seed))
        var values = [Float](repeating: 0, count: height * width)
        for y in 0..<height {
            for x in 0..<width {
                let (v, u) = (Float(y) / Float(height) * 2 - 1, Float(x) / Float(width) * 2 - 1)
                guard u * u / 0.6 + v * v / 0.7 < 1 else { continue }
                let noise = Float(generator.next() >> 40) / Float(1 << 24)
                var value: Float = 0.4 + 0.08 * noise
                if (u - 0.3) * (u - 0.3) + (v - 0.25) * (v - 0.25) < 0.06 { value += 0.4 }
                if (u + 0.4) * (u + 0.4) + (v + 0.1) * (v + 0.1) < 0.03 { value -= 0.3 }
                values[y * width + x] = value
            }
        }
        return Plane(height: height, width: width, values: values)
    }

    private var originals: [Plane] { (1...5).map { scene(seed: $0) } }

    private func refusal(_ captured: [Plane]) -> String? {
        do {
            try GeometryCheck().verify(captured: captured, originals: originals)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "plain resizes pass, whatever was done to the grey values",
        arguments: ["linear", "area", "contrast", "inverted", "curve"])
    func plain(kind: String) throws {
        let captured = try originals.map { original in
            var plane = try #require(
                kind == "area"
                    ? original.averaged(height: 64, width: 64) : original.resizedLinearly(height: 64, width: 64))
            switch kind {
            case "contrast": plane.values = plane.values.map { ($0 - 0.4) / 0.2 }
            case "inverted": plane.values = plane.values.map { 1 - $0 }
            case "curve": plane.values = plane.values.map { $0.squareRoot() }
            default: break
            }
            return plane
        }
        #expect(refusal(captured) == nil)
    }

    @Test(
        "moved images are refused by name",
        arguments: [
            ("mirrored left to right", GeometryCheck.Placement.mirrored), ("upside down", .flipped),
            ("transposed", .transposed),
            ("90 %", .cropped90), ("75 %", .cropped75), ("square", .square), ("padded", .letterbox),
            ("by 90", .clockwise),
        ])
    func moved(name: String, placement: GeometryCheck.Placement) throws {
        let captured = try originals.map { original in
            let moved = try #require(placement.apply(to: original, height: 64, width: 64))
            return try #require(moved.resizedLinearly(height: 64, width: 64))
        }
        let sentence = try #require(refusal(captured))
        #expect(sentence.contains(name), "\(sentence)")
        #expect(sentence.contains("only a plain resize can be scored"))
    }

    @Test("images of something else are refused")
    func other() throws {
        let captured = (1...5).map { seed in
            var generator = SplitMix64(seed: UInt64(seed))
            let values = (0..<64 * 64).map { _ in Float(generator.next() >> 40) }
            return Plane(height: 64, width: 64, values: values)
        }
        #expect(try #require(refusal(captured)).contains("no plain resize"))
    }

    @Test("another number of tensors than images is refused")
    func count() throws {
        #expect(try #require(refusal([])).contains("0 tensors stand for 5 held-out images"))
    }

    @Test("images without contrast say nothing")
    func flat() throws {
        let captured = originals.map { _ in Plane(height: 8, width: 8, values: [Float](repeating: 1, count: 64)) }
        #expect(refusal(captured) == nil)
    }
}
