import Datasets
import Metrics

/// Flooding of the gradient from markers (Beucher and Meyer 1993), the markers from Otsu's threshold.
///
/// The foreground's marker is the core of the largest component: what lies at least half as deep as its deepest pixel. The
/// background's marker lies as far outside of it, and is the frame's border where nothing does.
public struct WatershedDrawer: Drawer {
    public let name = "watershed"
    public let brightness: Brightness

    public init(brightness: Brightness) {
        self.brightness = brightness
    }

    public func draw(_ image: Image) throws(PolygonsError) -> Mask {
        let otsu = try OtsuDrawer(brightness: brightness).draw(image)
        guard !otsu.isEmpty else { return otsu }
        let depth = DistanceTransform.distances(to: otsu.complement)
        let deepest = depth.filter(\.isFinite).max() ?? 0
        guard deepest > 0 else { return otsu }
        let away = DistanceTransform.distances(to: otsu)
        var markers = [Int32](repeating: 0, count: image.pixels)
        for index in markers.indices {
            if depth[index] >= deepest / 2 {
                markers[index] = 1
            } else if away[index] > deepest / 2 {
                markers[index] = 2
            }
        }
        if !markers.contains(2) {
            for index in markers.indices where markers[index] == 0 && isBorder(index, image) { markers[index] = 2 }
        }
        let gradient = Gradient.sobelMagnitude(
            image.grey().bytes.map(Double.init), width: image.width, height: image.height)
        let basins = Watershed.flood(gradient, markers: markers, width: image.width, height: image.height)
        return try Mask.of(otsu, basins.map { $0 == 1 ? 1 : 0 })
    }

    private func isBorder(_ index: Int, _ image: Image) -> Bool {
        let (x, y) = (index % image.width, index / image.width)
        return x == 0 || y == 0 || x == image.width - 1 || y == image.height - 1
    }
}

/// Basins of a landscape.
public enum Watershed {
    private struct Front {
        var level: Double
        var age: Int
        var pixel: Int
    }

    /// The basin of each pixel: from each marker water rises through pixels that share an edge, lowest first, of equal ones the one
    /// reached first, as `skimage.segmentation.watershed`.
    ///
    /// - Parameters:
    ///   - landscape: layout H W.
    ///   - markers: positive numbers where basins begin, 0 elsewhere.
    /// - Returns: the number of each pixel's basin; 0 everywhere without markers.
    /// - Complexity: O(pixels log pixels).
    public static func flood(_ landscape: [Double], markers: [Int32], width: Int, height: Int) -> [Int32] {
        var basins = markers
        var heap = BinaryHeap<Front> { ($0.level, $0.age) < ($1.level, $1.age) }
        for pixel in markers.indices where markers[pixel] != 0 {
            heap.push(Front(level: landscape[pixel], age: 0, pixel: pixel))
        }
        var age = 0
        while let front = heap.pop() {
            let (x, y) = (front.pixel % width, front.pixel / width)
            func reach(_ pixel: Int) {
                guard basins[pixel] == 0 else { return }
                age += 1
                basins[pixel] = basins[front.pixel]
                heap.push(Front(level: landscape[pixel], age: age, pixel: pixel))
            }
            if y > 0 { reach(front.pixel - width) }
            if x > 0 { reach(front.pixel - 1) }
            if x < width - 1 { reach(front.pixel + 1) }
            if y < height - 1 { reach(front.pixel + width) }
        }
        return basins
    }
}
