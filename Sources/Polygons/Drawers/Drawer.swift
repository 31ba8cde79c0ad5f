import Datasets
import Metrics

/// Something that draws a mask on a picture, without a model: a control.
public protocol Drawer: Sendable {
    /// What tables call it.
    var name: String { get }

    /// The mask of a picture; the same for the same picture.
    ///
    /// - Throws: `PolygonsError`.
    func draw(_ image: Image) throws(PolygonsError) -> Mask
}

/// Whether the target is brighter or darker than what surrounds it.
public enum Brightness: String, Sendable, Hashable, Codable {
    case bright, dark

    /// What most labelled pictures show: the mean grey value inside against outside, each picture counting once.
    ///
    /// - Throws: `PolygonsError.noLabels` when no mask has both foreground and background.
    public init(of cases: [(image: Image, truth: Mask)]) throws(PolygonsError) {
        var balance = 0
        var isKnown = false
        for (image, truth) in cases where image.pixels == truth.pixels {
            let (inside, outside) = GreyStatistics.means(image.grey().bytes, truth.values)
            guard let inside, let outside else { continue }
            isKnown = true
            balance += inside > outside ? 1 : inside < outside ? -1 : 0
        }
        guard isKnown else { throw .noLabels }
        self = balance >= 0 ? .bright : .dark
    }
}

enum GreyStatistics {
    /// Mean grey value inside and outside; `nil` where there are no such pixels.
    static func means(_ grey: [UInt8], _ mask: [UInt8]) -> (inside: Double?, outside: Double?) {
        var (sums, counts) = ([0, 0], [0, 0])
        for index in grey.indices {
            sums[Int(mask[index])] += Int(grey[index])
            counts[Int(mask[index])] += 1
        }
        func mean(_ side: Int) -> Double? { counts[side] > 0 ? Double(sums[side]) / Double(counts[side]) : nil }
        return (mean(1), mean(0))
    }
}
