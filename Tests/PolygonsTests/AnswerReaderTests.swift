import Metrics
import TestSupport
import Testing

@testable import Polygons

private func read(
    _ text: String, width: Int = 640, height: Int = 480, asked: ShapeKind = .polygon,
    convention: CoordinateConvention = .pixels
) throws -> DrawnAnswer {
    try AnswerReader(width: width, height: height, asked: asked, convention: convention).read(text)
}

private let triangle = [Point(10, 20), Point(200, 30), Point(90, 180)]
private let drawnTriangle = DrawnShape.polygons([Polygon(outline: triangle)])

@Suite struct AnswerDressTests {
    @Test(arguments: [
        (#"{"polygon": [[10, 20], [200, 30], [90, 180]]}"#, DrawnAnswer.Dress.json),
        ("[[10,20],[200,30],[90,180]]", .json),
        ("[10, 20, 200, 30, 90, 180]", .json),
        (#"[{"x": 10, "y": 20}, {"x": 200, "y": 30}, {"y": 180, "x": 90}]"#, .json),
        (#"{"points": ["10,20", "200, 30", "(90, 180)"]}"#, .json),
        (
            #"{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[10,20],[200,30],[90,180],[10,20]]]}}"#,
            .json
        ),
        (#"{"shapes": [{"label": "polyp 1", "points": [[10,20],[200,30],[90,180]], "shape_type": "polygon"}]}"#, .json),
        (#"{"image_size": [640, 480], "scores": [0.9, 0.8, 0.7, 0.6], "contour": [[10,20],[200,30],[90,180]]}"#, .json),
        ("Sure!\n```json\n{\"polygon\": [[10, 20], [200, 30], [90, 180]]}\n```\nI hope this helps.", .fenced),
        ("The outline is [[10, 20], [200, 30], [90, 180]], roughly.", .embedded),
        ("It goes from (10, 20) to (200, 30) and then to (90, 180).", .prose),
        ("1. (10, 20)\n2. (200, 30)\n3. (90, 180)\n", .prose),
        ("1. 10, 20\n2. 200, 30\n3. 90, 180\n", .prose),
        ("x=10, y=20; x=200, y=30; x=90, y=180", .prose),
        (#"<polygon points="10,20 200,30 90,180" fill="red"/>"#, .prose),
        (#"{"segmentation": [[10, 20, 200, 30, 90, 180]], "category_id": 1}"#, .json),
    ])
    func aShapeIsFoundWhateverItsDress(_ text: String, _ dress: DrawnAnswer.Dress) throws {
        let answer = try read(text)
        #expect(answer.shape == drawnTriangle)
        #expect(answer.dress == dress)
        #expect(answer.repairs.isEmpty)
        #expect(answer.convention == .pixels)
    }

    @Test(arguments: [
        "{'polygon': [(10, 20), (200, 30), (90, 180)]}", "{polygon: [[10, 20], [200, 30], [90, 180],],}",
        "[[10, 20], // first\n [200, 30], /* then */ [90, 180]]", "[[10px, 20px], [200px, 30px], [90px, 180px]]",
        "[[10, 20] [200, 30] [90, 180]]",
    ])
    func whatIsNotQuiteJSONIsReadAndRecorded(_ text: String) throws {
        let answer = try read(text)
        #expect(answer.shape == drawnTriangle)
        #expect(answer.repairs == [.lenientSyntax])
    }

    @Test func severalPolygonsAndHolesAreKeptApart() throws {
        let text = #"""
            {"polygons": [
              {"outline": [[100,100],[300,100],[300,300],[100,300]], "holes": [[[150,150],[250,150],[250,250],[150,250]]]},
              {"outline": [[400,100],[500,100],[450,200]]}]}
            """#
        let answer = try read(text)
        guard case .polygons(let polygons) = answer.shape else {
            Issue.record("\(answer)")
            return
        }
        #expect(polygons.count == 2 && polygons[0].holes.count == 1 && polygons[1].holes.isEmpty)
        let mask = try answer.shape.mask(width: 640, height: 480)
        #expect(mask.area == 200 * 200 - 100 * 100 + 5000)
        #expect(!mask[x: 200, y: 200] && mask[x: 120, y: 120] && mask[x: 450, y: 110])
        // Values one after the other are parts of one drawing; those with words between them are drafts.
        let lines = try read("[[0,0],[10,0],[10,10]]\n[[20,20],[30,20],[30,30]]")
        #expect(lines.shape.positions.count == 6 && lines.repairs.isEmpty)
        let draft = try read("First try: [[0,0],[10,0],[10,10]]. Better: [[10,20],[200,30],[90,180]]")
        #expect(draft.shape == drawnTriangle && draft.repairs == [.earlierAnswersIgnored(1)])
    }

    @Test func geoJSONsFurtherRingsAreHoles() throws {
        let answer = try read(
            #"{"type":"MultiPolygon","coordinates":[[[[0,0],[90,0],[90,90],[0,90]],[[30,30],[60,30],[60,60],[30,60]]]]}"#
        )
        #expect(try answer.shape.mask(width: 640, height: 480).area == 90 * 90 - 30 * 30)
    }

    @Test func boxesAndPointsAreReadInTheirForms() throws {
        let box = DrawnShape.boxes([Box(left: 10, top: 20, right: 110, bottom: 220)])
        for text in [
            #"{"bbox": [10, 20, 110, 220]}"#, #"{"x1": 10, "y1": 20, "x2": 110, "y2": 220}"#, "[10, 20, 110, 220]",
            #"{"box": {"xmin": 10, "ymin": 20, "xmax": 110, "ymax": 220}}"#, "(10,20),(110,220)",
            #"{"x": 10, "y": 20, "width": 100, "height": 200}"#,
            #"[{"bbox_2d": [10, 20, 110, 220], "label": "polyp"}]"#,
        ] {
            let answer = try read(text, asked: .box)
            #expect(answer.shape == box && answer.repairs.isEmpty, "\(text): \(answer)")
        }
        #expect(try read(#"{"bbox": [110, 220, 10, 20]}"#, asked: .box).repairs == [.boxAsSize])
        #expect(try read("(110, 220), (10, 20)", asked: .box).repairs == [.boxReordered])
        for text in [#"{"point": [10, 20]}"#, #"{"x": 10, "y": 20}"#, "The centre is at (10, 20).", "x: 10, y: 20"] {
            #expect(try read(text, asked: .point).shape == .points([Point(10, 20)]), "\(text)")
        }
        let instead = try read(#"{"bbox": [10, 20, 110, 220]}"#)
        #expect(instead.shape == box && instead.repairs == [.kind(asked: .polygon)])
    }

    @Test func anEmptyListSaysThatNothingIsThere() throws {
        #expect(try read(#"{"polygons": []}"#).shape == .nothing)
        #expect(try read("[]").shape == .nothing)
        #expect(try read(#"{"found": false, "polygon": []}"#).shape.mask(width: 4, height: 4).isEmpty)
    }
}

@Suite struct CoordinateTests {
    @Test(arguments: [
        ("[[0.25, 0.25], [0.5, 0.25], [0.5, 0.75]]", CoordinateConvention.unit),
        ("[[25%, 25%], [50%, 25%], [50%, 75%]]", .percent),
        ("[[250, 250], [500, 250], [500, 750]]", .thousandths),
    ])
    func partsOfTheSidesBecomePixels(_ text: String, _ convention: CoordinateConvention) throws {
        let expected = DrawnShape.polygons([Polygon(outline: [Point(160, 120), Point(320, 120), Point(320, 360)])])
        let detected = try read(text)
        #expect(detected.shape == expected && detected.convention == convention)
        #expect(detected.repairs.contains(.convention(asked: .pixels)))
        let asked = try read(text, convention: convention)
        #expect(asked.shape == expected && !asked.repairs.contains { if case .convention = $0 { true } else { false } })
    }

    @Test func whatWasAskedForWinsWhereSeveralReadingsFit() throws {
        let text = "[[100, 100], [300, 100], [300, 400]]"
        #expect(try read(text).convention == .pixels)
        let thousandths = try read(text, convention: .thousandths)
        #expect(thousandths.shape.positions.first == Point(64, 48) && thousandths.repairs.isEmpty)
        // Fractions are fractions, also where thousandths were asked for.
        #expect(try read("[[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]", convention: .thousandths).convention == .unit)
    }

    @Test func rowsFirstIsDetectedByTheFrameTheNameOrTheWords() throws {
        let swapped = try read("[[20, 10], [30, 600], [180, 90]]", width: 640, height: 200)
        #expect(swapped.repairs == [.swappedAxes])
        #expect(swapped.shape.positions == [Point(10, 20), Point(600, 30), Point(90, 180)])
        let said = try read("Vertices as [y, x]: [[20, 10], [30, 200], [180, 90]]")
        #expect(said.shape == drawnTriangle && said.repairs == [.swappedAxes])
        let named = try read(#"[{"box_2d": [250, 500, 500, 750], "label": "polyp"}]"#, asked: .box)
        #expect(named.shape == .boxes([Box(left: 320, top: 120, right: 480, bottom: 240)]))
        #expect(named.convention == .thousandths && named.repairs.contains(.swappedAxes))
    }

    @Test func positionsOutsideTheFrameAreKeptAndCounted() throws {
        let answer = try read("[[-50, 20], [2000, 30], [90, 180], [60, 180], [50, 170]]")
        #expect(answer.repairs == [.outOfFrame(2)])
        #expect(throws: AnswerFailure.outOfFrame) { try read("[[5000, 20], [6000, 30], [7000, 180]]") }
        #expect(throws: AnswerFailure.unknownConvention) {
            try read("[[5000, 20], [6000, 30], [7000, 180]]", convention: .thousandths)
        }
    }
}

@Suite struct AnswerRepairTests {
    @Test(arguments: [
        "```json\n{\"polygon\": [[10, 20], [200, 30], [90, 180], [70", "[[10, 20], [200, 30], [90, 180], [70, 1",
        "[[10, 20], [200, 30], [90, 180], ",
        "{\"points\": [{\"x\": 10, \"y\": 20}, {\"x\": 200, \"y\": 30}, {\"x\": 90, \"y\": 180}, {\"x\": 7",
    ])
    func aCutAnswerKeepsWhatWasWhole(_ text: String) throws {
        let answer = try read(text)
        #expect(answer.shape == drawnTriangle && answer.repairs == [.truncated])
    }

    @Test func crossingOutlinesRepeatedVerticesAndEmptyRingsAreRecorded() throws {
        let bow = try read("[[10, 10], [110, 110], [110, 10], [10, 110]]")
        #expect(bow.repairs == [.selfIntersecting])
        #expect(try bow.shape.mask(width: 640, height: 480).area == 4900 + 100)
        let repeated = try read("[[10, 20], [10, 20], [200, 30], [90, 180], [10, 20]]")
        #expect(repeated.shape == drawnTriangle && repeated.repairs == [.repeatedVertices(1)])
        let dropped = try read("[[[10, 20], [200, 30], [90, 180]], [[5, 5], [6, 6], [7, 7]], [[1, 1], [2, 2]]]")
        #expect(dropped.shape == drawnTriangle && dropped.repairs == [.ringsDropped(2)])
    }

    @Test(arguments: [
        ("", AnswerFailure.empty), (" \n\t", .empty), ("I'm sorry, but I can't help with medical images.", .refusal),
        ("I\u{2019}m sorry, I cannot draw.", .refusal), ("The polyp is in the upper left.", .noShape),
        ("[[10, 20], [200, 30], ..., [90, 180]]", .elided), ("[[10, 20], [200, 30], …, [90, 180]]", .elided),
        ("[[10, 20], [200, 30], [90]]", .malformed), ("[[10, 20], [200, 30], [90, 180, 4]]", .malformed),
        ("[10, 20, 200, 30, 90]", .malformed), ("[[10, 20], [200, NaN], [90, 180]]", .malformed),
        ("[[10, 20], [200, 1e300], [90, 180]]", .malformed), ("[[10, 20], [200, 30]]", .degenerate),
        ("[[10, 20], [20, 30], [30, 40]]", .degenerate), ("[[10.1, 10.1], [10.2, 10.1], [10.2, 10.2]]", .degenerate),
        ("(10, 20)", .degenerate),
    ])
    func whatCannotBeReadIsAFailedDrawWithItsReason(_ text: String, _ failure: AnswerFailure) {
        #expect(throws: failure, "\(text)") { try read(text) }
        #expect(!failure.description.isEmpty)
    }

    @Test func sizesAreLimited() throws {
        let many = "[" + (0..<2001).map { "[\($0 % 600), \(($0 * 7) % 400)]" }.joined(separator: ",") + "]"
        #expect(throws: AnswerFailure.tooManyVertices) { try read(many) }
        let long = String(repeating: " ", count: AnswerReader.mostBytes + 1)
        #expect(throws: AnswerFailure.tooLong(bytes: AnswerReader.mostBytes + 1)) { try read(long) }
        #expect(throws: MetricsError.self) { try AnswerReader(width: 0, height: 5) }
    }

    @Test(arguments: [
        "[", "{\"a\":", "(", "[[", "{\"", "[1,", "(1,2)", "#", "\"", "x=1,y=", "1,2 ", "```", "-", "[[1,2],",
    ])
    func aMegabyteOfAnythingIsReadInOneGo(_ unit: String) throws {
        let text = String(String(repeating: unit, count: AnswerReader.mostBytes / unit.utf8.count))
        let reader = try AnswerReader(width: 640, height: 480)
        _ = try? reader.read(text)
    }
}

@Suite struct AnswerFuzzTests {
    private static let seeds = [
        #"{"polygon": [[10, 20], [200, 30], [90, 180]], "holes": [[[20,30],[30,30],[30,40]]]}"#,
        "It goes from (10, 20) to (200, 30) and then to (90, 180).", "x=10, y=20; x=200, y=30; x=90, y=180",
        #"[{"box_2d": [250, 500, 500, 750], "label": "polyp"}]"#, "10,20 30,40 50,60 70%,80%",
        #"{"type": "MultiPolygon", "coordinates": [[[[0,0],[90,0],[90,90],[0,90]]]]}"#,
    ]

    /// Any bytes give a shape inside the limits or a reason, and the same ones each time.
    @Test func noBytesMakeTheReaderTrap() throws {
        var generator = SeededGenerator(seed: Trials.seed("noBytesMakeTheReaderTrap"))
        let alphabet = Array("[](){},.:;'\"-+eE%0123456789xyNan \n#/*`".utf8) + [0, 0xE2, 0x80, 0xA6, 0xFF]
        for trial in 0..<(Trials.isVerifying ? 200_000 : 5000) {
            var bytes: [UInt8]
            if trial % 2 == 0, let seed = Self.seeds.randomElement(using: &generator) {
                bytes = Array(seed.utf8)
                for _ in 0..<Int.random(in: 1...8, using: &generator) where !bytes.isEmpty {
                    let place = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: bytes.remove(at: place)
                    case 1: bytes[place] = alphabet.randomElement(using: &generator) ?? 0
                    case 2: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
                    default: bytes.replaceSubrange(place..., with: bytes[..<place])
                    }
                }
            } else {
                bytes = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator) ?? 0
                }
            }
            let reader = try AnswerReader(
                width: Int.random(in: 1...700, using: &generator), height: Int.random(in: 1...700, using: &generator),
                asked: ShapeKind.allCases.randomElement(using: &generator) ?? .polygon,
                convention: CoordinateConvention.allCases.randomElement(using: &generator) ?? .pixels)
            let first = Result { () throws(AnswerFailure) in try reader.read(bytes) }
            let again = Result { () throws(AnswerFailure) in try reader.read(bytes) }
            try #require(first == again)
            if case .success(let answer) = first {
                try #require(answer.shape.positions.count <= AnswerReader.mostVertices)
                try #require(answer.shape.positions.allSatisfy { $0.x.isFinite && $0.y.isFinite })
                _ = try answer.shape.mask(width: reader.width, height: reader.height)
            }
        }
    }
}
