import Datasets
import Foundation
import Metrics
import TestSupport
import Testing

@testable import Polygons

@Suite(.enabled(if: ReferencePython.interpreter != nil, "needs Python with OpenCV"))
struct OpenCVTests {
    struct Question: Encodable {
        var kind: String
        var rgb: [UInt8]?
        var w: Int?
        var h: Int?
        var grey: [UInt8]?
        var clip: Double?
        var tiles: Int?
    }

    private func ask<Answer: Decodable>(_ questions: [Question], _: Answer.Type) throws -> [Answer] {
        let input = Data(try questions.map { try JSONEncoder().encode($0) }.joined(separator: Data("\n".utf8)))
        return try ReferencePython.run("polygons/colours.py", input: input).split(separator: UInt8(ascii: "\n"))
            .map { try JSONDecoder().decode(Answer.self, from: $0) }
    }

    private func difference(_ a: [UInt8], _ b: [UInt8]) -> Int {
        a.count == b.count ? zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0 : 256
    }

    @Test func coloursAgreeToOneGreyLevel() throws {
        struct Answer: Decodable {
            var lab: [UInt8]
            var hsv: [UInt8]
            var labRGB: [UInt8]
            var hsvRGB: [UInt8]
        }
        var generator = SeededGenerator(seed: Trials.seed("coloursAgreeToOneGreyLevel"))
        var rgb = (0..<30_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for grey in UInt8.min...UInt8.max { rgb += [grey, grey, grey] }
        for corner in 0..<8 { rgb += [corner & 1, corner & 2, corner & 4].map { $0 == 0 ? 0 : 255 } }
        let answer = try #require(try ask([Question(kind: "colours", rgb: rgb)], Answer.self).first)
        var (lab, hsv): ([UInt8], [UInt8]) = ([], [])
        for index in stride(from: 0, to: rgb.count, by: 3) {
            let (l, h) = (
                ColourSpace.lab(red: rgb[index], green: rgb[index + 1], blue: rgb[index + 2]),
                ColourSpace.hsv(red: rgb[index], green: rgb[index + 1], blue: rgb[index + 2])
            )
            lab += [l.l, l.a, l.b]
            hsv += [h.h, h.s, h.v]
        }
        #expect(difference(lab, answer.lab) <= 1)
        // Hues 179 and 0 are neighbours.
        let hues = stride(from: 0, to: hsv.count, by: 3).map { abs(Int(hsv[$0]) - Int(answer.hsv[$0])) }
        #expect(hues.allSatisfy { min($0, 180 - $0) <= 1 })
        for channel in 1...2 {
            let places = stride(from: channel, to: hsv.count, by: 3)
            #expect(difference(places.map { hsv[$0] }, places.map { answer.hsv[$0] }) <= 1)
        }
        // Back from OpenCV's own values, so that one rounding is not counted twice.
        var (fromLab, fromHSV): ([UInt8], [UInt8]) = ([], [])
        for index in stride(from: 0, to: rgb.count, by: 3) {
            let a = ColourSpace.rgb(l: answer.lab[index], a: answer.lab[index + 1], b: answer.lab[index + 2])
            let b = ColourSpace.rgb(h: answer.hsv[index], s: answer.hsv[index + 1], v: answer.hsv[index + 2])
            fromLab += [a.red, a.green, a.blue]
            fromHSV += [b.red, b.green, b.blue]
        }
        #expect(difference(fromLab, answer.labRGB) <= 1)
        #expect(difference(fromHSV, answer.hsvRGB) <= 1)
    }

    @Test func equalizationAgreesToOneGreyLevel() throws {
        struct Answer: Decodable { var grey: [UInt8] }
        var generator = SeededGenerator(seed: Trials.seed("equalizationAgreesToOneGreyLevel"))
        let questions = (0..<(Trials.isVerifying ? 300 : 40)).map { trial in
            let tiles = Int.random(in: 1...8, using: &generator)
            // Some divide, some do not, some do along one side only.
            let width =
                trial % 3 == 0
                ? tiles * Int.random(in: 2...12, using: &generator) : Int.random(in: 9...90, using: &generator)
            let height =
                trial % 2 == 0
                ? tiles * Int.random(in: 2...12, using: &generator) : Int.random(in: 9...90, using: &generator)
            let (base, slope) = (
                Double.random(in: 0...150, using: &generator), Double.random(in: -2...2, using: &generator)
            )
            let grey = (0..<(width * height)).map { index in
                UInt8(
                    min(
                        max(base + slope * Double(index % width) + Double.random(in: -20...20, using: &generator), 0),
                        255))
            }
            return Question(
                kind: "clahe", w: width, h: height, grey: grey,
                clip: Bool.random(using: &generator) ? 2 : Double.random(in: 1...6, using: &generator), tiles: tiles)
        }
        for (question, answer) in zip(questions, try ask(questions, Answer.self)) {
            let (width, height) = (try #require(question.w), try #require(question.h))
            let clahe = CLAHE(clipLimit: try #require(question.clip), tiles: try #require(question.tiles))
            let ours = clahe.apply(try #require(question.grey), width: width, height: height)
            #expect(difference(ours, answer.grey) <= 1, "\(width)×\(height), \(clahe)")
        }
    }
}

@Suite struct SkillTests {
    /// Red tissue with a smooth shade, and white spots on it.
    private func tissue(size: Int = 60, spots: [(Int, Int)] = []) throws -> Image {
        var image = try Image(width: size, height: size, channels: 3)
        for y in 0..<size {
            for x in 0..<size {
                (image[x: x, y: y], image[x: x, y: y, channel: 1]) = (UInt8(150 + x / 3), UInt8(60 + y / 3))
                image[x: x, y: y, channel: 2] = 50
            }
        }
        for (cx, cy) in spots {
            for y in (cy - 2)...(cy + 2) {
                for x in (cx - 2)...(cx + 2) { for channel in 0..<3 { image[x: x, y: y, channel: channel] = 250 } }
            }
        }
        return image
    }

    @Test func reflectionsAreFilledAndNothingElseIsTouched() throws {
        let (plain, spotted) = (try tissue(), try tissue(spots: [(20, 20), (41, 35)]))
        let highlights = SpecularHighlights()
        #expect(try highlights.find(in: plain).isEmpty && highlights.remove(from: plain) == plain)
        let found = try highlights.find(in: spotted)
        #expect(found.area >= 50 && found[x: 20, y: 20] && !found[x: 30, y: 30])
        let mended = try highlights.remove(from: spotted)
        for y in 0..<60 {
            for x in 0..<60 {
                for channel in 0..<3 {
                    let (now, before) = (
                        Int(mended[x: x, y: y, channel: channel]), Int(plain[x: x, y: y, channel: channel])
                    )
                    #expect(found[x: x, y: y] ? abs(now - before) <= 3 : now == before)
                }
            }
        }
        let white = try Image(width: 5, height: 5, channels: 3, fill: 255)
        #expect(try highlights.remove(from: white) == white)
    }

    @Test func theSoftTissueWindowRunsFromMinus160To240() {
        #expect(IntensityWindow.softTissue.apply([-1000, -160, 40, 240, 3000, .nan]) == [0, 0, 128, 255, 255, 0])
    }

    @Test func aTrimmedAndEnlargedPictureKnowsWhereItLay() throws {
        var image = try Image(width: 100, height: 80, channels: 1)
        for y in 10..<70 { for x in 20..<90 { image[x: x, y: y] = UInt8(50 + x) } }
        let trimmed = try Skill.trimLetterbox.apply(to: FramedPicture(image))
        #expect(trimmed.window == Box(left: 20, top: 10, right: 90, bottom: 70) && trimmed.image.width == 70)
        #expect(trimmed.image[x: 0, y: 0] == 70)
        let cropped = try trimmed.cropped(to: Box(left: 10.2, top: 5, right: 40, bottom: 29.5))
        #expect(cropped.window == Box(left: 30, top: 15, right: 60, bottom: 40))
        let zoomed = try cropped.resized(width: 120, height: 100)
        #expect(zoomed.image.width == 120 && zoomed.window == cropped.window)
        #expect(zoomed.original(.points([Point(60, 50)])) == .points([Point(45, 27.5)]))
        #expect(zoomed.original(.boxes([Box(left: 0, top: 0, right: 120, bottom: 100)])) == .boxes([cropped.window]))
        #expect(abs(Int(zoomed.image[x: 60, y: 50]) - (50 + 45)) <= 1)
        let black = try Image(width: 9, height: 9, channels: 1)
        #expect(try Skill.trimLetterbox.apply(to: FramedPicture(black)).image == black)
        #expect(throws: PolygonsError.self) {
            try FramedPicture(black).cropped(to: Box(left: 20, top: 0, right: 30, bottom: 9))
        }
        #expect(throws: PolygonsError.self) { try FramedPicture(black).resized(width: 0, height: 3) }
    }

    @Test func aPyramidZoomsInAroundWhatWasFound() throws {
        let mask = try DrawnShape.boxes([Box(left: 90, top: 10, right: 98, bottom: 20)]).mask(width: 100, height: 100)
        let windows = Windows.pyramid(around: mask, factors: [2, 4], least: 16)
        #expect(
            windows == [Box(left: 68, top: 0, right: 100, bottom: 40), Box(left: 84, top: 5, right: 100, bottom: 25)])
        #expect(Windows.pyramid(around: try Mask(width: 4, height: 4)).isEmpty)
        #expect(Windows.pyramid(around: mask, factors: [100]).first == Box(left: 0, top: 0, right: 100, bottom: 100))
    }

    @Test func theStaticBoxHoldsTheLabelsButForOutliers() throws {
        var masks: [Mask] = []
        for shift in 0..<20 {
            let left = Double(shift == 19 ? 0 : 40 + shift % 3)
            masks.append(
                try DrawnShape.boxes([Box(left: left, top: 20, right: left + 30, bottom: 50)]).mask(
                    width: 100, height: 100))
        }
        let box = try Windows.staticBox(of: masks, trimmed: 0.05, margin: 0.02, width: 200, height: 100)
        #expect([box.left, box.top, box.right, box.bottom].map { ($0 * 1000).rounded() / 1000 } == [76, 18, 148, 52])
        #expect(throws: PolygonsError.noLabels) {
            try Windows.staticBox(of: [Mask(width: 2, height: 2)], width: 9, height: 9)
        }
    }

    @Test func neighbouringSlicesSayWhereTheTargetIs() throws {
        func square(_ x: Double) throws -> Mask {
            try DrawnShape.boxes([Box(left: x, top: 40, right: x + 20, bottom: 60)]).mask(width: 100, height: 100)
        }
        // The third slice was drawn in the wrong place, the fifth not at all.
        let slices = try [square(20), square(22), square(75), square(26), Mask(width: 100, height: 100), square(30)]
        let priors = try CrossSlicePrior.priors(of: slices)
        let third = try #require(priors[2])
        #expect(third.centroid == Point(32, 50) && third.siblings[x: 30, y: 50] && !third.siblings[x: 80, y: 50])
        #expect(try #require(third.deviation) > 3)
        #expect(try #require(priors[3]?.deviation) < 1)
        let fifth = try #require(priors[4])
        #expect(fifth.deviation == nil && fifth.centroid == Point(40, 50))
        #expect(third.window == Box(left: 17, top: 35, right: 47, bottom: 65))
        #expect(try CrossSlicePrior.priors(of: [square(3)]) == [nil])
        #expect(try CrossSlicePrior.priors(of: []).isEmpty)
    }

    @Test func everyModalitysChainWorksOnColourAndGrey() throws {
        for modality in Modality.allCases {
            for channels in [1, 3] {
                let image = try Image(width: 33, height: 20, channels: channels, fill: 120)
                let picture = try modality.prepare(image)
                #expect(picture.image.width == 33 && picture.image.channels == channels)
            }
            let again = try JSONDecoder().decode([Skill].self, from: JSONEncoder().encode(modality.skills))
            #expect(again == modality.skills)
        }
        let red = try Image(width: 1, height: 1, channels: 3, bytes: [200, 100, 100])
        #expect(try Skill.saturate(1.5).apply(to: FramedPicture(red)).image.bytes == [200, 49, 49])
        let grey = try Image(width: 2, height: 1, channels: 1, bytes: [100, 150])
        let window = Skill.window(IntensityWindow(level: 125, width: 50))
        #expect(try window.apply(to: FramedPicture(grey)).image.bytes == [0, 255])
        #expect(
            try Skill.crop(Box(left: 1, top: 0, right: 2, bottom: 1)).apply(to: FramedPicture(grey)).image.bytes == [
                150
            ])
    }
}
