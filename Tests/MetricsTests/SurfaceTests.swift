import TestSupport
import Testing

@testable import Metrics

/// A mask from rows of `#` and `.`.
func drawn(_ rows: String...) throws -> Mask {
    try Mask(
        width: rows[0].count, height: rows.count, values: rows.joined().utf8.map { $0 == UInt8(ascii: "#") ? 1 : 0 })
}

@Suite struct SurfaceTests {
    @Test func theSurfaceHasBackgroundOrTheFrameBesideIt() throws {
        let ring = MaskSurface(of: try drawn("#####", "#####", "#####", "#####"))
        #expect(ring.values == (try drawn("#####", "#...#", "#...#", "#####")).values)
        #expect(ring.count == 14)
        // A hole that touches a pixel at its corner only makes it no surface.
        let holed = MaskSurface(
            of: try drawn(".......", ".#####.", ".#####.", ".##.##.", ".#####.", ".......", "......."))
        #expect(
            holed.values
                == (try drawn(".......", ".#####.", ".#.#.#.", ".##.##.", ".#####.", ".......", ".......")).values)
    }

    @Test func distancesAreThoseOfTheNearestSurfacePixels() throws {
        let distances = try SurfaceDistances(
            predicted: try drawn("#....", ".....", "....."), truth: try drawn("...#.", ".....", "#...."))
        #expect(distances.toTruth == [2])
        #expect(distances.toPrediction == [3, 2])
        #expect(distances.hausdorff == 3)
        #expect(distances.averageSymmetric == 7.0 / 3)
        #expect(distances.averageOfDirections == (2 + 2.5) / 2)
        #expect(abs(distances.hausdorff95 - 2.95) < 1e-12)
        #expect(distances.emptiness == .neither)
    }

    @Test func distancesAreInMillimetresWhereTheSpacingIs() throws {
        let spacing = try PixelSpacing(millimetresX: 0.5, y: 4)
        let distances = try SurfaceDistances(
            predicted: try drawn("#....", ".....", "....."), truth: try drawn("...#.", ".....", "#...."),
            spacing: spacing)
        #expect(distances.toTruth == [1.5])
        #expect(distances.toPrediction == [1.5, 8])
        let scores = try SegmentationScores(
            predicted: try drawn("#.#", "..."), truth: try drawn("#..", "..#"), spacing: spacing, boundaryTolerance: 1)
        #expect(scores.unit == .millimetres)
        #expect(scores.dice == 0.5 && scores.boundaryF1 == 2 * 1 * 0.5 / 1.5)
    }

    @Test func boundaryF1CountsBothDirectionsAndSurfaceDiceAllPixels() throws {
        let distances = try SurfaceDistances(predicted: try drawn("#...#....#"), truth: try drawn("#........."))
        #expect(try distances.boundaryF1(tolerance: 0) == 2 * (1.0 / 3) / (4.0 / 3))
        #expect(try distances.surfaceDice(tolerance: 0) == 0.5)
        #expect(abs(try distances.boundaryF1(tolerance: 4) - 0.8) < 1e-12)
        let apart = try SurfaceDistances(predicted: try drawn("#........."), truth: try drawn(".........#"))
        #expect(try apart.boundaryF1(tolerance: 1) == 0)
    }

    @Test func emptyMasksAgreeWithEachOtherAndAreAsFarAsCanBeFromAnythingElse() throws {
        let (empty, some) = (try drawn("....", "....", "....", "...."), try drawn("....", ".#..", "....", "...."))
        let both = try SegmentationScores(predicted: empty, truth: empty)
        #expect(both.dice == 1 && both.hausdorff95 == 0 && both.averageSurfaceDistance == 0 && both.boundaryF1 == 1)
        #expect(both.emptiness == .both)
        let diagonal = 18.0.squareRoot()
        for (predicted, truth, emptiness) in [
            (empty, some, SurfaceDistances.Emptiness.prediction), (some, empty, .truth),
        ] {
            let scores = try SegmentationScores(predicted: predicted, truth: truth)
            #expect(scores.dice == 0 && scores.iou == 0 && scores.boundaryF1 == 0)
            #expect(scores.hausdorff95 == diagonal && scores.averageSurfaceDistance == diagonal)
            #expect(scores.emptiness == emptiness)
            let distances = try SurfaceDistances(predicted: predicted, truth: truth)
            #expect(distances.hausdorff == diagonal && distances.averageOfDirections == diagonal)
            #expect(try distances.surfaceDice(tolerance: 1) == 0)
        }
    }

    @Test func theTransformEqualsASearchOverAllPairs() throws {
        var masks = RandomMasks(generator: SeededGenerator(seed: Trials.seed("theTransformEqualsASearchOverAllPairs")))
        for _ in 0..<60 {
            let mask = try masks.mask(
                Int.random(in: 1...20, using: &masks.generator), Int.random(in: 1...20, using: &masks.generator))
            let transform = DistanceTransform.squaredDistances(to: mask)
            for (index, distance) in transform.enumerated() {
                let (x, y) = (index % mask.width, index / mask.width)
                let nearest =
                    mask.values.indices.filter { mask.values[$0] != 0 }.map { other in
                        let (dx, dy) = (other % mask.width - x, other / mask.width - y)
                        return Double(dx * dx + dy * dy)
                    }.min() ?? .infinity
                try #require(distance == nearest, "\(mask) at \(x), \(y)")
            }
        }
    }

    @Test func quantilesWithoutSortingEqualThoseOfSortedValues() throws {
        var generator = SeededGenerator(seed: Trials.seed("quantilesWithoutSortingEqualThoseOfSortedValues"))
        for _ in 0..<500 {
            let count = Int.random(in: 1...60, using: &generator)
            var values = (0..<count).map { _ in Double(Int.random(in: 0...9, using: &generator)) }
            let fraction = Double.random(in: 0...1, using: &generator)
            let sorted = values.sorted()
            let position = fraction * Double(count - 1)
            let low = Int(position)
            let expected = sorted[low] + (position - Double(low)) * (sorted[min(low + 1, count - 1)] - sorted[low])
            #expect(abs(OrderStatistic.quantile(&values, fraction) - expected) < 1e-12)
        }
    }

    @Test func whatCannotBeComparedIsRefused() throws {
        let (small, large) = (try drawn("#."), try drawn("#..", "..."))
        #expect(throws: MetricsError.frames(2, 1, 3, 2)) { try SurfaceDistances(predicted: small, truth: large) }
        #expect(throws: MetricsError.frames(2, 1, 3, 2)) { try small.union(large) }
        #expect(throws: MetricsError.spacing(x: 0, y: 1)) { try PixelSpacing(millimetresX: 0, y: 1) }
        #expect(throws: MetricsError.tolerance(-1)) {
            try SurfaceDistances(predicted: small, truth: small).boundaryF1(tolerance: -1)
        }
        #expect(throws: MetricsError.shape(width: 2, height: 2, samples: 3)) {
            try Mask(width: 2, height: 2, values: [0, 1, 0])
        }
        #expect(throws: MetricsError.self) { try Mask(width: .max, height: 2) }
        #expect(MetricsError.tolerance(-1).description.contains("not negative"))
    }
}

@Suite struct MaskTests {
    @Test func setsOfPixelsCombine() throws {
        let (a, b) = (try drawn("##.", "..."), try drawn(".##", "..."))
        #expect(try a.union(b) == drawn("###", "..."))
        #expect(try a.intersection(b) == drawn(".#.", "..."))
        #expect(try a.subtracting(b) == drawn("#..", "..."))
        #expect(a.complement == (try drawn("..#", "###")))
        #expect(a.area == 2 && !a.isEmpty && a.bounds?.columns == 0..<2 && a.bounds?.rows == 0..<1)
        #expect(a.centroid?.x == 1 && a.centroid?.y == 0.5)
    }

    @Test func componentsTouchAtCornersWhenEightNeighboursCount() throws {
        let mask = try drawn("#.#.", ".#..", "....", "##.#")
        let eight = ConnectedComponents(of: mask, connectivity: .eight)
        #expect(eight.areas == [3, 2, 1])
        #expect(eight.labels == [1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 2, 0, 3])
        #expect(ConnectedComponents(of: mask, connectivity: .four).areas == [1, 1, 1, 2, 1])
        #expect(eight.largest == eight.mask(of: 1))
        #expect(eight.keeping(2).area == 5 && eight.keeping(atLeast: 2).area == 5 && eight.keeping(0).isEmpty)
        #expect(ConnectedComponents(of: try Mask(width: 3, height: 2)).largest.isEmpty)
    }
}
