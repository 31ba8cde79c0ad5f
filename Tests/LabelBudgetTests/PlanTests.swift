import Testing

@testable import LabelBudget

@Suite("What a sweep trains")
struct PlanTests {
    private let samples = (0..<120).map { "image-\($0)" }

    @Test("Budgets are nested, in what is learnt from and in what is validated on")
    func nested() throws {
        for seed in 0..<5 {
            let subsets = try [5, 10, 25, 50, 100, 120].map { try LabelSubset(of: samples, labels: $0, seed: seed) }
            for (subset, labels) in zip(subsets, [5, 10, 25, 50, 100, 120]) {
                #expect(subset.training.count + subset.validation.count == labels)
                #expect(subset.validation.count == labels / 5)
                #expect(Set(subset.training).isDisjoint(with: subset.validation))
            }
            for (small, large) in zip(subsets, subsets.dropFirst()) {
                #expect(Array(large.training.prefix(small.training.count)) == small.training)
                #expect(Array(large.validation.prefix(small.validation.count)) == small.validation)
            }
        }
    }

    @Test("A seed means the same labels whatever order the samples come in, another seed others")
    func seeded() throws {
        let subset = try LabelSubset(of: samples, labels: 25, seed: 3)
        #expect(try LabelSubset(of: samples.reversed(), labels: 25, seed: 3) == subset)
        #expect(try LabelSubset(of: samples, labels: 25, seed: 4) != subset)
    }

    @Test("A budget that cannot be drawn is refused", arguments: [-1, 0, 4, 121])
    func refusedBudgets(labels: Int) {
        let error = #expect(throws: SweepError.self) {
            try LabelSubset(of: samples, labels: labels, seed: 0, dataset: "skin")
        }
        #expect(
            error?.description.contains("\(labels) labels cannot be drawn from the 120 training images of skin") == true
        )
        #expect(error?.description.contains("from 5 to 120") == true)
    }

    @Test("Sizes that do not halve, steps that do not divide, one seed and an empty plan are refused")
    func refusedPlans() {
        for size in [0, -64, 16, 40, 100, 1024] {
            #expect(throws: SweepError.size(size)) { try SweepPlan(size: size) }
        }
        for steps in [0, -10, 5, 301, 1_000_000] {
            #expect(throws: SweepError.steps(steps)) { try SweepPlan(steps: steps) }
        }
        for seeds in [0, 1, 101] { #expect(throws: SweepError.seeds(seeds)) { try SweepPlan(seeds: seeds) } }
        #expect(throws: SweepError.emptyPlan("network")) { try SweepPlan(networks: []) }
        #expect(throws: SweepError.emptyPlan("budget of labels")) { try SweepPlan(budgets: []) }
    }

    @Test("A plan trains each network once a budget and seed, small budgets first")
    func items() throws {
        let plan = try SweepPlan(
            networks: [.unet, .nnunet, .unet], budgets: [50, 10, 50], seeds: 3, size: 64, steps: 300)
        #expect(plan.items.count == 2 * 2 * 3 && Set(plan.items).count == 12)
        #expect(plan.items.map(\.labels) == [10, 10, 10, 10, 10, 10, 50, 50, 50, 50, 50, 50])
    }

    @Test("Shrinking takes means over areas; what has the size already stays")
    func areas() {
        // Three pixels to two: each new one covers one and a half.
        #expect(AreaResize.apply([0, 3, 9], width: 3, height: 1, toWidth: 2, toHeight: 1) == [1, 7])
        #expect(AreaResize.apply([1, 2, 3, 6], width: 2, height: 2, toWidth: 1, toHeight: 1) == [3])
        #expect(AreaResize.apply([1, 2, 3, 6], width: 2, height: 2, toWidth: 2, toHeight: 2) == [1, 2, 3, 6])
        #expect(AreaResize.apply([1, 5], width: 2, height: 1, toWidth: 4, toHeight: 1) == [1, 1, 5, 5])
        let random = (0..<(37 * 23)).map { Float(($0 * 7919) % 101) }
        let small = AreaResize.apply(random, width: 37, height: 23, toWidth: 11, toHeight: 9)
        let (before, after) = (random.reduce(0, +) / 851, small.reduce(0, +) / 99)
        #expect(abs(before - after) < 1e-3, "the mean stays")
    }

    @Test("Each round takes every image once, flips vary, and a step is the same whenever it is asked for")
    func order() {
        let order = SampleOrder(count: 20, batch: 8, seed: 5)
        let places = (0..<5).flatMap { order.places(step: $0) }
        #expect(Set(places[0..<20].map(\.index)) == Set(0..<20) && Set(places[20..<40].map(\.index)) == Set(0..<20))
        #expect(places[0..<20].map(\.index) != places[20..<40].map(\.index))
        #expect(Set(places.map(\.flip)).count == 4)
        #expect(order.places(step: 3).map(\.index) == places[24..<32].map(\.index))
        let flip = SweepImages.Flip(horizontal: true, vertical: false)
        #expect(flip.apply([1, 2, 3, 4, 5, 6, 7, 8], size: 2) == [2, 1, 4, 3, 6, 5, 8, 7])
        #expect(SweepImages.Flip(horizontal: false, vertical: true).apply([1, 2, 3, 4], size: 2) == [3, 4, 1, 2])
    }
}
