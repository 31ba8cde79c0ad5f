import Foundation
import Metrics
import TestSupport
import Testing

@testable import Polygons

private func mask(_ width: Int, _ text: String) throws -> Mask {
    try Mask(width: width, height: text.utf8.count / width, values: text.utf8.map { $0 - UInt8(ascii: "0") })
}

@Suite struct ConsensusTests {
    @Test func meanAndMajorityDifferAtATie() throws {
        let draws = [try mask(3, "110000"), try mask(3, "011000")]
        #expect(try Consensus.mean(draws) == [0.5, 1, 0.5, 0, 0, 0])
        #expect(try Consensus.mean(draws, atLeast: 0.5) == mask(3, "111000"))
        #expect(try Consensus.majority(draws) == mask(3, "010000"))
        #expect(try Consensus.majority(draws + [mask(3, "110000")]) == mask(3, "110000"))
    }

    @Test func selfConsistencyIsTheMeanOfAllPairs() throws {
        let draws = [try mask(4, "1100"), try mask(4, "1100"), try mask(4, "0110")]
        #expect(try Consensus.selfConsistency(draws) == (1 + 1.0 / 3 + 1.0 / 3) / 3)
        #expect(try Consensus.selfConsistency([draws[0]]) == nil)
        #expect(try Consensus.selfConsistency([mask(2, "00"), mask(2, "00")]) == 1)
    }

    @Test func whatCannotBeCombinedIsRefused() throws {
        #expect(throws: PolygonsError.drawings(0)) { try Consensus.mean([]) }
        #expect(throws: PolygonsError.sizes("drawings of one picture")) {
            try Consensus.majority([mask(2, "00"), mask(1, "00")])
        }
        #expect(throws: PolygonsError.drawings(65)) { try STAPLE([Mask](repeating: mask(2, "01"), count: 65)) }
        #expect(throws: PolygonsError.parameter("the fraction of drawings", 0, 0...1)) {
            try Consensus.mean([mask(2, "00")], atLeast: 0)
        }
        #expect(PolygonsError.drawings(0).description.contains("1 to 64"))
    }
}

@Suite struct STAPLETests {
    struct Case: Decodable {
        var width: Int
        var masks: [String]
        var probability: [Double]
        var sensitivity: [Double]
        var specificity: [Double]
    }

    @Test func probabilitiesAndRatesEqualITKs() throws {
        let file = ReferencePython.fixtures.appending(path: "polygons/staple.json")
        let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
        #expect(cases.count == 5)
        for (number, reference) in cases.enumerated() {
            let staple = try STAPLE(reference.masks.map { try mask(reference.width, $0) })
            #expect(staple.hasConverged)
            let differences = [
                zip(staple.probability, reference.probability), zip(staple.sensitivity, reference.sensitivity),
                zip(staple.specificity, reference.specificity),
            ].map { $0.map { abs($0 - $1) }.max() ?? 1 }
            // ITK ends when the squares of a step sum to 1e-14, which in the slowest case is 3e-5 before the fixed point.
            #expect(differences.allSatisfy { $0 < 1e-4 }, "case \(number): \(differences)")
        }
    }

    @Test func drawingsThatAgreeAreTheTruth() throws {
        let draw = try mask(4, "01100110")
        let staple = try STAPLE([draw, draw, draw])
        #expect(try staple.mask == draw)
        #expect(staple.sensitivity == [1, 1, 1] && staple.specificity == [1, 1, 1])
        let nothing = try STAPLE([mask(3, "000"), mask(3, "000")])
        #expect(try nothing.mask.isEmpty && nothing.hasConverged)
        #expect(try STAPLE([mask(3, "111")]).mask == mask(3, "111"))
    }

    @Test func aBadDrawerIsOutvotedByItsRecord() throws {
        // Two that agree nearly everywhere, and one that draws the contrary.
        let staple = try STAPLE([mask(8, "0111111000000000"), mask(8, "0111110000000000"), mask(8, "1000000111111111")])
        #expect(staple.sensitivity[2] < 0.1 && staple.specificity[0] > 0.9)
        #expect(try staple.mask.area >= 5 && staple.mask.area <= 6)
    }
}
