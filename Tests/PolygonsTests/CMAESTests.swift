import TestSupport
import Testing

@testable import Polygons

@Suite struct CMAESTests {
    private func minimize(
        _ start: [Double], deviation: Double, seed: UInt64, generations: Int, _ function: ([Double]) -> Double
    ) -> CMAES {
        var search = CMAES(start: start, deviation: deviation, seed: seed)
        while !search.isDone, search.generation < generations, search.best?.value ?? 1 > 1e-14 {
            let points = search.ask()
            search.tell(points, values: points.map(function))
        }
        return search
    }

    private func sphere(_ x: [Double]) -> Double { x.reduce(0) { $0 + ($1 - 0.3) * ($1 - 0.3) } }

    private func rosenbrock(_ x: [Double]) -> Double {
        zip(x, x.dropFirst()).reduce(0) { sum, pair in
            let (a, b) = (pair.1 - pair.0 * pair.0, 1 - pair.0)
            return sum + 100 * a * a + b * b
        }
    }

    @Test func theSphereIsFoundInEightDimensions() throws {
        let seed = Trials.seed("theSphereIsFoundInEightDimensions")
        for offset in 0..<5 {
            let search = minimize(
                [Double](repeating: 1, count: 8), deviation: 0.5, seed: seed + UInt64(offset), generations: 400, sphere)
            let best = try #require(search.best)
            #expect(best.value <= 1e-14 && best.point.allSatisfy { abs($0 - 0.3) < 1e-6 })
            // Hansen's tutorial code needs about 1600 evaluations for 1e-14; twice as many would be a fault.
            #expect(search.generation * search.population < 3200, "\(search.generation)")
        }
    }

    @Test func rosenbrocksValleyIsFollowedToItsEnd() throws {
        let seed = Trials.seed("rosenbrocksValleyIsFollowedToItsEnd")
        var found = 0
        for offset in 0..<5 {
            let search = minimize(
                [Double](repeating: 0, count: 8), deviation: 0.3, seed: seed + UInt64(offset), generations: 3000,
                rosenbrock)
            found += try #require(search.best).value < 1e-12 ? 1 : 0
        }
        // The valley has a second, local minimum near (−1, 1, …, 1), where now and then a search ends.
        #expect(found >= 3)
    }

    @Test func stepsAdaptToScalesAThousandfoldApart() throws {
        let search = minimize(
            [1, 1, 1, 1, 1], deviation: 0.5, seed: Trials.seed("stepsAdaptToScalesAThousandfoldApart"),
            generations: 1500
        ) { x in x.enumerated().reduce(0) { $0 + ($1.offset % 2 == 0 ? 1 : 1e6) * $1.element * $1.element } }
        #expect(try #require(search.best).value <= 1e-14)
    }

    @Test func theSameSeedSearchesTheSame() {
        let runs = [3, 3, 4].map { minimize([1, 1], deviation: 0.5, seed: $0, generations: 20, sphere).mean }
        #expect(runs[0] == runs[1] && runs[0] != runs[2])
    }

    @Test func valuesThatAreNoNumberLose() {
        let search = minimize([1, 1], deviation: 0.5, seed: 3, generations: 200) { $0[0] > 0.9 ? .nan : sphere($0) }
        #expect(search.best.map { $0.value < 1e-10 } == true)
    }

    @Test func eigenvectorsMakeTheMatrixAgain() {
        var generator = SeededGenerator(seed: Trials.seed("eigenvectorsMakeTheMatrixAgain"))
        for size in 1...9 {
            var matrix = SymmetricMatrix(identity: size)
            for _ in 0..<size {
                matrix.add(
                    Double.random(in: 0...3, using: &generator),
                    (0..<size).map { _ in Double.random(in: -1...1, using: &generator) })
            }
            let eigen = matrix.eigen()
            for column in 0..<size {
                let vector = (0..<size).map { $0 == column ? 1.0 : 0 }
                let again = eigen.vectors.times(
                    zip(eigen.vectors.transposedTimes(vector), eigen.values).map { $0 * $1 })
                for row in 0..<size { #expect(abs(again[row] - matrix.values[row * size + column]) < 1e-12) }
            }
        }
    }
}
