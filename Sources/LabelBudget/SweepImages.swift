import Datasets
import Metrics
import TensorRuntime

/// Pictures of a dataset on the grid that networks learn from.
///
/// A picture is brought to size × size by means over areas, whatever its proportions, and each channel to mean 0 and standard deviation 1; a
/// mask's pixel is foreground where at least half of what it covers is.
struct SweepImages: Sendable {
    /// File names without suffix.
    let samples: [String]
    let size: Int
    let channels: Int
    /// C H W each.
    let images: [[Float]]
    /// 0 and 1, H W each.
    let masks: [[Float]]

    /// - Throws: `DatasetError`.
    init(_ dataset: Dataset, _ samples: [String], size: Int) throws(DatasetError) {
        (self.samples, self.size, channels) = (samples, size, dataset.description.channels)
        var (images, masks): ([[Float]], [[Float]]) = ([], [])
        for sample in samples {
            images.append(Self.standardized(Self.planes(try dataset.image(sample), size: size)))
            masks.append(Self.mask(try dataset.truth(sample), size: size))
        }
        (self.images, self.masks) = (images, masks)
    }

    /// Grey values 0 to 255 on the grid, one plane a channel.
    static func planes(_ image: Image, size: Int) -> [[Float]] {
        (0..<image.channels).map { channel in
            let plane = stride(from: channel, to: image.bytes.count, by: image.channels).map { Float(image.bytes[$0]) }
            return AreaResize.apply(plane, width: image.width, height: image.height, toWidth: size, toHeight: size)
        }
    }

    static func mask(_ truth: Image, size: Int) -> [Float] {
        let plane = truth.bytes.map { $0 == 0 ? Float(0) : 1 }
        return AreaResize.apply(
            plane, width: truth.width, height: truth.height, toWidth: size, toHeight: size
        ).map { $0 >= 0.5 ? 1 : 0 }
    }

    private static func standardized(_ planes: [[Float]]) -> [Float] {
        planes.flatMap { plane in
            let mean = plane.reduce(0, +) / Float(plane.count)
            let square = plane.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(plane.count)
            let deviation = max(square.squareRoot(), 1e-3)
            return plane.map { ($0 - mean) / deviation }
        }
    }

    /// The images of a batch, each flipped as told, with their masks.
    func batch(_ places: [(index: Int, flip: Flip)]) throws -> [String: Tensor] {
        var (image, mask): ([Float], [Float]) = ([], [])
        image.reserveCapacity(places.count * channels * size * size)
        for (index, flip) in places {
            image += flip.apply(images[index], size: size)
            mask += flip.apply(masks[index], size: size)
        }
        return [
            "image": try Tensor(shape: [places.count, channels, size, size], values: image),
            "mask": try Tensor(shape: [places.count, 1, size, size], values: mask),
        ]
    }

    /// Mirroring, the only augmentation of the plain networks.
    struct Flip: Sendable, Hashable {
        var horizontal = false
        var vertical = false

        func apply(_ planes: [Float], size: Int) -> [Float] {
            guard horizontal || vertical else { return planes }
            var result = planes
            for plane in stride(from: 0, to: planes.count, by: size * size) {
                for y in 0..<size {
                    let row = plane + (vertical ? size - 1 - y : y) * size
                    for x in 0..<size {
                        result[plane + y * size + x] = planes[row + (horizontal ? size - 1 - x : x)]
                    }
                }
            }
            return result
        }
    }
}
