/// The box around everything that is not zero in any channel, as nnU-Net's `crop_to_nonzero`.
///
/// Labels of zero outside of the nonzero region become -1 in the crop, so that normalisation can leave them out. Holes in the region
/// count as inside: what no path of zeros joins to the border of the image (scipy's `binary_fill_holes`, neighbours along axes).
/// A slice of a depth of one has its border everywhere, so 2-D images keep their holes, as they do there.
public struct NonzeroCrop: Sendable, Equatable {
    /// Half-open ranges Z Y X of the original image.
    public let box: [Range<Int>]
    /// What lies in the box.
    public let image: CaseImage
    /// The labels in the box; zero and -1 where none were given.
    public let labels: LabelMap

    /// Costs a few passes over the image. An image without anything keeps its whole box.
    public init(_ image: CaseImage, labels: LabelMap? = nil) throws {
        let nonzero = NonzeroCrop.region(image)
        let box = NonzeroCrop.box(nonzero, image.shape)
        var cropped: [Float] = []
        for channel in 0..<image.channels {
            cropped += NonzeroCrop.cut(image.values, image.shape, box, offset: channel * image.pixels)
        }
        let inside = NonzeroCrop.cut(nonzero, image.shape, box)
        var classes = labels.map { NonzeroCrop.cut($0.values, image.shape, box) } ?? inside.map { _ in 0 }
        for index in classes.indices where classes[index] == 0 && !inside[index] { classes[index] = -1 }
        let shape = box.map(\.count)
        self.box = box
        self.image = try CaseImage(
            channels: image.channels, shape: shape, spacing: image.spacing, values: cropped)
        self.labels = try LabelMap(shape: shape, values: classes)
    }

    /// How much of the image is left.
    func relativeSize(of shape: [Int]) -> Double {
        Double(image.pixels) / Double(shape.reduce(1, *))
    }

    private static func region(_ image: CaseImage) -> [Bool] {
        var nonzero = [Bool](repeating: false, count: image.pixels)
        for channel in 0..<image.channels {
            for pixel in nonzero.indices where image.values[channel * image.pixels + pixel] != 0 {
                nonzero[pixel] = true
            }
        }
        // In a slice of its own every pixel lies at the border.
        return image.shape.contains(1) ? nonzero : filled(nonzero, image.shape)
    }

    /// The region and what it encloses: a flood of the zeros from the border.
    private static func filled(_ region: [Bool], _ shape: [Int]) -> [Bool] {
        let strides = [shape[1] * shape[2], shape[2], 1]
        var isOutside = [Bool](repeating: false, count: region.count)
        var front: [Int] = []
        for index in region.indices where !region[index] {
            let position = strides.indices.map { index / strides[$0] % shape[$0] }
            guard zip(position, shape).contains(where: { $0 == 0 || $0 == $1 - 1 }) else { continue }
            isOutside[index] = true
            front.append(index)
        }
        while let index = front.popLast() {
            for axis in strides.indices {
                let position = index / strides[axis] % shape[axis]
                for step in [-1, 1] where (0..<shape[axis]).contains(position + step) {
                    let neighbour = index + step * strides[axis]
                    guard !region[neighbour], !isOutside[neighbour] else { continue }
                    isOutside[neighbour] = true
                    front.append(neighbour)
                }
            }
        }
        return isOutside.map { !$0 }
    }

    private static func box(_ region: [Bool], _ shape: [Int]) -> [Range<Int>] {
        let strides = [shape[1] * shape[2], shape[2], 1]
        var (low, high) = (shape, [Int](repeating: -1, count: 3))
        for index in region.indices where region[index] {
            for axis in 0..<3 {
                let position = index / strides[axis] % shape[axis]
                low[axis] = min(low[axis], position)
                high[axis] = max(high[axis], position)
            }
        }
        return high[0] < 0 ? shape.map { 0..<$0 } : zip(low, high).map { $0..<$1 + 1 }
    }

    private static func cut<T>(_ values: [T], _ shape: [Int], _ box: [Range<Int>], offset: Int = 0) -> [T] {
        var part: [T] = []
        part.reserveCapacity(box.reduce(1) { $0 * $1.count })
        for z in box[0] {
            for y in box[1] {
                let row = offset + (z * shape[1] + y) * shape[2]
                part += values[row + box[2].lowerBound..<row + box[2].upperBound]
            }
        }
        return part
    }
}
