import Foundation

/// Makes one magnetic resonance image of a slice as a scanner might have given it: another position of the head, another receiver gain
/// and contrast, an uneven coil, noise. The anatomy stays what it is.
///
/// In this order: rotation, scale and shift about the centre (bilinear for the image, nearest neighbour for the mask, with the same
/// coordinates); grey values to the power `gamma`; a multiplicative bias field; gain; Rician noise, the magnitude of a complex signal with
/// Gaussian noise of the given standard deviation in both parts (Gudbjartsson and Patz 1995); a display window that hides the lowest
/// 1.6 standard deviations of noise; 86 grey levels, 0 to 255 in steps of 3.
///
/// The bias field is `exp(ln(1 + peak) f)` with f a sum of the eight lowest non-constant cosines, their weights normal and falling with
/// frequency, divided by its largest magnitude: smooth, and nowhere beyond 1 + peak or below its inverse.
struct SimulatedAcquisition {
    /// Ranges that the parameters of one image are drawn from.
    struct Ranges {
        var rotationDegrees = -25.0...25.0
        var scale = 0.82...1.1
        /// Pixels.
        var shift = -10.0...10.0
        var gamma = 0.75...1.3
        var biasField = 0.3...0.65
        var gain = 0.6...1.1
        var noise = 0.012...0.035
    }

    /// The picture that comes out.
    struct Grid {
        var width = 160
        var height = 192
        /// Millimetres a pixel, before `scale`.
        var spacing = 1.15
    }

    /// Fraction of the noise's standard deviation that the display window hides.
    private static let window = 1.6
    /// Grey levels between two neighbouring output values.
    private static let step = 3.0

    let parameters: DatasetDescription.Acquisition
    let grid: Grid
    /// Continues where the drawing of the parameters ended: bias field and noise.
    private var generator: SeededGenerator

    /// Draws the parameters of one image; the seed fixes them, the bias field and the noise.
    init(slice: Int, seed: UInt64, ranges: Ranges = Ranges(), grid: Grid = Grid()) {
        var generator = SeededGenerator(seed: seed)
        parameters = DatasetDescription.Acquisition(
            slice: slice, rotationDegrees: generator.parameter(in: ranges.rotationDegrees),
            scale: generator.parameter(in: ranges.scale),
            shift: [generator.parameter(in: ranges.shift), generator.parameter(in: ranges.shift)],
            biasField: generator.parameter(in: ranges.biasField), gain: generator.parameter(in: ranges.gain),
            noise: generator.parameter(in: ranges.noise), seed: seed, gamma: generator.parameter(in: ranges.gamma))
        self.grid = grid
        self.generator = generator
    }

    /// - Parameters:
    ///   - slice: Signal in [0, 1], layout H W.
    ///   - mask: Foreground, of the same layout.
    ///   - spacing: Millimetres along x and y.
    func acquire(slice: [Float], mask: [Bool], width: Int, height: Int, spacing: (x: Double, y: Double)) -> (
        image: Image, mask: Image
    ) {
        var generator = generator
        let bias = biasField(&generator)
        let angle = parameters.rotationDegrees * .pi / 180
        let (cosine, sine) = (cos(angle), sin(angle))
        let millimetres = grid.spacing / parameters.scale
        var image = [UInt8](repeating: 0, count: grid.width * grid.height)
        var truth = image
        for y in 0..<grid.height {
            for x in 0..<grid.width {
                let dx = (Double(x) - Double(grid.width - 1) / 2 - parameters.shift[0]) * millimetres
                let dy = (Double(y) - Double(grid.height - 1) / 2 - parameters.shift[1]) * millimetres
                let sourceX = (cosine * dx + sine * dy) / spacing.x + Double(width - 1) / 2
                let sourceY = (cosine * dy - sine * dx) / spacing.y + Double(height - 1) / 2
                let index = y * grid.width + x
                let signal = Self.bilinear(slice, width, height, sourceX, sourceY)
                image[index] = grey(signal, bias: bias[index], &generator)
                truth[index] = Self.nearest(mask, width, height, sourceX, sourceY) ? 255 : 0
            }
        }
        return (
            Image(checked: grid.width, grid.height, 1, image), Image(checked: grid.width, grid.height, 1, truth)
        )
    }

    private func grey(_ signal: Double, bias: Double, _ generator: inout SeededGenerator) -> UInt8 {
        let clean = pow(min(max(signal, 0), 1), parameters.gamma) * bias * parameters.gain
        let real = clean + parameters.noise * generator.normal()
        let imaginary = parameters.noise * generator.normal()
        let floor = Self.window * parameters.noise
        let shown = ((real * real + imaginary * imaginary).squareRoot() - floor) / (1 - floor)
        return UInt8(min(max((shown * 255 / Self.step).rounded() * Self.step, 0), 255))
    }

    private func biasField(_ generator: inout SeededGenerator) -> [Double] {
        var weights: [[Double]] = []
        for i in 0..<3 {
            weights.append((0..<3).map { j in i + j == 0 ? 0 : generator.normal() / Double(1 + i + j) })
        }
        func cosines(_ count: Int) -> [[Double]] {
            (0..<count).map { at in (0..<3).map { cos(.pi * Double($0) * (Double(at) + 0.5) / Double(count)) } }
        }
        let (columns, rows) = (cosines(grid.width), cosines(grid.height))
        var field: [Double] = []
        field.reserveCapacity(grid.width * grid.height)
        for row in rows {
            for column in columns {
                var value = 0.0
                for i in 0..<3 { for j in 0..<3 { value += weights[i][j] * column[i] * row[j] } }
                field.append(value)
            }
        }
        let largest = field.reduce(0) { max($0, abs($1)) }
        let reach = log(1 + parameters.biasField) / max(largest, .leastNormalMagnitude)
        return field.map { exp(reach * $0) }
    }

    /// 0 outside.
    private static func bilinear(_ map: [Float], _ width: Int, _ height: Int, _ x: Double, _ y: Double) -> Double {
        let (left, top) = (x.rounded(.down), y.rounded(.down))
        guard left >= -1, top >= -1, left < Double(width), top < Double(height) else { return 0 }
        func at(_ x: Int, _ y: Int) -> Double {
            x >= 0 && y >= 0 && x < width && y < height ? Double(map[y * width + x]) : 0
        }
        let (column, row) = (Int(left), Int(top))
        let (fx, fy) = (x - left, y - top)
        return (1 - fy) * ((1 - fx) * at(column, row) + fx * at(column + 1, row))
            + fy * ((1 - fx) * at(column, row + 1) + fx * at(column + 1, row + 1))
    }

    private static func nearest(_ map: [Bool], _ width: Int, _ height: Int, _ x: Double, _ y: Double) -> Bool {
        let (column, row) = (x.rounded(), y.rounded())
        guard column >= 0, row >= 0, column < Double(width), row < Double(height) else { return false }
        return map[Int(row) * width + Int(column)]
    }
}
