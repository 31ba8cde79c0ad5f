/// What is taken out of predicted masks because it helped on the validation images, as nnU-Net's `determine_postprocessing`.
public struct Postprocessing: Sendable, Equatable, Codable {
    /// Sets of classes of which all but the largest connected component become background, in this order.
    public var largestComponentOf: [[Int]]

    /// Steps by hand; none leaves masks as they are.
    public init(largestComponentOf: [[Int]] = []) {
        self.largestComponentOf = largestComponentOf
    }

    /// Tries the largest component of the whole foreground (kept when the mean Dice rises and that of no class falls), then of
    /// each class where there are several (kept when its Dice rises).
    ///
    /// Cost: a pass over all masks for each set of classes.
    public init(predictions: [LabelMap], truth: [LabelMap], classes: Int) {
        largestComponentOf = []
        var current = predictions
        func scores(_ masks: [LabelMap]) -> [Double?] { ClassOverlap.meanDice(masks, truth, classes: classes) }
        let foreground = Array(1..<classes)
        let tried = current.map { Postprocessing.keepingLargest(of: foreground, in: $0) }
        let (before, after) = (scores(current), scores(tried))
        let isBetter = (mean(after) ?? 0) > (mean(before) ?? 0)
        if isBetter, !zip(before, after).contains(where: { ($1 ?? 0) < ($0 ?? 0) }) {
            largestComponentOf.append(foreground)
            current = tried
        }
        guard classes > 2 else { return }
        for label in foreground {
            let tried = current.map { Postprocessing.keepingLargest(of: [label], in: $0) }
            guard (scores(tried)[label - 1] ?? 0) > (scores(current)[label - 1] ?? 0) else { continue }
            largestComponentOf.append([label])
            current = tried
        }
    }

    /// The mask after all steps.
    public func callAsFunction(_ mask: LabelMap) -> LabelMap {
        largestComponentOf.reduce(mask) { Postprocessing.keepingLargest(of: $1, in: $0) }
    }

    /// Without the smaller components of the pixels that have one of the labels; neighbours touch at edges or corners, and of
    /// several largest components all stay.
    static func keepingLargest(of labels: [Int], in mask: LabelMap) -> LabelMap {
        let wanted = Set(labels.map { Int16($0) })
        var component = [Int32](repeating: -1, count: mask.values.count)
        var sizes: [Int] = []
        for start in mask.values.indices where component[start] < 0 && wanted.contains(mask.values[start]) {
            let number = Int32(sizes.count)
            component[start] = number
            var (front, size) = ([start], 0)
            while let pixel = front.popLast() {
                size += 1
                for neighbour in neighbours(of: pixel, mask.shape)
                where component[neighbour] < 0 && wanted.contains(mask.values[neighbour]) {
                    component[neighbour] = number
                    front.append(neighbour)
                }
            }
            sizes.append(size)
        }
        let largest = sizes.max() ?? 0
        var result = mask
        for pixel in component.indices where component[pixel] >= 0 && sizes[Int(component[pixel])] < largest {
            result.values[pixel] = 0
        }
        return result
    }

    private static func neighbours(of pixel: Int, _ shape: [Int]) -> [Int] {
        let position = [pixel / (shape[1] * shape[2]), pixel / shape[2] % shape[1], pixel % shape[2]]
        let ranges = (0..<3).map { max(0, position[$0] - 1)...min(shape[$0] - 1, position[$0] + 1) }
        var result: [Int] = []
        for z in ranges[0] {
            for y in ranges[1] {
                for x in ranges[2] { result.append((z * shape[1] + y) * shape[2] + x) }
            }
        }
        return result
    }
}
