/// A piece of a preprocessed image, with its labels.
struct Patch: Equatable {
    var channels: Int
    /// H W.
    var size: [Int]
    /// Intensities C H W.
    var values: [Float]
    /// Classes H W; -1 where there is no image.
    var labels: [Int16]

    var pixels: Int { size[0] * size[1] }

    /// The pixels of a channel.
    func channel(_ index: Int) -> Range<Int> { index * pixels..<(index + 1) * pixels }

    /// The part of a case from `origin` on (which may lie outside); what the case does not cover is zero, and -1 in the labels.
    init(_ source: PreprocessedCase, origin: [Int], size: [Int]) {
        self.init(
            channels: source.channels, values: source.values, labels: source.labels, sourceSize: source.size,
            origin: origin, size: size)
    }

    private init(
        channels: Int, values source: [Float], labels sourceLabels: [Int16], sourceSize: [Int], origin: [Int],
        size: [Int]
    ) {
        (self.channels, self.size) = (channels, size)
        let (pixels, sourcePixels) = (size[0] * size[1], sourceSize[0] * sourceSize[1])
        values = [Float](repeating: 0, count: channels * pixels)
        labels = [Int16](repeating: -1, count: pixels)
        let columns = max(0, -origin[1])..<max(max(0, -origin[1]), min(size[1], sourceSize[1] - origin[1]))
        for y in 0..<size[0] where (0..<sourceSize[0]).contains(y + origin[0]) && !columns.isEmpty {
            let row = (y + origin[0]) * sourceSize[1] + origin[1]
            for x in columns { labels[y * size[1] + x] = sourceLabels[row + x] }
            for channel in 0..<channels {
                for x in columns {
                    values[channel * pixels + y * size[1] + x] = source[channel * sourcePixels + row + x]
                }
            }
        }
    }

    init(channels: Int, size: [Int], values: [Float], labels: [Int16]) {
        (self.channels, self.size, self.values, self.labels) = (channels, size, values, labels)
    }

    /// The part around the middle: batchgeneratorsv2's `crop_tensor` at half the size.
    func centre(_ size: [Int]) -> Patch {
        let origin = zip(self.size, size).map { $0 / 2 - $1 / 2 }
        return Patch(
            channels: channels, values: values, labels: labels, sourceSize: self.size, origin: origin, size: size)
    }
}
