import Datasets
import Foundation
import Metrics
import TestSupport
import Testing

@testable import Polygons

@Suite struct MaskOperationTests {
    private func drawn(_ rows: String...) throws -> Mask {
        try Mask(
            width: rows[0].count, height: rows.count, values: rows.joined().utf8.map { $0 == UInt8(ascii: "#") ? 1 : 0 }
        )
    }

    @Test func holesAreFilledUpToASize() throws {
        let mask = try drawn("#######", "#.#..##", "###..##", "#######", ".######")
        #expect(try mask.fillingHoles(upTo: 1) == drawn("#######", "###..##", "###..##", "#######", ".######"))
        #expect(try mask.fillingHoles(upTo: 4).area == 34)
        #expect(try mask.fillingHoles(upTo: 0.5) == mask)
    }

    @Test func theHullHoldsTheForegroundAndIsConvex() throws {
        #expect(try drawn("#...#", ".....", "..#..").convexHull() == drawn("#####", ".###.", "..#.."))
        #expect(try drawn("#..", "...", "..#").convexHull() == drawn("#..", ".#.", "..#"))
        var generator = SeededGenerator(seed: Trials.seed("theHullHoldsTheForegroundAndIsConvex"))
        for _ in 0..<50 {
            let (width, height) = (Int.random(in: 1...20, using: &generator), Int.random(in: 1...20, using: &generator))
            let mask = try Mask(
                width: width, height: height,
                values: (0..<(width * height)).map { _ in Int.random(in: 0..<8, using: &generator) == 0 ? 1 : 0 })
            let hull = try mask.convexHull()
            #expect(try mask.subtracting(hull).isEmpty)
            #expect(try hull.convexHull() == hull)
        }
    }

    @Test func theSignedDistanceIsHalfAPixelAtTheEdgesOfPixels() throws {
        #expect(try drawn(".###.").signedDistance() == [0.5, -0.5, -1.5, -0.5, 0.5])
    }

    @Test(.enabled(if: ReferencePython.interpreter != nil, "needs Python with scipy"))
    func blurringEqualsScipys() throws {
        var generator = SeededGenerator(seed: Trials.seed("blurringEqualsScipys"))
        struct Question: Codable {
            var kind = "blur"
            var w: Int
            var h: Int
            var map: [Double]
            var deviation: Double
        }
        let questions = (0..<10).map { _ in
            let (width, height) = (Int.random(in: 1...20, using: &generator), Int.random(in: 1...20, using: &generator))
            return Question(
                w: width, h: height,
                map: (0..<(width * height)).map { _ in Double.random(in: 0...1, using: &generator) },
                deviation: Double.random(in: 0.2...5, using: &generator))
        }
        let input = Data(try questions.map { try JSONEncoder().encode($0) }.joined(separator: Data("\n".utf8)))
        let answers = try ReferencePython.run("polygons/drawers.py", input: input).split(separator: UInt8(ascii: "\n"))
        for (question, line) in zip(questions, answers) {
            let theirs = try JSONDecoder().decode([String: [Double]].self, from: line)["map"] ?? []
            let ours = GaussianBlur.apply(
                question.map, width: question.w, height: question.h, deviation: question.deviation)
            #expect(theirs.count == ours.count && zip(ours, theirs).allSatisfy { abs($0 - $1) < 1e-12 })
        }
    }
}

@Suite struct RefinementTests {
    private func genome(_ change: (inout RefinementGenome) -> Void) -> RefinementGenome {
        var genome = RefinementGenome.identity
        change(&genome)
        return genome
    }

    private func disc(_ size: Int, _ cx: Double, _ cy: Double, _ radius: Double) throws -> Mask {
        try Mask(
            width: size, height: size,
            values: (0..<(size * size)).map { index in
                let (dx, dy) = (Double(index % size) + 0.5 - cx, Double(index / size) + 0.5 - cy)
                return dx * dx + dy * dy < radius * radius ? 1 : 0
            })
    }

    @Test func eachNumberOfTheGenomeDoesWhatItSays() throws {
        let flat = try Image(width: 64, height: 64, channels: 1, fill: 100)
        let round = try disc(64, 32, 32, 16)
        func area(_ mask: Mask, _ change: (inout RefinementGenome) -> Void) throws -> Int {
            try MaskRefiner(genome(change)).refine(mask, on: flat).area
        }
        #expect(try MaskRefiner(.identity).refine(round, on: flat) == round)
        let grown = try MaskRefiner(genome { $0.growth = 0.25 }).refine(round, on: flat)
        #expect(abs(Double(grown.area) - Double.pi * 400) < 60)
        #expect(abs(Double(try area(round) { $0.growth = -0.25 }) - Double.pi * 144) < 40)
        // A speck and a hole.
        let spotted = try round.union(disc(64, 58, 58, 3)).subtracting(disc(64, 32, 32, 3))
        #expect(try area(spotted) { $0.components = 0.5 } == round.area - disc(64, 32, 32, 3).area)
        #expect(try area(spotted) { $0.holes = 0.2 } == round.area + disc(64, 58, 58, 3).area)
        // A notch is filled by the hull as far as allowed, a spike is blurred away.
        let notched = try round.subtracting(
            DrawnShape.boxes([Box(left: 30, top: 10, right: 34, bottom: 30)]).mask(width: 64, height: 64))
        #expect(try area(notched) { $0.convexity = 1 } >= round.area)
        let spiked = try round.union(
            DrawnShape.boxes([Box(left: 31, top: 2, right: 33, bottom: 20)]).mask(width: 64, height: 64))
        let blurred = try MaskRefiner(genome { $0.smoothing = 0.2 }).refine(spiked, on: flat)
        let agreement = try Scene.dice(blurred, round)
        #expect(!blurred[x: 32, y: 5] && agreement > 0.97)
    }

    @Test func intensitiesInTheRingPullTheOutlineToTheEdge() throws {
        var generator = SeededGenerator(seed: Trials.seed("intensitiesInTheRingPullTheOutlineToTheEdge"))
        let (image, truth) = try Scene.blob(using: &generator, size: 96)
        let offset = try shifted(truth, by: 4)
        let before = try Scene.dice(offset, truth)
        for change: (inout RefinementGenome) -> Void in [
            { $0.snapReach = 0.4 },
            {
                $0.regionTolerance = 1.5
                $0.growth = -0.3
            },
        ] {
            let refined = try MaskRefiner(genome(change)).refine(offset, on: image)
            #expect(try Scene.dice(refined, truth) > before + 0.02)
        }
    }

    private func shifted(_ mask: Mask, by distance: Int) throws -> Mask {
        try Mask(
            width: mask.width, height: mask.height,
            values: mask.values.indices.map { index in
                index % mask.width >= distance ? mask.values[index - distance] : 0
            })
    }

    @Test func aFitMendsWhatIsWrongWithAllDrawingsAndSaysWhatItGains() throws {
        var generator = SeededGenerator(seed: Trials.seed("aFitMendsWhatIsWrongWithAllDrawingsAndSaysWhatItGains"))
        // Every drawing is a third too small.
        var cases: [RefinementFit.Case] = []
        for _ in 0..<8 {
            let (image, truth) = try Scene.blob(using: &generator, size: 40, noise: 50)
            let small = try MaskRefiner(genome { $0.growth = -0.25 }).refine(truth, on: image)
            cases.append(RefinementFit.Case(image: image, drawn: small, truth: truth))
        }
        let fit = try RefinementFit(cases, folds: 4, generations: 12, seed: 3)
        #expect(fit.drawnDice < 0.8 && fit.crossValidatedDice > 0.9 && fit.gain > 0.1)
        #expect(fit.fittedDice >= fit.crossValidatedDice - 0.02 && fit.labels == 8)
        #expect(try RefinementFit(cases, folds: 4, generations: 12, seed: 3) == fit)
        let again = try JSONDecoder().decode(RefinementFit.self, from: JSONEncoder().encode(fit))
        #expect(again == fit)
    }

    @Test func whatCannotBeFittedIsRefused() throws {
        let mask = try disc(16, 8, 8, 4)
        let one = RefinementFit.Case(image: try Image(width: 16, height: 16, channels: 1), drawn: mask, truth: mask)
        #expect(throws: PolygonsError.tooManyLabels(41, most: 40)) {
            try RefinementFit([RefinementFit.Case](repeating: one, count: 41), seed: 1)
        }
        #expect(throws: PolygonsError.noLabels) { try RefinementFit([one], seed: 1) }
        #expect(throws: PolygonsError.folds(5, labels: 3)) { try RefinementFit([one, one, one], seed: 1) }
        #expect(throws: PolygonsError.sizes("a mask and its picture")) {
            try MaskRefiner(.identity).refine(mask, on: Image(width: 3, height: 3, channels: 1))
        }
        let wild =
            #"{"smoothing":9,"growth":0,"snapReach":0,"snapBalance":0.5,"regionTolerance":0,"holes":0,"components":0,"convexity":0}"#
        #expect(throws: PolygonsError.parameter("the refinement's smoothing", 9, 0...0.5)) {
            try JSONDecoder().decode(RefinementGenome.self, from: Data(wild.utf8))
        }
    }
}
