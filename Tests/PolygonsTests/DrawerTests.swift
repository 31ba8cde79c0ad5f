import Datasets
import Foundation
import Metrics
import TestSupport
import Testing

@testable import Polygons

/// Generated pictures with a known target.
enum Scene {
    /// A wavy blob on a background, with noise.
    static func blob(
        using generator: inout SeededGenerator, size: Int = 64, channels: Int = 1, inside: Double = 170,
        outside: Double = 70, noise: Double = 20
    ) throws -> (image: Image, truth: Mask) {
        let middle = Double(size) / 2
        let (cx, cy) = (
            middle + Double.random(in: -0.1...0.1, using: &generator) * middle,
            middle + Double.random(in: -0.1...0.1, using: &generator) * middle
        )
        let radius = Double.random(in: 0.35...0.55, using: &generator) * middle
        let phase = Double.random(in: 0...6, using: &generator)
        var truth = try Mask(width: size, height: size)
        var image = try Image(width: size, height: size, channels: channels)
        for y in 0..<size {
            for x in 0..<size {
                let (dx, dy) = (Double(x) + 0.5 - cx, Double(y) + 0.5 - cy)
                let reach = radius * (1 + 0.15 * sin(3 * atan2(dy, dx) + phase))
                truth[x: x, y: y] = (dx * dx + dy * dy).squareRoot() < reach
                for channel in 0..<channels {
                    let level = (truth[x: x, y: y] ? inside : outside) + 15 * Double(channel)
                    let value = level + Double.random(in: -noise...noise, using: &generator)
                    image[x: x, y: y, channel: channel] = UInt8(min(max(value, 0), 255))
                }
            }
        }
        return (image, truth)
    }

    static func dice(_ a: Mask, _ b: Mask) throws -> Double {
        try ConfusionCounts(predicted: a.values, truth: b.values).dice
    }
}

@Suite struct BlindDrawerTests {
    @Test func theEllipseHasTheTrainingSetsMeanSizeAndSitsInTheMiddle() throws {
        let small = try DrawnShape.boxes([Box(left: 0, top: 0, right: 20, bottom: 10)]).mask(width: 100, height: 50)
        let large = try DrawnShape.boxes([Box(left: 0, top: 0, right: 40, bottom: 30)]).mask(width: 100, height: 50)
        let prior = try ShapePrior(of: [small, large, Mask(width: 9, height: 9)])
        #expect(abs(prior.width - 0.3) < 1e-12 && abs(prior.height - 0.4) < 1e-12 && prior.labels == 2)
        #expect(abs(prior.area - 0.14) < 1e-12)
        let drawn = try CentredEllipse(prior: prior).draw(Image(width: 200, height: 100, channels: 1))
        #expect(drawn.bounds?.columns == 70..<130 && drawn.bounds?.rows == 30..<70)
        #expect(abs(Double(drawn.area) - Double.pi * 30 * 20) < 30)
        #expect(throws: PolygonsError.noLabels) { try ShapePrior(of: [Mask(width: 3, height: 3)]) }
    }

    @Test func theRandomPolygonHasTheMeanAreaAndFollowsFromSeedAndPicture() throws {
        let prior = try ShapePrior(of: [
            DrawnShape.boxes([Box(left: 0, top: 0, right: 30, bottom: 30)]).mask(width: 100, height: 100)
        ])
        let drawer = RandomPolygon(prior: prior, seed: 4)
        var places: Set<Point> = []
        for shade in 0..<40 {
            let image = try Image(width: 300, height: 200, channels: 1, fill: UInt8(shade))
            let outline = drawer.outline(on: image)
            #expect(abs(Polygon(outline: outline).area - 0.09 * 60000) < 1e-6)
            #expect(try drawer.draw(image) == drawer.draw(image))
            places.insert(outline[0])
        }
        #expect(places.count == 40)
        let image = try Image(width: 300, height: 200, channels: 1)
        #expect(drawer.outline(on: image) != RandomPolygon(prior: prior, seed: 5).outline(on: image))
    }
}

@Suite struct ImageDrawerTests {
    @Test func thresholdWatershedAndGraphCutFindAClearTarget() throws {
        var generator = SeededGenerator(seed: Trials.seed("thresholdWatershedAndGraphCutFindAClearTarget"))
        for isDark in [false, true] {
            let (image, truth) = try Scene.blob(
                using: &generator, inside: isDark ? 60 : 180, outside: isDark ? 170 : 70)
            let brightness = try Brightness(of: [(image, truth)])
            #expect(brightness == (isDark ? .dark : .bright))
            let prior = try ShapePrior(of: [truth])
            let drawers: [any Drawer] = [
                OtsuDrawer(brightness: brightness), WatershedDrawer(brightness: brightness),
                GrabCutDrawer(prior: prior),
            ]
            for drawer in drawers {
                let dice = try Scene.dice(drawer.draw(image), truth)
                #expect(dice > 0.9, "\(drawer.name): \(dice)")
            }
        }
        #expect(throws: PolygonsError.noLabels) {
            try Brightness(of: [(Image(width: 2, height: 2, channels: 1), Mask(width: 2, height: 2))])
        }
    }

    @Test func aPictureWithoutContrastGivesAMaskAndNoTrap() throws {
        let prior = try ShapePrior(of: [Mask(width: 4, height: 4).complement])
        for (width, height) in [(1, 1), (3, 1), (40, 30)] {
            let image = try Image(width: width, height: height, channels: 3, fill: 90)
            for brightness in [Brightness.bright, .dark] {
                for drawer: any Drawer in [
                    OtsuDrawer(brightness: brightness), WatershedDrawer(brightness: brightness),
                    GrabCutDrawer(prior: prior), RandomPolygon(prior: prior, seed: 1),
                ] {
                    let mask = try drawer.draw(image)
                    #expect(mask.width == width && mask.height == height)
                }
            }
        }
    }
}

@Suite(.enabled(if: ReferencePython.interpreter != nil, "needs Python with OpenCV, scikit-image and scipy"))
struct DrawerReferenceTests {
    struct Question: Encodable {
        var kind: String
        var grey: [UInt8]?
        var w: Int?
        var h: Int?
        var landscape: [Double]?
        var markers: [Int32]?
        var nodes: Int?
        var edges: [[Int]]?
        var rgb: [UInt8]?
        var box: [Int]?
    }

    struct Answer: Decodable {
        var opencv: Double?
        var skimage: Double?
        var basins: [Int32]?
        var flow: Int?
        var mask: [UInt8]?
    }

    private func ask(_ questions: [Question]) throws -> [Answer] {
        let input = Data(try questions.map { try JSONEncoder().encode($0) }.joined(separator: Data("\n".utf8)))
        return try ReferencePython.run("polygons/drawers.py", input: input).split(separator: UInt8(ascii: "\n"))
            .map { try JSONDecoder().decode(Answer.self, from: $0) }
    }

    @Test func otsusThresholdEqualsOpenCVsAndScikitImages() throws {
        var generator = SeededGenerator(seed: Trials.seed("otsusThresholdEqualsOpenCVsAndScikitImages"))
        let questions = (0..<60).map { _ in
            let (low, high) = (Int.random(in: 0...120, using: &generator), Int.random(in: 121...255, using: &generator))
            return Question(
                kind: "otsu",
                grey: (0..<Int.random(in: 50...2000, using: &generator)).map { _ in
                    UInt8(
                        min(
                            max(
                                (Bool.random(using: &generator) ? low : high)
                                    + Int.random(in: -40...40, using: &generator), 0), 255))
                })
        }
        for (question, answer) in zip(questions, try ask(questions)) {
            let threshold = Double(OtsuDrawer.threshold(of: try #require(question.grey)))
            #expect(threshold == answer.opencv && threshold == answer.skimage)
        }
    }

    @Test func basinsEqualScikitImages() throws {
        var generator = SeededGenerator(seed: Trials.seed("basinsEqualScikitImages"))
        let questions = (0..<40).map { _ in
            let (width, height) = (Int.random(in: 1...30, using: &generator), Int.random(in: 1...30, using: &generator))
            var markers = [Int32](repeating: 0, count: width * height)
            for number in 1...4 { markers[Int.random(in: 0..<markers.count, using: &generator)] = Int32(number) }
            // All different, so that no order among equals matters.
            let landscape = (0..<(width * height)).map { Double($0) }.shuffled(using: &generator)
            return Question(kind: "watershed", w: width, h: height, landscape: landscape, markers: markers)
        }
        for (question, answer) in zip(questions, try ask(questions)) {
            let basins = Watershed.flood(
                try #require(question.landscape), markers: try #require(question.markers),
                width: try #require(question.w), height: try #require(question.h))
            #expect(basins == answer.basins)
        }
    }

    @Test func theMaximumFlowEqualsScipysAndIsTheCutsCapacity() throws {
        var generator = SeededGenerator(seed: Trials.seed("theMaximumFlowEqualsScipysAndIsTheCutsCapacity"))
        let questions = (0..<(Trials.isVerifying ? 2000 : 200)).map { _ in
            let nodes = Int.random(in: 3...40, using: &generator)
            let edges = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                [
                    Int.random(in: 0..<(nodes - 1), using: &generator), Int.random(in: 1..<nodes, using: &generator),
                    Int.random(in: 0...20, using: &generator),
                ]
            }.filter { $0[0] != $0[1] }
            return Question(kind: "flow", nodes: nodes, edges: edges.isEmpty ? [[0, nodes - 1, 1]] : edges)
        }
        for (question, answer) in zip(questions, try ask(questions)) {
            let (nodes, edges) = (try #require(question.nodes), try #require(question.edges))
            // The first node is the source and the last the sink; the others are nodes of the network.
            var network = MaximumFlow(nodes: nodes - 2, edges: edges.count)
            var direct = 0.0
            for edge in edges {
                switch (edge[0], edge[1]) {
                case (0, nodes - 1): direct += Double(edge[2])
                case (0, let node): network.addTerminal(node - 1, source: Double(edge[2]), sink: 0)
                case (let node, nodes - 1): network.addTerminal(node - 1, source: 0, sink: Double(edge[2]))
                default: network.addEdge(edge[0] - 1, edge[1] - 1, capacity: Double(edge[2]), reverse: 0)
                }
            }
            let flow = network.solve() + direct
            try #require(flow == Double(try #require(answer.flow)), "\(edges)")
            func isSource(_ node: Int) -> Bool { node == 0 || (node < nodes - 1 && network.isSource(node - 1)) }
            let cut = edges.reduce(0) { $0 + (isSource($1[0]) && !isSource($1[1]) ? $1[2] : 0) }
            try #require(Double(cut) == flow, "\(edges)")
        }
    }

    @Test func grabCutAgreesWithOpenCVs() throws {
        var generator = SeededGenerator(seed: Trials.seed("grabCutAgreesWithOpenCVs"))
        var scenes: [(image: Image, truth: Mask)] = []
        for _ in 0..<6 {
            scenes.append(try Scene.blob(using: &generator, size: 96, channels: 3, inside: 140, outside: 80, noise: 35))
        }
        let questions = scenes.map {
            Question(kind: "grabcut", w: 96, h: 96, rgb: $0.image.bytes, box: [12, 12, 72, 72])
        }
        for (scene, answer) in zip(scenes, try ask(questions)) {
            let ours = try GrabCut().segment(scene.image, inside: Box(left: 12, top: 12, right: 84, bottom: 84))
            let theirs = try Mask(width: 96, height: 96, values: try #require(answer.mask))
            // Mixtures start from random clusters on both sides.
            let (agreement, dice) = (try Scene.dice(ours, theirs), try Scene.dice(ours, scene.truth))
            #expect(agreement > 0.97, "\(agreement), with the truth \(dice)")
        }
    }
}

@Suite struct CeilingTests {
    @Test func outlinesFilledAgainAreTheMask() throws {
        var generator = SeededGenerator(seed: Trials.seed("outlinesFilledAgainAreTheMask"))
        for _ in 0..<150 {
            let (width, height) = (Int.random(in: 1...25, using: &generator), Int.random(in: 1...25, using: &generator))
            let density = Double.random(in: 0...1, using: &generator)
            let mask = try Mask(
                width: width, height: height,
                values: (0..<(width * height)).map { _ in Double.random(in: 0..<1, using: &generator) < density ? 1 : 0
                })
            let rings = ContourTracing.rings(of: mask)
            var canvas = RasterCanvas(width: width, height: height)
            canvas.fill(rings)
            try #require(canvas.values == mask.values)
            let area = rings.reduce(0) { $0 + Polygon.signedArea($1) }
            #expect(area == Double(mask.area))
            let outlines = rings.count { Polygon.signedArea($0) > 0 }
            #expect(outlines == ConnectedComponents(of: mask, connectivity: .four).count)
            // Everything unnecessary was left out: neighbouring edges turn.
            #expect(rings.allSatisfy { !SelfIntersection.exists(in: $0) && $0.count % 2 == 0 })
        }
    }

    @Test func theTruthIsRedrawnWithExactlySoManyVertices() throws {
        var generator = SeededGenerator(seed: Trials.seed("theTruthIsRedrawnWithExactlySoManyVertices"))
        for _ in 0..<10 {
            let truth = try Scene.blob(using: &generator, size: 128).truth
            var last = 0.0
            for count in RedrawnTruth.counts {
                let redrawn = RedrawnTruth(vertices: count)
                #expect(redrawn.rings(of: truth).reduce(0) { $0 + $1.count } == count)
                let dice = try Scene.dice(redrawn.draw(truth), truth)
                #expect(dice > 0.9 && dice > last - 0.01, "\(count): \(dice)")
                last = dice
            }
            #expect(last > 0.97)
        }
    }

    @Test func smallComponentsGoBeforeLargeOnesLoseTheirShape() throws {
        let truth = try DrawnShape.boxes([
            Box(left: 2, top: 2, right: 40, bottom: 30), Box(left: 44, top: 40, right: 46, bottom: 42),
        ]).mask(width: 50, height: 50)
        #expect(try RedrawnTruth(vertices: 60).draw(truth) == truth)
        let four = RedrawnTruth(vertices: 4).rings(of: truth)
        #expect(four.count == 1 && four[0].count == 4)
        #expect(RedrawnTruth(vertices: 1).rings(of: truth).count == 1)
        #expect(try RedrawnTruth(vertices: 10).draw(Mask(width: 3, height: 3)).isEmpty)
    }
}
