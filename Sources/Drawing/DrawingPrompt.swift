import Datasets
import Foundation
import Hashing
import Polygons
import Prompts

/// What is said beside a picture: a template for the modality, and one for the shape that is asked for.
public struct DrawingPrompt: Sendable, Hashable {
    public let text: String
    /// SHA-256 of the text.
    public let sha256: String
    /// SHA-256 over the hashes of both templates: the same for every dataset of the modality.
    public let templateSHA256: String
    /// `general` where the dataset's words say nothing of a modality.
    public let modality: String

    static let slots: Set<String> = ["image_kind", "foreground", "foreground_hint", "picture", "answer"]
    static let answerSlots: Set<String> = ["coordinates"]

    /// - Parameter folder: `prompts/polygon/`.
    /// - Throws: `PromptError`.
    public init(
        for description: DatasetDescription, _ settings: DrawingSettings, folder: URL
    ) throws(PromptError) {
        let modality = Self.modality(of: description)
        self.modality = modality?.rawValue ?? "general"
        let template = try PromptTemplate.load(folder.appending(path: "\(self.modality).md"), known: Self.slots)
        let answer = try PromptTemplate.load(
            folder.appending(path: "answer/\(settings.shape.rawValue).md"), known: Self.answerSlots)
        let rendered = try template.render([
            "image_kind": description.imageKind, "foreground": description.foreground,
            "foreground_hint": description.foregroundHint, "picture": Self.picture(settings),
            "answer": try answer.render(["coordinates": Self.coordinates(settings)]).text,
        ])
        text = rendered.text
        sha256 = rendered.sha256
        templateSHA256 = SHA256.hexadecimal(Data("\(template.sha256)\n\(answer.sha256)\n".utf8))
    }

    private static func picture(_ settings: DrawingSettings) -> String {
        let size = "The picture that you see has \(settings.size) × \(settings.size) pixels"
        let bars = "black bars at two of its sides, where there are any, are not part of the scene."
        guard settings.grid else { return "\(size); \(bars)" }
        return "\(size); \(bars) The yellow lines and numbers were drawn on it to help you read coordinates."
    }

    private static func coordinates(_ settings: DrawingSettings) -> String {
        let (unit, end) =
            switch settings.convention {
            case .pixels: ("are pixels of the picture that you see", "\(settings.size)")
            case .unit: ("are fractions of the sides of the picture that you see", "1")
            case .percent: ("are percent of the sides of the picture that you see, with the sign %", "100%")
            case .thousandths: ("are thousandths of the sides of the picture that you see", "1000")
            }
        return "Coordinates \(unit): x runs from 0 at the left edge to \(end) at the right edge, "
            + "y from 0 at the top edge to \(end) at the bottom edge; x comes first."
    }

    private static let words: [(Modality, [String])] = [
        (.dermoscopy, ["dermoscop", "dermatoscop", "skin"]),
        (.endoscopy, ["endoscop", "colonoscop", "gastroscop", "mucosa"]),
        (.xray, ["x-ray", "xray", "radiograph"]),
        (.ct, ["ct", "computed"]),
        (.mri, ["mri", "mr", "magnetic"]),
    ]

    /// The modality that a dataset's own words name: the first of the list one of whose words begins a word of the description.
    public static func modality(of description: DatasetDescription) -> Modality? {
        let said = "\(description.imageKind) \(description.title)".lowercased()
            .split { !$0.isLetter && $0 != "-" }
        return words.first { _, beginnings in
            beginnings.contains { beginning in
                // Two letters begin too many words.
                said.contains { beginning.count < 3 ? $0 == beginning : $0.hasPrefix(beginning) }
            }
        }?.0
    }
}
