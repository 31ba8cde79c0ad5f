/// Chooses cases and places for the patches of a batch, as nnU-Net 2.8.1's `nnUNetDataLoader`.
///
/// Cases are drawn with replacement. The last third of a batch (a share of 0.33) is cut around a pixel of a foreground class that
/// the case has; the others lie anywhere between half a margin outside of the image on either side.
struct PatchSampler {
    let cases: [PreprocessedCase]
    /// Pixels by case and class.
    private let foreground: [[[Int32]]]
    /// H W that is cut out.
    let size: [Int]
    /// H W that the network gets in the end.
    let finalSize: [Int]
    let batch: Int

    /// The share of a batch that is cut around foreground.
    static let foregroundShare = 0.33

    init(_ cases: [PreprocessedCase], classes: Int, size: [Int], finalSize: [Int], batch: Int) {
        (self.cases, self.size, self.finalSize, self.batch) = (cases, size, finalSize, batch)
        foreground = cases.map { $0.foregroundPixels(classes: classes) }
    }

    /// Whether a place of the batch is cut around foreground.
    func isForeground(_ sample: Int) -> Bool {
        sample >= rounded(Double(batch) * (1 - PatchSampler.foregroundShare))
    }

    /// The patch for a place of the batch.
    func patch(_ sample: Int, _ draws: Draws) -> Patch {
        let index = draws.integer(0...cases.count - 1)
        let source = cases[index]
        return Patch(source, origin: origin(source, foreground[index], isForeground(sample), draws), size: size)
    }

    /// Where patches may begin along an axis of a case.
    func bounds(_ length: Int, _ axis: Int) -> ClosedRange<Int> {
        let margin = max(size[axis] - finalSize[axis], size[axis] - length)
        // Rounded down, as Python's division of a negative number.
        let low = -((margin + 1) / 2)
        return low...(length + margin / 2 + margin % 2 - size[axis])
    }

    private func origin(
        _ source: PreprocessedCase, _ pixels: [[Int32]], _ isForeground: Bool, _ draws: Draws
    ) -> [Int] {
        let bounds = (0..<2).map { self.bounds(source.size[$0], $0) }
        let classes = pixels.filter { !$0.isEmpty }
        guard isForeground, !classes.isEmpty else { return bounds.map { draws.integer($0) } }
        let chosen = classes[draws.integer(0...classes.count - 1)]
        let pixel = Int(chosen[draws.integer(0...chosen.count - 1)])
        let position = [pixel / source.size[1], pixel % source.size[1]]
        return (0..<2).map { max(bounds[$0].lowerBound, position[$0] - size[$0] / 2) }
    }
}
