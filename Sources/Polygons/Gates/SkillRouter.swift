import Datasets

/// Chooses the chain of skills for a picture from its statistics alone.
///
/// Rules in order, the first that holds: colour with reflections or much red is endoscopy; other colour is dermoscopy; grey with a dark
/// frame around most of it is a slice, CT where much of it is black and MRI else; other grey is an X-ray. The thresholds are set by
/// hand on what the modalities look like and fitted to no dataset; the choice and what it was made by are kept for the report.
public struct SkillRouter: Sendable, Hashable, Codable {
    public struct Route: Sendable, Hashable, Codable {
        public var modality: Modality
        /// The rule that decided, in words.
        public var reason: String
        public var statistics: ImageStatistics
    }

    /// From where a picture is one of colour.
    public var leastColourfulness = 12.0
    public var leastHighlights = 0.001
    public var leastRedness = 0.25
    public var leastDarkBorder = 0.6
    public var leastDarkness = 0.4

    public init() {}

    /// - Throws: `PolygonsError`.
    public func route(_ image: Image) throws(PolygonsError) -> Route {
        let statistics = try ImageStatistics(of: image)
        let (modality, reason) = choose(statistics)
        return Route(modality: modality, reason: reason, statistics: statistics)
    }

    private func choose(_ statistics: ImageStatistics) -> (Modality, String) {
        if statistics.colourfulness >= leastColourfulness {
            if statistics.redness >= leastRedness { return (.endoscopy, "colour, mostly red") }
            if statistics.highlights >= leastHighlights { return (.endoscopy, "colour with reflections") }
            return (.dermoscopy, "colour without reflections")
        }
        if statistics.darkBorder >= leastDarkBorder {
            return statistics.darkness >= leastDarkness
                ? (.ct, "grey in a dark frame, much of it black") : (.mri, "grey in a dark frame")
        }
        return (.xray, "grey to the borders")
    }
}
