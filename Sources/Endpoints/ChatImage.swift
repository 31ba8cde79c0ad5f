import Foundation

/// A picture in a message.
///
/// A request is hashed, and kept in recordings and run folders, with the SHA-256 of the picture's pixels in place of its bytes: the
/// same pixels give the same hash whichever compressor wrote the file, a recording of a thousand pictures stays readable, and no
/// patient's picture lies in a file of text. Who replays a recording needs the hash alone; the pictures are the dataset's.
public struct ChatImage: Sendable, Hashable {
    /// The file as it is sent; empty where the message was read from a recording.
    public var png: Data
    /// Pixels.
    public var width: Int
    /// Pixels.
    public var height: Int
    /// SHA-256 of the samples, row by row from the top, channels interleaved, in lower-case hexadecimal digits.
    public var pixelsSHA256: String

    public init(png: Data, width: Int, height: Int, pixelsSHA256: String) {
        self.png = png
        self.width = width
        self.height = height
        self.pixelsSHA256 = pixelsSHA256
    }

    /// What servers without an API of their own for pictures take: the file inside the address (RFC 2397).
    var dataURL: String { "data:image/png;base64," + png.base64EncodedString() }

    /// Tokens that a picture is charged for, estimated as `width × height / 750`, which Anthropic documents for its models; other vendors
    /// count otherwise. Used only where nobody counted.
    public var estimatedTokens: Int { max(1, width * height / 750) }

    public static func == (a: ChatImage, b: ChatImage) -> Bool {
        a.pixelsSHA256 == b.pixelsSHA256 && a.width == b.width && a.height == b.height
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(pixelsSHA256)
    }
}

extension ChatImage: Codable {
    private enum CodingKeys: String, CodingKey {
        case width, height
        case pixelsSHA256 = "pixels_sha256"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            png: Data(), width: try values.decode(Int.self, forKey: .width),
            height: try values.decode(Int.self, forKey: .height),
            pixelsSHA256: try values.decode(String.self, forKey: .pixelsSHA256))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(width, forKey: .width)
        try values.encode(height, forKey: .height)
        try values.encode(pixelsSHA256, forKey: .pixelsSHA256)
    }
}
