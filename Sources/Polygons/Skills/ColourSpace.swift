import Foundation

/// Conversions of 8-bit colours as OpenCV's `cvtColor` defines them; they agree with it to one grey level.
///
/// L*a*b* is computed in fixed point (`FixedPointLab`), as there: its roundings move dark colours by more than a grey level.
public enum ColourSpace {
    /// CIE L*a*b* (1976) of an sRGB colour under D65: L in 0...255 for 0...100, a and b moved by 128.
    public static func lab(red: UInt8, green: UInt8, blue: UInt8) -> (l: UInt8, a: UInt8, b: UInt8) {
        FixedPointLab.lab(red, green, blue)
    }

    /// The sRGB colour of an 8-bit L*a*b* colour; what lies outside sRGB is clamped.
    public static func rgb(l: UInt8, a: UInt8, b: UInt8) -> (red: UInt8, green: UInt8, blue: UInt8) {
        FixedPointLab.rgb(l, a, b)
    }

    /// Hue in 0..<180 (half degrees), saturation and value in 0...255 (Smith 1978).
    public static func hsv(red: UInt8, green: UInt8, blue: UInt8) -> (h: UInt8, s: UInt8, v: UInt8) {
        let (r, g, b) = (Double(red), Double(green), Double(blue))
        let (most, least) = (max(r, g, b), min(r, g, b))
        let range = most - least
        guard range > 0 else { return (0, 0, UInt8(most)) }
        let sixth: Double
        if most == r {
            sixth = (g - b) / range
        } else if most == g {
            sixth = 2 + (b - r) / range
        } else {
            sixth = 4 + (r - g) / range
        }
        let hue = (sixth * 30 + 180).truncatingRemainder(dividingBy: 180).rounded()
        return (hue >= 180 ? 0 : byte(hue), byte(255 * range / most), UInt8(most))
    }

    /// The colour of a hue in half degrees, a saturation and a value.
    public static func rgb(h: UInt8, s: UInt8, v: UInt8) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let sixth = Double(h % 180) / 30
        let (value, saturation) = (Double(v), Double(s) / 255)
        let fraction = sixth - sixth.rounded(.down)
        let p = value * (1 - saturation)
        let q = value * (1 - saturation * fraction)
        let t = value * (1 - saturation * (1 - fraction))
        switch Int(sixth) {
        case 0: return (byte(value), byte(t), byte(p))
        case 1: return (byte(q), byte(value), byte(p))
        case 2: return (byte(p), byte(value), byte(t))
        case 3: return (byte(p), byte(q), byte(value))
        case 4: return (byte(t), byte(p), byte(value))
        default: return (byte(value), byte(p), byte(q))
        }
    }

    /// The nearest byte.
    static func byte(_ value: Double) -> UInt8 { UInt8(min(max(value.rounded(.toNearestOrEven), 0), 255)) }
}
