import Endpoints
import Metrics
import Polygons

/// A model's reply read into a shape in pixels of the original picture.
struct ReadDrawing {
    /// A failed draw.
    struct Failure: Error {
        var reason: String
    }

    let shape: DrawnShape
    let convention: String
    let dress: String
    let repairs: [String]

    /// - Throws: `Failure`.
    init(_ reply: ChatReply, on sent: SentPicture, settings: DrawingSettings) throws {
        let image = sent.framed.image
        let reader = try AnswerReader(
            width: image.width, height: image.height, asked: settings.shape, convention: settings.convention)
        let answer: DrawnAnswer
        do {
            answer = try reader.read(reply.content)
        } catch {
            throw Failure(reason: Self.reason(error, reply.finishReason))
        }
        shape = sent.framed.original(answer.shape)
        convention = answer.convention.rawValue
        dress = answer.dress.rawValue
        repairs = answer.repairs.map(\.name)
    }

    private static func reason(_ failure: AnswerFailure, _ finish: ChatReply.FinishReason) -> String {
        switch finish {
        case .contentFilter: "the endpoint withheld the answer"
        case .length: "\(failure), which the output limit cut"
        default: failure.description
        }
    }
}
