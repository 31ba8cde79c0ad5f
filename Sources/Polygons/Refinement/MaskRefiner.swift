import Datasets
import Metrics

/// Applies a genome to a mask, in the order: components, holes, convexity, smoothing, growth, snapping, region growing, holes again.
///
/// ```swift
/// let refined = try MaskRefiner(genome).refine(drawn, on: image)
/// ```
///
/// Nothing but the mask and the picture is looked at. A step that would leave nothing is passed over.
public struct MaskRefiner: Sendable, Hashable {
    public let genome: RefinementGenome

    public init(_ genome: RefinementGenome) {
        self.genome = genome
    }

    /// - Throws: `PolygonsError.sizes` when mask and picture differ in size.
    /// - Complexity: O(pixels × smoothing), a few milliseconds for 256×256 pixels.
    public func refine(_ mask: Mask, on image: Image) throws(PolygonsError) -> Mask {
        guard mask.width == image.width, mask.height == image.height else { throw .sizes("a mask and its picture") }
        guard !mask.isEmpty, genome != .identity else { return mask }
        let grey = image.grey().bytes
        let radius = (Double(mask.area) / Double.pi).squareRoot()
        var mask = components(mask)
        mask = try mask.fillingHoles(upTo: genome.holes * Double(mask.area))
        mask = try kept(convexity(mask, radius), instead: mask)
        mask = try kept(smoothed(mask, radius), instead: mask)
        mask = try kept(grown(mask, radius), instead: mask)
        mask = try kept(snapped(mask, grey, radius), instead: mask)
        mask = try kept(regionGrown(mask, grey, radius), instead: mask)
        mask = components(mask)
        return try mask.fillingHoles(upTo: genome.holes * Double(mask.area))
    }

    private func kept(_ next: Mask, instead mask: Mask) -> Mask { next.isEmpty ? mask : next }

    private func components(_ mask: Mask) -> Mask {
        guard genome.components > 0 else { return mask }
        let components = ConnectedComponents(of: mask)
        guard components.count > 1, let largest = components.areas.max() else { return mask }
        return components.keeping(atLeast: Int((genome.components * Double(largest)).rounded(.up)))
    }

    private func convexity(_ mask: Mask, _ radius: Double) throws(PolygonsError) -> Mask {
        guard genome.convexity > 0 else { return mask }
        let hull = try mask.convexHull()
        let distance = DistanceTransform.distances(to: mask)
        let reach = genome.convexity * radius
        let hullValues = hull.values
        return try Mask.of(mask, distance.indices.map { hullValues[$0] == 1 && distance[$0] <= reach ? 1 : 0 })
    }

    private func smoothed(_ mask: Mask, _ radius: Double) throws(PolygonsError) -> Mask {
        let deviation = genome.smoothing * radius
        guard deviation >= 0.2 else { return mask }
        let blurred = GaussianBlur.apply(
            mask.values.map(Double.init), width: mask.width, height: mask.height, deviation: deviation)
        return try Mask.of(mask, blurred.map { $0 > 0.5 ? 1 : 0 })
    }

    private func grown(_ mask: Mask, _ radius: Double) throws(PolygonsError) -> Mask {
        let distance = genome.growth * radius
        guard abs(distance) >= 0.25 else { return mask }
        return try Mask.of(mask, mask.signedDistance().map { $0 <= distance ? 1 : 0 })
    }

    /// In the ring around the outline a pixel belongs to the side whose intensity it has; the sides' means are taken beyond the ring
    /// where there is anything, else in it.
    private func snapped(_ mask: Mask, _ grey: [UInt8], _ radius: Double) throws(PolygonsError) -> Mask {
        let reach = genome.snapReach * radius
        guard reach >= 0.5 else { return mask }
        let distance = mask.signedDistance()
        func mean(_ isWanted: (Double) -> Bool) -> Double? {
            var (sum, count) = (0, 0)
            for index in grey.indices where isWanted(distance[index]) {
                sum += Int(grey[index])
                count += 1
            }
            return count > 0 ? Double(sum) / Double(count) : nil
        }
        guard let inside = mean({ $0 < -reach }) ?? mean({ $0 < 0 }),
            let outside = mean({ $0 > reach && $0 <= 3 * reach }) ?? mean({ $0 > 0 }), inside != outside
        else { return mask }
        let border = inside + genome.snapBalance * (outside - inside)
        let isBright = inside > outside
        return try Mask.of(
            mask,
            grey.indices.map { index in
                if abs(distance[index]) > reach { return distance[index] < 0 ? 1 : 0 }
                return (Double(grey[index]) > border) == isBright ? 1 : 0
            })
    }

    /// Adds what is connected to the mask (4-neighbourhood), like its inside, and at most half a radius away.
    private func regionGrown(_ mask: Mask, _ grey: [UInt8], _ radius: Double) throws(PolygonsError) -> Mask {
        guard genome.regionTolerance > 0 else { return mask }
        var (sum, squares, count) = (0.0, 0.0, 0.0)
        var values = mask.values
        for index in grey.indices where values[index] == 1 {
            let value = Double(grey[index])
            sum += value
            squares += value * value
            count += 1
        }
        let mean = sum / count
        let deviation = max(squares / count - mean * mean, 0).squareRoot()
        let tolerance = genome.regionTolerance * deviation
        let away = DistanceTransform.squaredDistances(to: mask)
        let mostAway = radius * radius / 4
        var front = values.indices.filter { values[$0] == 1 }
        while let pixel = front.popLast() {
            let (x, y) = (pixel % mask.width, pixel / mask.width)
            for (isThere, next) in [
                (x > 0, pixel - 1), (x < mask.width - 1, pixel + 1), (y > 0, pixel - mask.width),
                (y < mask.height - 1, pixel + mask.width),
            ] where isThere && values[next] == 0 && away[next] <= mostAway {
                guard abs(Double(grey[next]) - mean) <= tolerance else { continue }
                values[next] = 1
                front.append(next)
            }
        }
        return try Mask.of(mask, values)
    }
}
