import Testing

@testable import Statistics

@Suite struct StatisticsTests {
    /// Reference values below: NumPy 2, SciPy 1 and Matplotlib 3 on this sample.
    let sample = [0.81, 0.42, 0.93, 0.77, 0.88, 0.79, 0.05, 0.91, 0.84, 0.8, 0.86]

    @Test func summariesEqualNumPys() throws {
        // numpy.mean, numpy.median, numpy.std(ddof=1), scipy.stats.iqr
        #expect(abs(try #require(Statistics.mean(sample)) - 0.732_727_272_727_272_8) < 1e-15)
        #expect(Statistics.median(sample) == 0.81)
        #expect(abs(try #require(Statistics.standardDeviation(sample)) - 0.264_351_694_115_657_57) < 1e-15)
        #expect(abs(try #require(Statistics.interquartileRange(sample)) - 0.09) < 1e-15)
    }

    @Test func quantilesAreOfType7() throws {
        // numpy.quantile(sample, q)
        let expected = [(0.0, 0.05), (0.1, 0.42), (0.25, 0.78), (0.5, 0.81), (0.75, 0.87), (0.9, 0.91), (1.0, 0.93)]
        for (q, value) in expected {
            #expect(abs(try #require(Statistics.quantile(sample, q)) - value) < 1e-12, "\(q)")
        }
        #expect(Statistics.quantile([1, 2, 3, 4], 0.5) == 2.5)
        #expect(Statistics.quantile([7], 0.3) == 7)
        #expect(Statistics.quantile(sample, -0.1) == nil && Statistics.quantile(sample, 1.1) == nil)
        #expect(Statistics.quantile(sample, .nan) == nil)
    }

    @Test func aBoxPlotEqualsMatplotlibs() throws {
        // matplotlib.cbook.boxplot_stats(sample)
        let box = try #require(BoxPlot(sample))
        #expect(box.lowerWhisker == 0.77 && box.upperWhisker == 0.93)
        #expect(abs(box.lowerQuartile - 0.78) < 1e-12 && box.median == 0.81 && abs(box.upperQuartile - 0.87) < 1e-12)
        #expect(box.outliers == [0.05, 0.42])
    }

    @Test func whiskersNeverEndInsideTheBox() throws {
        // The upper quartile is interpolated towards 100, which lies beyond the fence.
        let box = try #require(BoxPlot([0, 0, 0, 1, 100]))
        #expect(box.upperWhisker >= box.upperQuartile && box.lowerWhisker <= box.lowerQuartile)
        let flat = try #require(BoxPlot([3, 3, 3]))
        #expect(flat.lowerWhisker == 3 && flat.upperWhisker == 3 && flat.outliers.isEmpty)
    }

    @Test func samplesThatAnswerNothingGiveNothing() {
        for bad in [[], [1, .nan], [1, .infinity]] {
            #expect(Statistics.mean(bad) == nil && Statistics.median(bad) == nil && BoxPlot(bad) == nil)
            #expect(Statistics.interquartileRange(bad) == nil && Statistics.standardDeviation(bad) == nil)
            #expect(Statistics.bootstrapMean(bad, seed: 1) == nil)
        }
        #expect(Statistics.standardDeviation([1]) == nil)
    }

    @Test func theBootstrapIntervalAgreesWithSciPys() throws {
        // scipy.stats.bootstrap((sample,), numpy.mean, n_resamples=200000, method="percentile"): 0.5664, 0.8555
        let interval = try #require(Statistics.bootstrapMean(sample, resamples: 100_000, seed: 11))
        #expect(abs(interval.lower - 0.5664) < 0.004)
        #expect(abs(interval.upper - 0.8555) < 0.002)
        #expect(interval.level == 0.95)
    }

    @Test func theSameSeedGivesTheSameInterval() {
        let first = Statistics.bootstrapMean(sample, resamples: 500, seed: 3)
        #expect(first == Statistics.bootstrapMean(sample, resamples: 500, seed: 3))
        #expect(first != Statistics.bootstrapMean(sample, resamples: 500, seed: 4))
        #expect(Statistics.bootstrapMean(sample, level: 1, seed: 3) == nil)
        #expect(Statistics.bootstrapMean(sample, resamples: 0, seed: 3) == nil)
    }

    @Test func clustersAreDrawnAsAWhole() throws {
        let values = [0.1, 0.9, 0.4, 0.7, 0.2, 0.6]
        // One value a cluster: the same draws as without clusters.
        #expect(
            Statistics.clusterBootstrapMean(values.map { [$0] }, resamples: 400, seed: 5)
                == Statistics.bootstrapMean(values, resamples: 400, seed: 5))
        // Two clusters of 1 and 3 values have three means that can come out: 0, 3/4 and 1.
        let two = try #require(
            Statistics.clusterBootstrapMean([[0], [1, 1, 1]], level: 0.4, resamples: 4000, seed: 2))
        #expect(two.lower == 0.75 && two.upper == 0.75)
        let wide = try #require(Statistics.clusterBootstrapMean([[0], [1, 1, 1]], resamples: 4000, seed: 2))
        #expect(wide.lower == 0 && wide.upper == 1)
        // Where the values of a cluster are alike, an interval by value is too narrow: five copies shrink it, and clusters do not.
        let copies = values.map { [Double](repeating: $0, count: 5) }
        let (alone, together) = (
            try #require(Statistics.bootstrapMean(values, resamples: 400, seed: 5)),
            try #require(Statistics.clusterBootstrapMean(copies, resamples: 400, seed: 5))
        )
        #expect(abs(alone.lower - together.lower) < 1e-12 && abs(alone.upper - together.upper) < 1e-12)
        let naive = try #require(Statistics.bootstrapMean(copies.flatMap(\.self), resamples: 400, seed: 5))
        #expect(naive.upper - naive.lower < 0.7 * (together.upper - together.lower))
        #expect(Statistics.clusterBootstrapMean([], seed: 1) == nil)
        #expect(Statistics.clusterBootstrapMean([[1], []], seed: 1) == nil)
        #expect(Statistics.clusterBootstrapMean([[1], [.nan]], seed: 1) == nil)
        #expect(Statistics.clusterBootstrapMean([[1], [2]], level: 1, seed: 1) == nil)
        #expect(Statistics.clusterBootstrapMean([[1], [2]], resamples: 0, seed: 1) == nil)
    }

    @Test func aBoundedDrawFavoursNoValue() {
        var generator = SplitMix64(seed: 5)
        var counts = [Int](repeating: 0, count: 6)
        for _ in 0..<60_000 { counts[Int(generator.next(upperBound: 6))] += 1 }
        // Chi-squared with 5 degrees of freedom; 20.5 is exceeded once in a thousand seeds, and the seed is fixed.
        let statistic = counts.reduce(0.0) { $0 + Double(($1 - 10_000) * ($1 - 10_000)) / 10_000 }
        #expect(statistic < 20.5)
    }
}
