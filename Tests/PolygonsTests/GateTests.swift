import Datasets
import Foundation
import Metrics
import Statistics
import TestSupport
import Testing

@testable import Polygons

@Suite struct GateTests {
    @Test func scoresNeedNoTruthAndFollowTheirDefinitions() throws {
        let image = try Image(width: 4, height: 2, channels: 1, bytes: [50, 50, 150, 150, 50, 70, 150, 150])
        let mask = try Mask(width: 4, height: 2, values: [1, 1, 0, 0, 1, 1, 0, 0])
        #expect(abs(try #require(try GateScore.regionDarkness.score(of: mask, on: image)) - 95.0 / 255) < 1e-12)
        #expect(try GateScore.tissueWindow(40...60).score(of: mask, on: image) == 0.75)
        // One pixel to each side: 50 and 70 inside, 150 and 150 outside; squares 200 over 4 pixels.
        let contrast = try #require(try GateScore.boundaryContrast(ring: 1).score(of: mask, on: image))
        #expect(abs(contrast - 90 / 50.0.squareRoot()) < 1e-12)
        #expect(try GateScore.selfConsistency.score(of: mask, draws: [mask, mask.complement], on: image) == 0)
        for score in [GateScore.regionDarkness, .tissueWindow(0...9), .boundaryContrast(ring: 2), .selfConsistency] {
            #expect(try score.score(of: Mask(width: 4, height: 2), on: image) == nil)
            #expect(!score.name.isEmpty)
        }
        #expect(throws: PolygonsError.sizes("a mask and its picture")) {
            try GateScore.regionDarkness.score(of: mask, on: Image(width: 1, height: 1, channels: 1))
        }
    }

    @Test func policiesTakeWhatTheySay() throws {
        let trust = try GateTrust([
            .init(plainScore: 0.5, skilledScore: 0.9, plainDice: 0.4, skilledDice: 0.8),
            .init(plainScore: 0.9, skilledScore: 0.5, plainDice: 0.6, skilledDice: 0.7),
            .init(plainScore: nil, skilledScore: 0.5, plainDice: 0.5, skilledDice: 0.1),
        ])
        func close(_ policy: GateTrust.Policy, _ value: Double) -> Bool { abs(trust.dice(policy) - value) < 1e-12 }
        #expect(close(.always, 1.6 / 3) && close(.never, 0.5) && close(.gated, 1.9 / 3) && close(.oracle, 2.0 / 3))
        #expect(throws: PolygonsError.noLabels) { try GateTrust([]) }
    }

    @Test func picturesOfOneUnitAreDrawnTogether() throws {
        // Forty pictures of ten units: within a unit all are alike.
        let cases: [GateTrust.Case] = (0..<40).map { index in
            let (unit, step) = (Double(index / 4), 0.001 * Double(index))
            return GateTrust.Case(
                plainScore: unit + step, skilledScore: nil, plainDice: 0.2 + 0.06 * unit + step, skilledDice: 0)
        }
        func trust(_ unit: (Int) -> String?) throws -> GateTrust {
            try GateTrust(
                cases.enumerated().map { index, item in
                    var item = item
                    item.unit = unit(index)
                    return item
                })
        }
        let (alone, named) = (try GateTrust(cases), try trust { "\($0)" })
        #expect(
            named.interval == alone.interval && alone.interval != nil, "a unit a picture is every picture by itself")
        #expect(alone.units == 40 && alone.verdict == .valid && alone.isValid)
        let together = try trust { "\($0 / 4)" }
        #expect(together.correlation?.statistic == alone.correlation?.statistic && together.units == 10)
        #expect(together.verdict == .valid, "\(GateTrust.leastUnits) are enough")
        // The same pictures of nine subjects, and of two, whose interval lies above 0 as well: too few to tell.
        for count in [9, 2] {
            let few = try trust { "\($0 % count)" }
            #expect(few.interval != nil && few.units == count && few.verdict == .tooFew && !few.isValid)
        }
        #expect(try (trust { "\($0 % 2)" }.interval?.lower ?? 0) > 0)
        // Nothing can be drawn anew from a single unit.
        let single = try trust { _ in "a" }
        #expect(single.correlation != nil && single.interval == nil && single.verdict == .tooFew)
    }

    /// What `leastUnits` is for: a score that knows nothing of the Dice, in datasets of three units and of ten.
    @Test func fewUnitsCallAnythingValid() throws {
        func share(_ units: Int, seed: UInt64) throws -> Double {
            var random = SplitMix64(seed: seed)
            let datasets = 400
            var above = 0
            for _ in 0..<datasets {
                let cases = (0..<units).map { _ in
                    GateTrust.Case(
                        plainScore: random.normal(), skilledScore: random.normal(), plainDice: random.normal(),
                        skilledDice: random.normal())
                }
                let trust = try GateTrust(cases, resamples: 200)
                #expect(trust.isValid == ((trust.interval?.lower ?? 0) > 0 && units >= GateTrust.leastUnits))
                if (trust.interval?.lower ?? 0) > 0 { above += 1 }
            }
            return Double(above) / Double(datasets)
        }
        let (three, ten) = (try share(3, seed: 1), try share(10, seed: 2))
        #expect(three > 0.07 && ten < 0.07, "\(three) \(ten)")
    }

    @Test func aGateIsValidOnlyWhenItsScoreFollowsTheDice() throws {
        var generator = SeededGenerator(seed: 5)
        func cases(_ score: (Double, inout SeededGenerator) -> Double?) -> [GateTrust.Case] {
            (0..<40).map { _ in
                let (plain, skilled) = (
                    Double.random(in: 0...1, using: &generator), Double.random(in: 0...1, using: &generator)
                )
                return GateTrust.Case(
                    plainScore: score(plain, &generator), skilledScore: score(skilled, &generator), plainDice: plain,
                    skilledDice: skilled)
            }
        }
        let good = try GateTrust(cases { $0 + Double.random(in: -0.2...0.2, using: &$1) })
        #expect(good.isValid && good.dice(.gated) > good.dice(.always))
        #expect(good.dice(.oracle) >= good.dice(.gated))
        let rho = try #require(good.correlation).statistic
        #expect(rho > 0.8 && rho > good.interval?.lower ?? 1 && rho < good.interval?.upper ?? 0)
        #expect(try !GateTrust(cases { Double.random(in: 0...1, using: &$1) - 0.3 * $0 }).isValid)
        let silent = try GateTrust(cases { _, _ in nil })
        #expect(silent.verdict == .notValid && silent.correlation == nil && silent.interval == nil)
        #expect(silent.dice(.gated) == silent.dice(.never))
    }
}

@Suite struct RouterTests {
    private func picture(_ channels: Int, _ colour: (Int, Int) -> [Int]) throws -> Image {
        var image = try Image(width: 64, height: 64, channels: channels)
        for y in 0..<64 {
            for x in 0..<64 {
                for (channel, value) in colour(x, y).enumerated() {
                    image[x: x, y: y, channel: channel] = UInt8(min(max(value, 0), 255))
                }
            }
        }
        return image
    }

    private func isInside(_ x: Int, _ y: Int, _ radius: Int) -> Bool {
        (x - 32) * (x - 32) + (y - 32) * (y - 32) < radius * radius
    }

    @Test func picturesGoTheWayTheyLook() throws {
        let skin = try picture(3) { x, y in isInside(x, y, 15) ? [110, 70, 60] : [225 - x / 8, 185, 165 + y / 8] }
        let mucosa = try picture(3) { x, y in (x + y) % 40 < 2 ? [250, 248, 246] : [200 - y, 90 + x / 4, 80] }
        let chest = try picture(1) { x, y in [isInside(x, y, 20) ? 60 : 140 + x / 2] }
        let abdomen = try picture(1) { x, y in [isInside(x, y, 22) ? 120 + (x * y) % 40 : 0] }
        let head = try picture(1) { x, y in [isInside(x, y, 31) ? 60 + (x * y) % 90 : 4] }
        let expected: [(Image, Modality)] = [
            (skin, .dermoscopy), (mucosa, .endoscopy), (chest, .xray), (abdomen, .ct), (head, .mri),
        ]
        for (image, modality) in expected {
            let route = try SkillRouter().route(image)
            #expect(route.modality == modality, "\(route)")
            #expect(!route.reason.isEmpty)
        }
    }

    @Test func statisticsFollowTheirDefinitions() throws {
        let image = try Image(width: 2, height: 1, channels: 3, bytes: [100, 0, 0, 0, 0, 0])
        let statistics = try ImageStatistics(of: image)
        // Opponents (100, 50) and (0, 0): deviations 50 and 25, means 50 and 25.
        let expected = (2500.0 + 625).squareRoot() * 1.3
        #expect(abs(statistics.colourfulness - expected) < 1e-9)
        #expect(abs(statistics.redness - 50.0 / 255) < 1e-12)
        #expect(statistics.mean == 15 && statistics.deviation == 15 && statistics.darkness == 0.5)
        #expect(statistics.darkBorder == 0.5 && statistics.highlights == 0)
    }
}
