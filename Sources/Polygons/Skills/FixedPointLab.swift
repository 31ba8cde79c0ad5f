import Foundation

/// CIE L*a*b* in the fixed point of OpenCV's 8-bit path: light in steps of 1/2040 on the way there and of 1/4096 on the way back, cube
/// roots in steps of 2⁻¹⁵, coefficients in steps of 2⁻¹².
enum FixedPointLab {
    /// D65's white in XYZ.
    private static let white = SIMD3<Double>(0.950456, 1, 1.088754)

    /// sRGB to XYZ over white, times 2¹².
    private static let toXYZ: [SIMD3<Int>] = [
        scaled(SIMD3<Double>(0.412453, 0.357580, 0.180423) / white.x),
        scaled(SIMD3<Double>(0.212671, 0.715160, 0.072169) / white.y),
        scaled(SIMD3<Double>(0.019334, 0.119193, 0.950227) / white.z),
    ]

    /// XYZ over white to sRGB, times 2¹².
    private static let toRGB: [SIMD3<Int>] = [
        scaled(SIMD3<Double>(3.240479, -1.53715, -0.498535) * white),
        scaled(SIMD3<Double>(-0.969256, 1.875991, 0.041556) * white),
        scaled(SIMD3<Double>(0.055648, -0.204043, 1.057311) * white),
    ]

    private static func scaled(_ row: SIMD3<Double>) -> SIMD3<Int> {
        let row = (row * 4096).rounded(.toNearestOrAwayFromZero)
        return SIMD3(Int(row.x), Int(row.y), Int(row.z))
    }

    /// sRGB's transfer function (IEC 61966-2-1) to linear light, times 2040.
    private static let light: [Int] = (0..<256).map { value in
        let x = Double(value) / 255
        return Int((2040 * (x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4))).rounded())
    }

    /// The bytes of linear light times 4096.
    private static let bytes: [UInt8] = (0..<4096).map { step in
        let x = Double(step) / 4096
        return ColourSpace.byte(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055))
    }

    /// CIE's f of light times 2040, times 2¹⁵.
    private static let roots: [Int] = (0..<3072).map { step in
        let x = Double(step) / 2040
        return Int((32768 * (x < 0.008856 ? x * 7.787 + 16.0 / 116 : cbrt(x))).rounded())
    }

    static func lab(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> (l: UInt8, a: UInt8, b: UInt8) {
        let colour = SIMD3(light[Int(red)], light[Int(green)], light[Int(blue)])
        func root(_ row: Int) -> Int { roots[((toXYZ[row] &* colour).wrappedSum() + 2048) >> 12] }
        let (x, y, z) = (root(0), root(1), root(2))
        // 116 and 16 are times 2.55 and rounded to whole numbers.
        let l = (296 * y - 1_336_934 + 16384) >> 15
        let a = (500 * (x - y) + 128 << 15 + 16384) >> 15
        let b = (200 * (y - z) + 128 << 15 + 16384) >> 15
        return (clamp(l), clamp(a), clamp(b))
    }

    /// Y and f(Y) of each L, times 2¹⁴.
    private static let lightness: [(y: Int, root: Int)] = (0..<256).map { value in
        let l = Double(value) * 100 / 255
        let root = l <= 8 ? 7.787 * l * 27 / 24389 + 16.0 / 116 : (l + 16) / 116
        let y = l <= 8 ? l * 27 / 24389 : root * root * root
        return (Int((16384 * y).rounded()), Int((16384 * root).rounded()))
    }

    static func rgb(_ l: UInt8, _ a: UInt8, _ b: UInt8) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let (y, root) = lightness[Int(l)]
        // a / 500 and b / 200 less 128 of them, times 2¹⁴.
        let x = cube(root + (5 * Int(a) * 53687 + 128) >> 13 - 4194)
        let z = cube(root - ((Int(b) * 41943 + 16) >> 9 - 10484))
        let colour = SIMD3(x, y, z)
        func channel(_ row: Int) -> UInt8 {
            bytes[min(max(((toRGB[row] &* colour).wrappedSum() + 8192) >> 14, 0), 4095)]
        }
        return (channel(0), channel(1), channel(2))
    }

    /// The inverse of CIE's f, both times 2¹⁴; divisions drop what is left.
    private static func cube(_ f: Int) -> Int {
        f * 29 <= 6 * 16384 ? f * 108 / 841 - 290 : f * f / 16384 * f / 16384
    }

    private static func clamp(_ value: Int) -> UInt8 { UInt8(min(max(value, 0), 255)) }
}
