import Datasets

/// One step that prepares a picture for a model. None looks at a truth.
public enum Skill: Sendable, Hashable, Codable {
    /// Dark bars are cut off.
    case trimLetterbox
    case removeHighlights(SpecularHighlights)
    /// On the lightness of L*a*b*, so that colours stay; on the grey values of a grey picture.
    case equalize(CLAHE)
    /// Saturation times a factor.
    case saturate(Double)
    /// A part of the grey values, stretched to all.
    case window(IntensityWindow)
    /// A part of the picture, in pixels of the picture that it is applied to.
    case crop(Box)

    /// - Throws: `PolygonsError`.
    public func apply(to picture: FramedPicture) throws(PolygonsError) -> FramedPicture {
        var picture = picture
        switch self {
        case .trimLetterbox:
            guard let content = Letterbox.content(of: picture.image) else { return picture }
            return try picture.cropped(to: content)
        case .removeHighlights(let highlights): picture.image = try highlights.remove(from: picture.image)
        case .equalize(let clahe): picture.image = try Self.equalized(picture.image, clahe)
        case .saturate(let factor): picture.image = try Self.saturated(picture.image, factor)
        case .window(let window):
            let bytes = window.apply(picture.image.bytes.map { Float($0) })
            picture.image = try FramedPicture.image(
                picture.image.width, picture.image.height, picture.image.channels, bytes)
        case .crop(let box): return try picture.cropped(to: box)
        }
        return picture
    }

    private static func equalized(_ image: Image, _ clahe: CLAHE) throws(PolygonsError) -> Image {
        guard image.channels == 3 else {
            return try FramedPicture.image(
                image.width, image.height, 1, clahe.apply(image.bytes, width: image.width, height: image.height))
        }
        var bytes = image.bytes
        let labs = (0..<image.pixels).map {
            ColourSpace.lab(red: bytes[3 * $0], green: bytes[3 * $0 + 1], blue: bytes[3 * $0 + 2])
        }
        let lightness = clahe.apply(labs.map(\.l), width: image.width, height: image.height)
        for (index, lab) in labs.enumerated() {
            let colour = ColourSpace.rgb(l: lightness[index], a: lab.a, b: lab.b)
            (bytes[3 * index], bytes[3 * index + 1], bytes[3 * index + 2]) = (colour.red, colour.green, colour.blue)
        }
        return try FramedPicture.image(image.width, image.height, 3, bytes)
    }

    private static func saturated(_ image: Image, _ factor: Double) throws(PolygonsError) -> Image {
        guard image.channels == 3 else { return image }
        var bytes = image.bytes
        for index in 0..<image.pixels {
            let hsv = ColourSpace.hsv(red: bytes[3 * index], green: bytes[3 * index + 1], blue: bytes[3 * index + 2])
            let colour = ColourSpace.rgb(h: hsv.h, s: ColourSpace.byte(Double(hsv.s) * factor), v: hsv.v)
            (bytes[3 * index], bytes[3 * index + 1], bytes[3 * index + 2]) = (colour.red, colour.green, colour.blue)
        }
        return try FramedPicture.image(image.width, image.height, 3, bytes)
    }
}

/// What kind of picture it is.
public enum Modality: String, Sendable, Hashable, Codable, CaseIterable {
    case dermoscopy, endoscopy
    case xray = "x-ray"
    case ct, mri

    /// The chain of skills that pictures of this kind get before a model sees them.
    public var skills: [Skill] {
        switch self {
        case .dermoscopy: [.trimLetterbox, .saturate(1.2)]
        case .endoscopy:
            [.trimLetterbox, .removeHighlights(SpecularHighlights()), .equalize(CLAHE(clipLimit: 2)), .saturate(1.3)]
        case .xray: [.trimLetterbox, .equalize(CLAHE(clipLimit: 2))]
        // Hounsfield units are windowed when a volume becomes slices (`IntensityWindow.softTissue`); grey values are not again.
        case .ct: []
        case .mri: [.equalize(CLAHE(clipLimit: 1.5))]
        }
    }

    /// The picture after the whole chain.
    ///
    /// - Throws: `PolygonsError`.
    public func prepare(_ image: Image) throws(PolygonsError) -> FramedPicture {
        try prepare(FramedPicture(image))
    }

    /// A part of a picture after the whole chain.
    ///
    /// - Throws: `PolygonsError`.
    public func prepare(_ part: FramedPicture) throws(PolygonsError) -> FramedPicture {
        var picture = part
        for skill in skills { picture = try skill.apply(to: picture) }
        return picture
    }
}
